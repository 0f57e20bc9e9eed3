"""Edits that a caller defines by a matrix."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import torch
from torch import Tensor

from latentwalk.gan.edits.colours import check_colour, mix
from latentwalk.gan.edits.edit import Edit
from latentwalk.gan.edits.laws import uniform
from latentwalk.gan.edits.table import EDITS
from latentwalk.gan.edits.warps import project
from latentwalk.gan.errors import GanError

# The greatest norm of amount * generator: e^8 is a zoom by 3,000, and more than a whole turn.
_FURTHEST = 8.0


@dataclass(frozen=True)
class CustomEdit:
    """The one-parameter group exp(amount * generator): amount 0 changes nothing, a walk along it is straight.

    Raises GanError for a kind that is not in SHAPES, for a matrix that has not its shape, is not finite or nothing
    but zeros, and for a name that is empty or that of an edit in EDITS.
    """

    name: str
    unit: str
    """For people."""
    kind: str
    """"affine" (2 x 3) moves pixels (x, y, 1), in half sides of the picture from its centre, x to the right and y down;
    "homography" (3 x 3) the same in homogeneous coordinates; "colour" (3 x 4) moves colours (red, green, blue, 1)
    in the range -1 to 1."""
    matrix: tuple[tuple[float, ...], ...]
    """The generator: what an amount of 1 does, to first order."""

    def __post_init__(self) -> None:
        if not self.name or self.name in EDITS:
            raise GanError(f"name of a custom edit is {self.name!r}: it must be none of {', '.join(EDITS)}, nor empty")
        if self.kind not in SHAPES:
            raise GanError(f"kind of edit {self.name!r} is {self.kind!r}: use one of {', '.join(SHAPES)}")
        rows, columns = SHAPES[self.kind]
        if [len(row) for row in self.matrix] != [columns] * rows:
            shape = [len(row) for row in self.matrix]
            raise GanError(f"matrix of edit {self.name!r} has rows of {shape}: it must be {rows} x {columns}")
        numbers = [number for row in self.matrix for number in row]
        if not all(map(math.isfinite, numbers)) or not any(numbers):
            raise GanError(f"matrix of edit {self.name!r} is {self.matrix}: it must be finite, and not all zeros")

    @classmethod
    def from_entries(cls, name: str, unit: str, kind: str, entries: Sequence[float]) -> Self:
        """The edit of a matrix that is given row after row. Raises GanError."""
        rows, columns = SHAPES.get(kind, (1, len(entries)))
        if len(entries) != rows * columns:
            problem = f"has {len(entries)} entries: {kind} needs {rows} x {columns} = {rows * columns}"
            raise GanError(f"matrix of edit {name!r} {problem}")
        matrix = tuple(tuple(map(float, entries[row * columns : (row + 1) * columns])) for row in range(rows))
        return cls(name, unit, kind, matrix)

    @cached_property
    def edit(self) -> Edit:
        """The edit, as those in EDITS. Its domain ends where nothing of any picture is left."""
        square = torch.eye(len(self.matrix[0]), dtype=torch.float64)
        square[: len(self.matrix)] = torch.tensor(self.matrix, dtype=torch.float64)
        if len(self.matrix) < len(square):
            square[-1] = 0
        furthest = _FURTHEST / float(torch.linalg.matrix_norm(square, ord=1))

        def transform(pictures: Tensor, amounts: Tensor) -> tuple[Tensor, Tensor]:
            return _APPLY[self.kind](pictures, square.to(pictures.device) * amounts.double()[:, None, None])

        domain = (-furthest, furthest)
        return Edit(self.name, self.unit, domain, default_range=lambda _: domain, transform=transform, law=uniform)


def _move(pictures: Tensor, exponents: Tensor) -> tuple[Tensor, Tensor]:
    """Moves pixels by exp(exponents [N, 3, 3]): a pixel of the target comes from where the inverse says."""
    return project(pictures, torch.matrix_exp(-exponents))


def _recolour(pictures: Tensor, exponents: Tensor) -> tuple[Tensor, Tensor]:
    """Moves colours by exp(exponents [N, 4, 4])."""
    check_colour(pictures)
    moves = torch.matrix_exp(exponents).to(pictures)
    target = mix(pictures, moves[:, :3, :3]) + moves[:, :3, 3, None, None]
    return target, torch.ones_like(pictures[:, :1])


SHAPES: Mapping[str, tuple[int, int]] = {"affine": (2, 3), "homography": (3, 3), "colour": (3, 4)}
"""The rows and columns of a matrix of each kind."""

_APPLY: Mapping[str, Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]] = {
    "affine": _move,
    "homography": _move,
    "colour": _recolour,
}
