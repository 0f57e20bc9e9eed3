"""Paths of many small steps."""

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch
from torch import Tensor

from latentwalk.gan.directions.slider import Slider
from latentwalk.gan.errors import GanError
from latentwalk.gan.steps import Steps

Step: TypeAlias = Callable[[Tensor, bool], Tensor]
"""From a row [1, D], and whether it goes back, to where the row is after one step [1, D]."""

_Point: TypeAlias = tuple[int, Tensor]
"""How many steps lead to it, and where the rows [R, D] are then."""

MOST_STEPS = 256
"""The most steps from the start to the limit of a slider, so that a path and its memory are bounded."""

KEPT_NUMBERS = 1 << 22
"""About how many numbers a path keeps of its points, either way: 16 MiB. 256 points of 32 rows of z have a quarter."""

# Of a step: a position as close as this to a point is at the point, and no step is taken beyond it for nothing.
_ROUNDING = 1e-9


class SteppedPath:
    """The polylines through the points that rows [R, D] reach step by step, either way. For any thread.

    It keeps the two points that were reached last, between which the next alpha of a walk is, and each point of few
    numbers, so that an alpha costs only the steps beyond the furthest one before; of points of many numbers, as 64 rows
    of w+ have, only one in so many.
    """

    def __init__(self, start: Tensor, step: Step, steps_per_alpha: float, kept_numbers: int = KEPT_NUMBERS) -> None:
        self._start = start
        self._step = step
        self._steps_per_alpha = steps_per_alpha
        self._stride = math.ceil(MOST_STEPS * start.numel() / kept_numbers)
        # Whoever has several points at once may reach them in several threads: each finds the same bits.
        self._kept = {back: {0: start} for back in (False, True)}
        self._last: dict[bool, tuple[_Point, _Point]] = dict.fromkeys(self._kept, ((0, start), (0, start)))

    def shift(self, alpha: float) -> Steps[Tensor]:
        """The shift [R, D] of the rows at this alpha; between two points, on the straight line that joins them.

        Each step of the result is one of one row.
        """
        back, whole, rest = self._place(alpha)
        point = yield from self._reach(back, whole)
        if rest > _ROUNDING:
            # Not lerp, whose last elements, and so those of another row in another batch, may round differently.
            point = point + rest * ((yield from self._reach(back, whole + 1)) - point)
        return point - self._start

    def _reach(self, back: bool, number: int) -> Steps[Tensor]:
        """A point, from the nearest one before it that is kept."""
        reached, point = self._before(back, number)
        while reached < number:
            rows: list[Tensor] = []
            # Row by row: a matrix product may round a row differently in another batch (law 1).
            for row in point.split(1):
                rows.append(self._step(row, back))
                yield
            reached, point = reached + 1, torch.cat(rows)
            self._last[back] = self._last[back][1], (reached, point)
            if reached % self._stride == 0:
                self._kept[back][reached] = point
        return point

    def _before(self, back: bool, number: int) -> _Point:
        """The nearest point kept of those up to this one."""
        kept, candidate = self._kept[back], number - number % self._stride
        while candidate not in kept:
            candidate -= self._stride
        points = [(candidate, kept[candidate]), *(point for point in self._last[back] if point[0] <= number)]
        return max(points, key=lambda point: point[0])

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
