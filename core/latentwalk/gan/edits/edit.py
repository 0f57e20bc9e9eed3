"""What an edit is, and the error that a picture has against an edited one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor

from latentwalk.gan.edits.coordinates import Coordinate, same
from latentwalk.gan.errors import GanError, OutOfRange

Span: TypeAlias = tuple[float, float]
Transform: TypeAlias = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
Law: TypeAlias = Callable[[int, float, float, torch.Generator], Tensor]


@dataclass(frozen=True)
class Edit:
    """One transformation of pictures, its unit, and the amounts that make sense for it."""

    name: str
    unit: str
    """"fraction" of the full range from black to white, "x", "px" or "deg"; of a custom edit, what its maker says."""
    domain: Span
    """The least and greatest amount that it is defined for."""
    default_range: Callable[[int], Span]
    """From the resolution in pixels to the least and greatest amount to train on, as in the paper."""
    transform: Transform
    law: Law
    neutral: float = 0
    """The amount that changes nothing."""
    linear: Coordinate = same
    """From the amount to the coordinate in which a walk is straight; the neutral amount goes to 0."""
    natural: Coordinate = same
    """The inverse of linear."""

    def __call__(self, pictures: Tensor, amounts: Tensor) -> tuple[Tensor, Tensor]:
        """Edits pictures [N, C, H, W] in (-1, 1) by amounts [N].

        Returns the targets [N, C, H, W], not clipped, and the mask [N, 1, H, W]: 1 where a pixel of the
        target comes from the picture, 0 where it comes from beyond its border. Raises GanError for a colour
        that grey has not.
        """
        return self.transform(pictures, amounts.to(pictures))

    def draw(self, n: int, low: float, high: float, generator: torch.Generator) -> Tensor:
        """Draws n amounts [n] to train on, between low and high, on the device of the random generator.

        Raises OutOfRange if they are not within the domain, GanError if there is no amount between them.
        """
        self.check(low)
        self.check(high)
        if not low < high:
            raise GanError(f"range of {self.name} is {low} to {high} {self.unit}: it must be rising")
        return self.law(n, low, high, generator)

    def check(self, amount: float) -> None:
        """Raises OutOfRange if the amount is not within the domain, or NaN."""
        low, high = self.domain
        if not low <= amount <= high:
            raise OutOfRange(f"amount of {self.name} ({self.unit})", amount, low, high)


def masked_squared_error(pictures: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """The L2 loss of the paper, row by row: the mean of (pictures - target)^2 over the valid elements.

    pictures, target: [N, C, H, W]; mask: [N, 1, H, W] of 0 and 1. Returns [N]; 0 where no pixel is valid.
    """
    error = (mask * (pictures - target) ** 2).sum(dim=(1, 2, 3))
    valid = mask.sum(dim=(1, 2, 3)) * pictures.shape[1]
    return error / valid.clamp(min=1)
