"""The walks that are trained: how they move rows of codes, and the directions that they become.

Shapes: N rows, S sliders, D numbers of a code that are moved.
"""

import math
from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor, nn

from latentwalk.gan.directions import Direction, IteratedDirection, LinearDirection
from latentwalk.gan.directions.iterated import advance, renormalise


class TrainedWalk(nn.Module, ABC):
    """A bank of walks, one a slider; at first they lead nowhere."""

    @abstractmethod
    def forward(self, rows: Tensor, slider: int, alphas: Tensor) -> Tensor:
        """Moves rows [N, D] along one slider by alphas [N], which are on the CPU, wherever the rows are."""

    @abstractmethod
    def direction(self, **common: Any) -> Direction:
        """The direction that walks alike; `common` are the fields of every form."""


class LinearWalk(TrainedWalk):
    """Row + alpha w, with one vector w [D] for each slider."""

    def __init__(self, sliders: int, size: int) -> None:
        super().__init__()
        self.vectors = nn.Parameter(torch.zeros(sliders, size))

    def forward(self, rows: Tensor, slider: int, alphas: Tensor) -> Tensor:
        """As TrainedWalk.forward."""
        return rows + alphas.to(rows)[:, None] * self.vectors[slider]

    def direction(self, **common: Any) -> Direction:
        """A linear direction."""
        return LinearDirection(vectors=self.vectors.detach().clone(), **common)


class NonlinearWalk(TrainedWalk):
    """A two-layer network applied step by step, `steps` times at alpha = 1, with weights of their own for either sign.

    As IteratedDirection, whose points it goes through; between two of them it goes straight. The first layer begins
    with the paper's normal weights of deviation 0.05, which follow from the job's seed, the second with none, so that
    the walk begins at its start. A w is not truncated on its way: psi is 1 in every setting of the paper's code.
    """

    def __init__(self, sliders: int, size: int, steps: int, centre: Tensor | None, job_seed: int) -> None:
        """`centre` [D] is the mean w for walks in w and w+, None in z."""
        super().__init__()
        self._steps = steps
        self._centre = centre
        draw = torch.Generator().manual_seed(job_seed)
        self.inner = nn.Parameter(0.05 * torch.randn(sliders, 2, size, size, generator=draw))
        self.inner_bias = nn.Parameter(torch.zeros(sliders, 2, size))
        self.outer = nn.Parameter(torch.zeros(sliders, 2, size, size))
        self.outer_bias = nn.Parameter(torch.zeros(sliders, 2, size))

    def forward(self, rows: Tensor, slider: int, alphas: Tensor) -> Tensor:
        """As TrainedWalk.forward."""
        moved = rows.clone()
        for sign, chosen in enumerate((alphas > 0, alphas < 0)):
            if chosen.any():
                moved[chosen] = self._along(rows[chosen], slider, sign, alphas[chosen].abs() * self._steps)
        return moved

    def direction(self, **common: Any) -> Direction:
        """An iterated direction."""
        weights = {name: parameter.detach().clone() for name, parameter in self.named_parameters()}
        return IteratedDirection(steps=self._steps, centre=self._centre, **weights, **common)

    def _along(self, rows: Tensor, slider: int, sign: int, positions: Tensor) -> Tensor:
        """Where rows [N, D] are at their positions [N], counted in steps, on one side of one slider."""
        weights = [one[slider, sign] for one in (self.inner, self.inner_bias, self.outer, self.outer_bias)]
        points = [rows]
        for _ in range(math.ceil(positions.max().item())):
            stepped = advance(points[-1], *weights)
            points.append(renormalise(stepped, rows) if self._centre is None else stepped)
        reached = torch.stack(points)  # [steps + 1, N, D]
        before = positions.floor().long().clamp(max=len(points) - 2)
        each = torch.arange(len(rows))
        start, end = reached[before, each], reached[before + 1, each]
        return start + (positions - before).to(rows)[:, None] * (end - start)
