"""Sliders: the single things that a direction can do."""

import math
import re
from dataclasses import dataclass, replace

from latentwalk.gan.directions.calibration import Calibration, along
from latentwalk.gan.edits import CustomEdit, Edit, Span, edit_of
from latentwalk.gan.errors import GanError, OutOfRange

# A latent has length sqrt(Z), and each of its numbers a standard deviation of 1: SeFa, InterFaceGAN and GANSpace all
# show their directions, which have length 1, from -3 to 3, and let people go twice as far.
SHOWN: Span = (-3.0, 3.0)
LIMIT: Span = (-6.0, 6.0)

# The end of a range that went through a logarithm and back may be off by rounding: this part of it is forgiven.
_ROUNDING = 1e-6

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
    calibration: Calibration | None = None
    """Which amount it achieves at which alpha, of one that imitates an edit; None: as much as it was trained to."""

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
        if self.calibration is not None:
            self._check_calibration(self.calibration)

    def alpha_of(self, amount: float) -> float:
        """The alpha that imitates this amount of the edit; of a calibrated slider, that which achieves it.

        Raises OutOfRange outside the edit's domain, and for more or less than is calibrated.
        """
        edit, calibration = self.imitated, self.calibration
        if edit is None:
            return amount / self.scale
        edit.check(amount)
        if calibration is None:
            return edit.linear(amount) / self.scale
        _check_within(f"calibrated amount of slider {self.name!r} ({self.unit})", amount, calibration.reach)
        # Between two points along a line in the coordinate in which the edit is straight.
        return along(edit.linear(amount), [edit.linear(one) for one in calibration.amounts], calibration.alphas)

    def amount_of(self, alpha: float) -> float:
        """The amount of the edit that this alpha imitates or achieves, in the edit's unit: the inverse of alpha_of.

        Raises OutOfRange for an alpha beyond those of the calibration, if there is one.
        """
        edit, calibration, coordinate = self.imitated, self.calibration, alpha * self.scale
        if edit is None:
            return coordinate
        if calibration is None:
            return edit.natural(coordinate)
        _check_within(f"calibrated alpha of slider {self.name!r}", alpha, calibration.valid)
        return edit.natural(along(alpha, calibration.alphas, [edit.linear(one) for one in calibration.amounts]))

    def amounts(self, alphas: Span) -> Span:
        """The least and greatest amount between these alphas, as far as they are calibrated."""
        if self.calibration is not None:
            low, high = self.calibration.valid
            alphas = min(max(alphas[0], low), high), min(max(alphas[1], low), high)
        least, greatest = sorted(map(self.amount_of, alphas))
        return least, greatest

    def tells_amount(self, alpha: float) -> bool:
        """Whether amount_of says how much that is of an edit."""
        if not self.edit:
            return False
        return self.calibration is None or _is_within(alpha, self.calibration.valid)

    def may_stand_at(self, alpha: float) -> bool:
        """Whether the alpha is within the limit, but for rounding."""
        return _is_within(alpha, self.limit)

    def turned(self) -> "Slider":
        """The slider whose alpha is the opposite of this one's."""
        (trained_low, trained_high), (low, high) = self.trained, self.limit
        calibration = self.calibration and self.calibration.turned()
        trained, limit = (-trained_high, -trained_low), (-high, -low)
        return replace(self, scale=-self.scale, trained=trained, limit=limit, calibration=calibration)

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

    def _check_calibration(self, calibration: Calibration) -> None:
        if self.imitated is None:
            raise GanError(f"slider {self.name!r} imitates no edit: it has no amounts to be calibrated")
        for amount in calibration.reach:
            self.imitated.check(amount)


def _is_within(number: float, ends: Span) -> bool:
    slack = _ROUNDING * (ends[1] - ends[0])
    return ends[0] - slack <= number <= ends[1] + slack


def _check_within(what: str, number: float, ends: Span) -> None:
    if not _is_within(number, ends):
        raise OutOfRange(what, number, *ends)
