"""Directions: where to go in latent space so that one understandable thing happens to the picture."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from latentwalk.gan.edits import Span, edit_of
from latentwalk.gan.errors import GanError, GeneratorMismatch, InvalidLatent, OutOfRange, UnknownSlider


@dataclass(frozen=True)
class Slider:
    """One vector of a direction, and what its alpha means.

    Raises UnknownEdit for an edit that is not in EDITS, GanError for a scale of 0, a range that is not low <=
    high, or any number that is not finite.
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

    def __post_init__(self) -> None:
        if self.edit:
            edit_of(self.edit)
        if not math.isfinite(self.scale) or self.scale == 0:
            raise GanError(f"scale of slider {self.name!r} is {self.scale}: it must be finite and not 0")
        for what, (low, high) in (("trained", self.trained), ("limit", self.limit)):
            if not (math.isfinite(low) and math.isfinite(high) and low <= high):
                ends = f"{low} to {high}"
                raise GanError(f"{what} range of slider {self.name!r} is {ends}: it must be finite and rising")

    def alpha_of(self, amount: float) -> float:
        """The alpha that imitates this amount of the edit. Raises OutOfRange outside the edit's domain."""
        if not self.edit:
            return amount / self.scale
        edit = edit_of(self.edit)
        edit.check(amount)
        return edit.linear(amount) / self.scale

    def amount_of(self, alpha: float) -> float:
        """The amount of the edit that this alpha imitates, in the edit's unit: the inverse of alpha_of."""
        coordinate = alpha * self.scale
        return edit_of(self.edit).natural(coordinate) if self.edit else coordinate


@dataclass(frozen=True, eq=False)
class LinearDirection:
    """A bank of straight directions of one generator: z + alpha w (Jahanian et al. 2020, section 3).

    Raises InvalidLatent if the vectors are not finite float32 [S, Z], GanError if two sliders share a name.
    """

    name: str
    generator_digest: str
    """The digest of the generator that it belongs to (law 2)."""
    sliders: tuple[Slider, ...]
    vectors: Tensor
    """float32 [S, Z]: row s is w of slider s."""
    space: str = "z"

    def __post_init__(self) -> None:
        what, shape = f"vectors of direction {self.name!r}", list(self.vectors.shape)
        if len(shape) != 2 or not 0 < shape[0] == len(self.sliders):
            raise InvalidLatent(what, f"their shape is {shape}, it must be [{len(self.sliders)} sliders, Z]")
        if self.vectors.dtype != torch.float32:
            raise InvalidLatent(what, f"their type is {self.vectors.dtype}, it must be torch.float32")
        if not self.vectors.isfinite().all():
            raise InvalidLatent(what, "they hold NaN or infinity, they must be finite")
        names = [slider.name for slider in self.sliders]
        if len(set(names)) != len(names):
            raise GanError(f"sliders of direction {self.name!r} are {names}: two share a name")

    def move(self, z: Tensor, alphas: Tensor) -> Tensor:
        """Moves z [N, Z] by alphas [N, S]: z + sum of alpha_s w_s; a row is the same bits in any batch."""
        # Not alphas @ vectors: a matrix product may round a row differently in another batch (law 1).
        for alpha, vector in zip(alphas.unbind(dim=1), self.vectors.to(z), strict=True):
            z = z + alpha[:, None] * vector
        return z

    def slider_index(self, name: str) -> int:
        """Which slider has this name; "" means the first. Raises UnknownSlider."""
        names = tuple(slider.name for slider in self.sliders)
        if name and name not in names:
            raise UnknownSlider(name, names)
        return names.index(name) if name else 0

    def check_generator(self, digest: str) -> None:
        """Raises GeneratorMismatch unless the digest is that of the direction's own generator."""
        if digest != self.generator_digest:
            raise GeneratorMismatch(self.name, self.generator_digest, digest)

    def check_alpha(self, slider: Slider, alpha: float) -> None:
        """Raises OutOfRange if alpha is outside the limit of the slider, or NaN."""
        low, high = slider.limit
        if not low <= alpha <= high:
            raise OutOfRange(f"alpha of slider {slider.name!r} of direction {self.name!r}", alpha, low, high)
