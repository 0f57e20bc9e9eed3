"""Sliders: the single things that a direction can do."""

import math
import re
from dataclasses import dataclass, replace

from latentwalk.gan.edits import CustomEdit, Edit, Span, edit_of
from latentwalk.gan.errors import GanError, OutOfRange

# A latent has length sqrt(Z), and each of its numbers a standard deviation of 1: SeFa, InterFaceGAN and GANSpace all
# show their directions, which have length 1, from -3 to 3, and let people go twice as far.
SHOWN: Span = (-3.0, 3.0)
LIMIT: Span = (-6.0, 6.0)

# What stands for a slider in the notations of the command line, such as pose:smile=1.5.
_NAME = re.compile(r"[A-Za-z0-9_.+-]{1,63}")


def check_slider_name(name: str) -> None:
    """Raises GanError for a name that people are not to give to a slider."""
    if not _NAME.fullmatch(name):
        raise GanError(f"name of a slider is {name!r}: it must be 1 to 63 letters, digits, '_', '.', '+', '-'")


def check_range(alphas: Span) -> None:
    """Raises GanError for a range of alpha that does not rise, or without 0 in it."""
    low, high = alphas
    if not (low <= 0 <= high and low < high):
        raise GanError(f"range of alpha is {low:g} to {high:g}: it must rise, with 0, the start of every walk, in it")


@dataclass(frozen=True)
class Slider:
    """One thing that a direction can do, and what its alpha means.

    Raises UnknownEdit for an edit that is neither in EDITS nor custom, GanError for a scale of 0, a range that is
    not low <= high, any number that is not finite, or a class below 0.
    """

    name: str
    edit: str
    """The edit that the slider imitates; empty if it imitates none."""
    unit: str
    """The unit of the edit's amount; empty if there is none."""
    scale: float
    """The edit's linear coordinate at alpha = 1."""
    trained: Span
    """The least and greatest alpha that it was trained on."""
    limit: Span
    """The least and greatest alpha that may be asked for."""
    class_id: int | None = None
    """The class that it was found for; None if it moves latents of every class."""
    custom: CustomEdit | None = None
    """The edit that it imitates, of this name, if that is one of a caller's own."""

    def __post_init__(self) -> None:
        if self.custom is not None and self.custom.name != self.edit:
            names = f"its edit is {self.edit!r}, its custom edit {self.custom.name!r}"
            raise GanError(f"slider {self.name!r} imitates two edits: {names}; both must be the same")
        self.imitated  # noqa: B018 - raises for an edit that there is not
        if not math.isfinite(self.scale) or self.scale == 0:
            raise GanError(f"scale of slider {self.name!r} is {self.scale}: it must be finite and not 0")
        for what, (low, high) in (("trained", self.trained), ("limit", self.limit)):
            if not (math.isfinite(low) and math.isfinite(high) and low <= high):
                ends = f"{low} to {high}"
                raise GanError(f"{what} range of slider {self.name!r} is {ends}: it must be finite and rising")
        if self.class_id is not None and not (type(self.class_id) is int and self.class_id >= 0):
            raise GanError(f"class of slider {self.name!r} is {self.class_id!r}: it must be 0 or more, or None")

    def alpha_of(self, amount: float) -> float:
        """The alpha that imitates this amount of the edit. Raises OutOfRange outside the edit's domain."""
        edit = self.imitated
        if edit is None:
            return amount / self.scale
        edit.check(amount)
        return edit.linear(amount) / self.scale

    def amount_of(self, alpha: float) -> float:
        """The amount of the edit that this alpha imitates, in the edit's unit: the inverse of alpha_of."""
        edit, coordinate = self.imitated, alpha * self.scale
        return coordinate if edit is None else edit.natural(coordinate)

    def turned(self) -> "Slider":
        """The slider whose alpha is the opposite of this one's."""
        (trained_low, trained_high), (low, high) = self.trained, self.limit
        return replace(self, scale=-self.scale, trained=(-trained_high, -trained_low), limit=(-high, -low))

    def within(self, limit: Span) -> "Slider":
        """The slider of which no more may be asked for than this.

        Raises GanError for a range without 0, the start of every walk, in it, and OutOfRange for one beyond its limit.
        """
        check_range(limit)
        low, high = limit
        for end in limit:
            if not self.limit[0] <= end <= self.limit[1]:
                raise OutOfRange(f"alpha of slider {self.name!r}", end, *self.limit)
        (trained_low, trained_high) = self.trained
        shown = max(trained_low, low), min(trained_high, high)
        return replace(self, trained=shown if shown[0] <= shown[1] else limit, limit=limit)

    @property
    def imitated(self) -> Edit | None:
        """The edit that it imitates; None if it imitates none."""
        if self.custom is not None:
            return self.custom.edit
        return edit_of(self.edit) if self.edit else None
