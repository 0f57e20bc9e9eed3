"""The iterated form: a network that takes one small step at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn import functional as F

from latentwalk.gan.directions.direction import Direction, Path
from latentwalk.gan.directions.stepped import SteppedPath, check_steps
from latentwalk.gan.errors import GanError
from latentwalk.gan.spec import JsonObject


def advance(code: Tensor, inner: Tensor, inner_bias: Tensor, outer: Tensor, outer_bias: Tensor) -> Tensor:
    """One step of rows [N, D]: F(z) = z + T2(relu(T1 z)), with T1 = (inner [D, D], inner_bias [D]) and T2 = (outer
    [D, D], outer_bias [D]); weights are [outputs, inputs].
    """
    return code + F.linear(F.relu(F.linear(code, inner, inner_bias)), outer, outer_bias)


def renormalise(code: Tensor, start: Tensor) -> Tensor:
    """Rows [N, D] brought back to the lengths of the rows that they started from; a row of zeros stays zero."""
    length = code.norm(dim=1, keepdim=True)
    return code * (start.norm(dim=1, keepdim=True) / length.where(length > 0, 1))


@dataclass(frozen=True, eq=False)
class IteratedDirection(Direction):
    """The nonlinear walk of Jahanian et al. 2020 (section 3, and the code of the paper): a two-layer network,
    applied step by step; alpha = 1 is ``steps`` steps, with weights of their own for either sign.

    After each step a z is brought back to the length that it started with; a w is truncated towards ``centre``
    instead, to centre + truncation (w - centre), as in the code for StyleGAN.
    """

    inner: Tensor
    """float32 [S, 2, D, D]: T1 of each slider, for alpha above and below 0; [outputs, inputs]."""
    inner_bias: Tensor
    """float32 [S, 2, D]."""
    outer: Tensor
    """float32 [S, 2, D, D]: T2."""
    outer_bias: Tensor
    """float32 [S, 2, D]."""
    steps: int
    """How many steps alpha = 1 is."""
    centre: Tensor | None = None
    """float32 [D]: the mean w; needed in w and w+, refused in z."""
    truncation: float = 1.0
    """Psi, from 0 to 1; 1 truncates nothing."""

    form: ClassVar[str] = "iterated"
    is_dear: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        count, size = len(self.sliders), self.inner_bias.shape[-1] if self.inner_bias.ndim else 0
        for name in ("inner", "outer"):
            self._check_tensor(name, getattr(self, name), count, 2, size or "D", size or "D")
            self._check_tensor(f"{name}_bias", getattr(self, f"{name}_bias"), count, 2, size or "D")
        if (self.centre is None) != (self.space == "z"):
            has = "none" if self.centre is None else "one"
            raise GanError(f"direction {self.name!r} in space {self.space} has {has} centre: w has one, z has none")
        if self.centre is not None:
            self._check_tensor("centre", self.centre, size)
        if type(self.steps) is not int or self.steps < 1:
            raise GanError(f"steps of direction {self.name!r} are {self.steps!r}: they must be 1 or more")
        if not 0 <= self.truncation <= 1:
            raise GanError(f"truncation of direction {self.name!r} is {self.truncation!r}: it must be from 0 to 1")
        check_steps(self.name, self.sliders, self.steps)

    @property
    def size(self) -> int:
        """D: how many numbers of a code it moves."""
        return self.inner.shape[-1]

    @property
    def tensors(self) -> Mapping[str, Tensor]:
        """The weights, and the centre if there is one."""
        return self.rows if self.centre is None else {**self.rows, "centre": self.centre}

    @property
    def rows(self) -> Mapping[str, Tensor]:
        """The weights."""
        return {name: getattr(self, name) for name in ("inner", "inner_bias", "outer", "outer_bias")}

    def turned_rows(self) -> Mapping[str, Tensor]:
        """The weights, with those for alpha above and below 0 exchanged."""
        return {name: one.flip(1) for name, one in self.rows.items()}

    @property
    def config(self) -> JsonObject:
        """{"steps", "truncation"}."""
        return {"steps": self.steps, "truncation": self.truncation}

    def _flat_path(self, start: Tensor, slider: int) -> Path:
        # Copied, because how a product rounds depends on where its numbers lie: so a slider walks to the same bits
        # wherever it stands in a bank.
        weights = [tuple(one[slider, sign].to(start, copy=True) for one in self.rows.values()) for sign in (0, 1)]
        centre = None if self.centre is None else self.centre.to(start)

        def step(row: Tensor, back: bool) -> Tensor:
            moved = advance(row, *weights[back])
            # Every step keeps the length of the one before, and so that of the start.
            return renormalise(moved, row) if centre is None else centre + self.truncation * (moved - centre)

        return Path(SteppedPath(start, step, self.steps).shift)
