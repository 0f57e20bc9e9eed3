"""The linear form."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from latentwalk.gan.directions.direction import Direction, Path


@dataclass(frozen=True, eq=False)
class LinearDirection(Direction):
    """A bank of straight directions: code + alpha w (Jahanian et al. 2020, section 3)."""

    vectors: Tensor
    """float32 [S, D]: row s is w of slider s."""

    form: ClassVar[str] = "linear"

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_tensor("vectors", self.vectors, len(self.sliders), "D")

    @property
    def size(self) -> int:
        """D: how many numbers of a code it moves."""
        return self.vectors.shape[1]

    @property
    def tensors(self) -> Mapping[str, Tensor]:
        """{"vectors"}."""
        return {"vectors": self.vectors}

    @property
    def rows(self) -> Mapping[str, Tensor]:
        """{"vectors"}."""
        return self.tensors

    def turned_rows(self) -> Mapping[str, Tensor]:
        """The opposite vectors."""
        return {"vectors": -self.vectors}

    def _flat_path(self, start: Tensor, slider: int) -> Path:
        vector = self.vectors[slider].to(start)
        return Path.at_once(lambda alpha: alpha * vector)

    def move(self, code: Tensor, alphas: Tensor) -> Tensor:
        """Moves rows [N, D] by alphas [N, S]: code + sum of alpha_s w_s; a row is the same bits in any batch."""
        # Not alphas @ vectors: a matrix product may round a row differently in another batch (law 1).
        for alpha, vector in zip(alphas.unbind(dim=1), self.vectors.to(code), strict=True):
            code = code + alpha[:, None] * vector
        return code
