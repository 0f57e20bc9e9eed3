"""Paths of many small steps."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from latentwalk.gan.directions.slider import Slider
from latentwalk.gan.errors import GanError

Step: TypeAlias = Callable[[Tensor, bool], Tensor]
"""From a row [1, D], and whether it goes back, to where the row is after one step [1, D]."""

MOST_STEPS = 256
"""The most steps from the start to the limit of a slider, so that a path and its memory are bounded."""

# Of a step: a position as close as this to a point is at the point, and no step is taken beyond it for nothing.
_ROUNDING = 1e-9


class SteppedPath:
    """The polylines through the points that rows [R, D] reach step by step, either way.

    Points once reached are kept, so that an alpha costs only the steps beyond the furthest one before.
    """

    def __init__(self, start: Tensor, step: Step, steps_per_alpha: float) -> None:
        self._step = step
        self._steps_per_alpha = steps_per_alpha
        self._points = {back: [start] for back in (False, True)}

    def __call__(self, alpha: float) -> Tensor:
        """The shift [R, D] of the rows at this alpha; between two points, on the straight line that joins them."""
        back, steps = alpha < 0, abs(alpha) * self._steps_per_alpha
        whole = int(steps + _ROUNDING)
        point, rest = self._point(whole, back), steps - whole
        if rest > _ROUNDING:
            # Not lerp, whose last elements, and so those of another row in another batch, may round differently.
            point = point + rest * (self._point(whole + 1, back) - point)
        return point - self._points[back][0]

    def _point(self, number: int, back: bool) -> Tensor:
        points = self._points[back]
        while len(points) <= number:
            # Row by row: a matrix product may round a row differently in another batch (law 1).
            points.append(torch.cat([self._step(row, back) for row in points[-1].split(1)]))
        return points[number]


def check_steps(direction: str, sliders: Sequence[Slider], steps_per_alpha: float) -> None:
    """Raises GanError for a slider whose limit is more than MOST_STEPS away."""
    for slider in sliders:
        steps = max(map(abs, slider.limit)) * steps_per_alpha
        if not steps <= MOST_STEPS:
            what = f"limit of slider {slider.name!r} of direction {direction!r}"
            raise GanError(f"{what} is {steps:g} steps away: it must be at most {MOST_STEPS}")
