"""Which amount of its edit a walk achieves, whatever it was asked for.

That is the amount whose edit of the untouched pictures is the most like the walked ones: the squared error over the
pixels that the edit leaves, as a part of how much there is to be seen on them. Without the latter, a shift that leaves
nothing but the ground beside what is shown would be like any other.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from latentwalk.gan.directions import Slider
from latentwalk.gan.edits import Edit

MATCHED = 256
"""Pictures that are compared; more would hardly tell more."""
_CANDIDATES = 12
"""Amounts on either side of none, evenly over what the slider allows; between them goes a parabola."""
_LEAST_LEFT = 0.1
"""What is left of less than this part of a picture could be of any other."""
_LEAST_SEEN = 1e-6
"""On a pixel, of which a step of the bytes that are served is 6e-5: less is rounding, on pictures of one colour."""


class Achieved(nn.Module):
    """Gathers, at every alpha of a slider, the errors against the edit by each of the candidates."""

    errors: Tensor
    seen: Tensor

    def __init__(self, slider: Slider, edit: Edit, alphas: int) -> None:
        super().__init__()
        self._slider, self._edit = slider, edit
        low, high = slider.limit
        sides = [end * (step / _CANDIDATES) for end in (low, high) for step in range(1, _CANDIDATES + 1)]
        self._candidates = sorted({0.0, *sides})  # in alphas, along which edits are even
        for name in ("errors", "seen"):
            self.register_buffer(name, torch.zeros(alphas, len(self._candidates), dtype=torch.float64))

    def add(self, place: int, untouched: Tensor, walked: Tensor) -> None:
        """Compares pictures [N, C, H, W], walked by one of the alphas, with the edits of untouched ones."""
        for number, candidate in enumerate(self._candidates):
            amounts = torch.full((len(untouched),), self._slider.amount_of(candidate))
            target, mask = self._edit(untouched, amounts)
            if mask.mean() < _LEAST_LEFT:
                continue
            self.errors[place, number] += (mask * (walked - target) ** 2).sum().double().cpu()
            seen = _energy(target, mask) + _energy(walked, mask) + _LEAST_SEEN * mask.sum()
            self.seen[place, number] += seen.double().cpu()

    def amount(self, place: int) -> float:
        """What the walk by that alpha achieves, in the unit of the edit; the least of several that are as like."""
        parts: list[float] = torch.where(self.seen > 0, self.errors / self.seen, math.inf)[place].tolist()
        best = min(range(len(parts)), key=lambda number: (parts[number], abs(self._candidates[number])))
        if not 0 < best < len(parts) - 1:
            return self._slider.amount_of(self._candidates[best])
        points = (_Point(self._candidates[one], parts[one]) for one in (best - 1, best, best + 1))
        return self._slider.amount_of(_lowest(*points))


class _Point(NamedTuple):
    alpha: float
    error: float


def _energy(pictures: Tensor, mask: Tensor) -> Tensor:
    """How much there is to be seen of all pictures on the valid pixels: their squares about the mean of each."""
    valid = mask.sum(dim=(1, 2, 3), keepdim=True) * pictures.shape[1]
    mean = (mask * pictures).sum(dim=(1, 2, 3), keepdim=True) / valid.clamp(min=1)
    return (mask * (pictures - mean) ** 2).sum()


def _lowest(left: _Point, middle: _Point, right: _Point) -> float:
    """Where the parabola through three points, of which the middle one is the lowest, is lowest."""
    falling = (left.error - middle.error) / (middle.alpha - left.alpha)
    rising = (right.error - middle.error) / (right.alpha - middle.alpha)
    if not 0 < falling + rising < math.inf:  # as low all over, or beside an edit that leaves too little
        return middle.alpha
    ends = falling * (middle.alpha + right.alpha) + rising * (left.alpha + middle.alpha)
    return ends / (2 * (falling + rising))
