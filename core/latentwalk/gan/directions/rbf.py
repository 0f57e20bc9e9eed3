"""The RBF form: a curved path, along the gradient of a landscape over the latent space."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from latentwalk.gan.directions.direction import Direction, Path
from latentwalk.gan.directions.stepped import SteppedPath, check_steps
from latentwalk.gan.errors import GanError
from latentwalk.gan.spec import JsonObject


def unit_gradient(code: Tensor, supports: Tensor, weights: Tensor, gammas: Tensor) -> Tensor:
    """The gradient of f(z) = sum over p of b_p exp(-gamma_p |z - s_p|^2), brought to length 1.

    Tzelepis, Tzimiropoulos and Patras, "WarpedGANSpace" (ICCV 2021), equation 2. code: [N, D]; supports s: [N, P,
    D] or [P, D]; weights b and gammas: [N, P] or [P]. Returns [N, D]; zeros where the landscape is flat. What is
    common to all terms is left out before the exponential, so that no distance is too far.
    """
    away = code[:, None] - supports  # [N, P, D]
    exponents = -gammas * away.square().sum(dim=2)
    nearness = (exponents - exponents.amax(dim=1, keepdim=True)).exp()
    gradient = -((weights * gammas * nearness)[:, None] @ away)[:, 0]
    length = gradient.norm(dim=1, keepdim=True)
    return gradient / length.where(length > 0, 1)


@dataclass(frozen=True, eq=False)
class RbfDirection(Direction):
    """Paths that follow, or for an alpha below 0 climb down, the gradient of a landscape of their own (Tzelepis et
    al. 2021): steps of length ``step``, the last one shorter; alpha = 1 is ``reach`` far.
    """

    supports: Tensor
    """float32 [S, P, D]: the support vectors of each slider."""
    weights: Tensor
    """float32 [S, P]."""
    gammas: Tensor
    """float32 [S, P], above 0: how steep the landscape is about each support vector."""
    step: float
    """How long a step is, in the units of the space."""
    reach: float = 1.0
    """How long the path to alpha = 1 is, in the units of the space."""

    form: ClassVar[str] = "rbf"
    is_dear: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_tensor("supports", self.supports, len(self.sliders), "P", "D")
        for name in ("weights", "gammas"):
            self._check_tensor(name, getattr(self, name), *self.supports.shape[:2])
        if not (self.gammas > 0).all():
            raise GanError(f"gammas of direction {self.name!r} have a least of {self.gammas.min()}: it must be above 0")
        for name in ("step", "reach"):
            if not 0 < getattr(self, name) < math.inf:
                raise GanError(f"{name} of direction {self.name!r} is {getattr(self, name)!r}: it must be above 0")
        check_steps(self.name, self.sliders, self.reach / self.step)

    @property
    def size(self) -> int:
        """D: how many numbers of a code it moves."""
        return self.supports.shape[2]

    @property
    def tensors(self) -> Mapping[str, Tensor]:
        """The landscapes."""
        return {name: getattr(self, name) for name in ("supports", "weights", "gammas")}

    @property
    def rows(self) -> Mapping[str, Tensor]:
        """The landscapes."""
        return self.tensors

    def turned_rows(self) -> Mapping[str, Tensor]:
        """The landscapes upside down."""
        return {**self.tensors, "weights": -self.weights}

    @property
    def config(self) -> JsonObject:
        """{"step", "reach"}."""
        return {"step": self.step, "reach": self.reach}

    def _flat_path(self, start: Tensor, slider: int) -> Path:
        landscape = [one[slider].to(start) for one in (self.supports, self.weights, self.gammas)]

        def step(row: Tensor, back: bool) -> Tensor:
            return row + (-self.step if back else self.step) * unit_gradient(row, *landscape)

        return Path(SteppedPath(start, step, self.reach / self.step).shift)
