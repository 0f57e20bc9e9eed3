"""Paths of many small steps."""

from collections.abc import Callable, Sequence
from threading import Lock
from typing import TypeAlias

import torch
from torch import Tensor

from latentwalk.gan.directions.slider import Slider
from latentwalk.gan.errors import GanError
from latentwalk.gan.steps import Steps, finish

Step: TypeAlias = Callable[[Tensor, bool], Tensor]
"""From a row [1, D], and whether it goes back, to where the row is after one step [1, D]."""

MOST_STEPS = 256
"""The most steps from the start to the limit of a slider, so that a path and its memory are bounded."""

# Of a step: a position as close as this to a point is at the point, and no step is taken beyond it for nothing.
_ROUNDING = 1e-9


class SteppedPath:
    """The polylines through the points that rows [R, D] reach step by step, either way. For any thread.

    Points once reached are kept, so that an alpha costs only the steps beyond the furthest one before.
    """

    def __init__(self, start: Tensor, step: Step, steps_per_alpha: float) -> None:
        self._step = step
        self._steps_per_alpha = steps_per_alpha
        self._points = {back: [start] for back in (False, True)}
        self._turn = Lock()

    def shift(self, alpha: float) -> Tensor:
        """The shift [R, D] of the rows at this alpha; between two points, on the straight line that joins them."""
        finish(self.approach(alpha))
        back, whole, rest = self._place(alpha)
        points = self._points[back]
        point = points[whole]
        if rest > _ROUNDING:
            # Not lerp, whose last elements, and so those of another row in another batch, may round differently.
            point = point + rest * (points[whole + 1] - point)
        return point - points[0]

    def approach(self, alpha: float) -> Steps[None]:
        """Reaches the points about this alpha, a row in each step."""
        back, whole, rest = self._place(alpha)
        points, last = self._points[back], whole + (rest > _ROUNDING)
        while (reached := len(points)) <= last:
            rows: list[Tensor] = []
            # Row by row: a matrix product may round a row differently in another batch (law 1).
            for row in points[reached - 1].split(1):
                rows.append(self._step(row, back))
                yield
            with self._turn:  # whoever else approaches it may have been first
                if len(points) == reached:
                    points.append(torch.cat(rows))

    def _place(self, alpha: float) -> tuple[bool, int, float]:
        """Whether it is on the way back, the point before it, and what part of a step it is beyond that."""
        steps = abs(alpha) * self._steps_per_alpha
        whole = int(steps + _ROUNDING)
        return alpha < 0, whole, steps - whole


def check_steps(direction: str, sliders: Sequence[Slider], steps_per_alpha: float) -> None:
    """Raises GanError for a slider whose limit is more than MOST_STEPS away."""
    for slider in sliders:
        steps = max(map(abs, slider.limit)) * steps_per_alpha
        if not steps <= MOST_STEPS:
            what = f"limit of slider {slider.name!r} of direction {direction!r}"
            raise GanError(f"{what} is {steps:g} steps away: it must be at most {MOST_STEPS}")
