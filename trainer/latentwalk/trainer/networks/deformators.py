"""Maps from a shift along one of K axes to a shift in latent space, most of them trained; each ends in a direction."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from latentwalk.gan.directions import DeformedDirection, Direction, LinearDirection, RbfDirection
from latentwalk.gan.directions.deformed import DeformingNetwork
from latentwalk.gan.directions.rbf import unit_gradient

Constraint: TypeAlias = Callable[[Tensor], Tensor]
"""From any matrix [..., Z, K] to the nearest of its kind, differentiably."""

RBF_STEPS = 16
"""How many steps of the greatest trained length a curved path is made of: each was trained, wherever it begins."""
_RADII = 1.0, 4.0
"""How far from the origin the dipoles of the first and of the last function are at first, as in WarpedGANSpace."""


class Deformator(nn.Module, ABC):
    """A map from axes and amounts to shifts of codes: z, or w, here too of Z numbers."""

    @abstractmethod
    def forward(self, z: Tensor, axes: Tensor, amounts: Tensor) -> Tensor:
        """The shifts [N, Z] of z [N, Z] for amounts [N], each along one of the axes 0 to K - 1, int64 [N]."""

    def reach(self, scale: float) -> float:
        """How far a slider leads as it was trained, if ``scale`` was the greatest amount; in the same units."""
        return scale

    @abstractmethod
    def direction(self, scale: float, **common: Any) -> Direction:
        """What was learned, one slider an axis; its alpha is the amount. ``common`` are the fields of every form."""


class Matrix(Deformator):
    """Straight: the shift is amount times the column of the axis."""

    @abstractmethod
    def columns(self) -> Tensor:
        """The matrix [Z, K]."""

    def forward(self, z: Tensor, axes: Tensor, amounts: Tensor) -> Tensor:
        """As Deformator."""
        return amounts[:, None] * self.columns().T[axes]

    def direction(self, scale: float, **common: Any) -> Direction:
        """Linear."""
        return LinearDirection(vectors=self.columns().detach().T.contiguous(), **common)


class Learned(Matrix):
    """Of any kind of matrices. At first the columns are those of the identity."""

    def __init__(self, size: int, axes: int, constraint: Constraint) -> None:
        super().__init__()
        # More columns than the identity has are drawn: from a column of 0, no direction can be told.
        more = F.normalize(torch.randn(size, max(0, axes - size)), dim=0)
        self.raw = nn.Parameter(torch.cat([torch.eye(size, min(axes, size)), more], dim=1))
        self._constraint = constraint

    def columns(self) -> Tensor:
        """As Matrix."""
        return self._constraint(self.raw)


class Fixed(Matrix):
    """Not trained: what Voynov and Babenko compare with what is learned (section 4)."""

    drawn: Tensor

    def __init__(self, columns: Tensor) -> None:
        super().__init__()
        self.register_buffer("drawn", columns)

    def columns(self) -> Tensor:
        """As Matrix."""
        return self.drawn


class Network(Deformator):
    """The network of four layers of Voynov and Babenko; batch normalisation wants two rows or more."""

    def __init__(self, size: int, axes: int) -> None:
        super().__init__()
        self.network = DeformingNetwork(axes, size)
        self._axes = axes

    def forward(self, z: Tensor, axes: Tensor, amounts: Tensor) -> Tensor:
        """As Deformator."""
        return self.network(amounts[:, None] * F.one_hot(axes, self._axes))

    def direction(self, scale: float, **common: Any) -> Direction:
        """Deformed."""
        return DeformedDirection(deformator=self.network.eval(), **common)


class Landscapes(Deformator):
    """A step of this length up or down the gradient of the axis's own landscape (WarpedGANSpace, section 3.2).

    Each landscape is a sum of dipoles: two support vectors, at first opposite each other, with weights 1 and -1. Only
    the support vectors are trained; all functions have the width gamma = 1 / Z.
    """

    weights: Tensor
    gammas: Tensor

    def __init__(self, size: int, axes: int, dipoles: int) -> None:
        super().__init__()
        radii = torch.linspace(*_RADII, axes)[:, None, None]
        poles = radii * F.normalize(torch.randn(axes, dipoles, size), dim=2)
        self.supports = nn.Parameter(torch.cat([poles, -poles], dim=1))  # [K, 2 D, Z]
        self.register_buffer("weights", torch.tensor([1.0, -1.0]).repeat_interleave(dipoles).repeat(axes, 1))
        self.register_buffer("gammas", torch.full((axes, 2 * dipoles), 1 / size))

    def forward(self, z: Tensor, axes: Tensor, amounts: Tensor) -> Tensor:
        """As Deformator."""
        return amounts[:, None] * unit_gradient(z, self.supports[axes], self.weights[axes], self.gammas[axes])

    def reach(self, scale: float) -> float:
        """Many steps."""
        return RBF_STEPS * scale

    def direction(self, scale: float, **common: Any) -> Direction:
        """Curved: made of steps as long as the longest that was trained."""
        landscapes = {"supports": self.supports.detach().clone(), "weights": self.weights, "gammas": self.gammas}
        return RbfDirection(**landscapes, step=scale, **common)


def orthonormal(columns: Tensor) -> Tensor:
    """The orthonormal factor [..., Z, K] of columns [..., Z, K], K <= Z, of their QR decomposition.

    It is the one for which R has a positive diagonal, so that it changes as smoothly as the columns do; and it is
    computed in float64, so that it is orthonormal to the last bits of float32.
    """
    q, r = torch.linalg.qr(columns.double())
    signs = torch.where(r.diagonal(dim1=-2, dim2=-1) < 0, -1.0, 1.0)
    return (q * signs[..., None, :]).to(columns)


def apart_from(bank: Tensor, columns: Tensor) -> Tensor:
    """The orthonormal factor [..., Z, K] of what of columns [..., Z, K] is orthogonal to an orthonormal bank [Z, K].

    The part within the bank is taken away twice: once leaves a rounding error as large as the part was.
    """
    bank, rest = bank.double(), columns.double()
    for _ in range(2):
        rest = rest - bank @ (bank.T @ rest)
    return orthonormal(rest).to(columns)


CONSTRAINTS: Mapping[str, Constraint] = {
    "linear": lambda columns: columns,
    "orthonormal": orthonormal,
    "projective": lambda columns: F.normalize(columns, dim=-2),
}
"""By the name of the straight deformators that are trained."""

FIXED: Mapping[str, Callable[[int, int], Tensor]] = {
    # The factor of a normal matrix is uniform among the matrices with orthonormal columns.
    "random": lambda size, axes: orthonormal(torch.randn(size, axes)),
    "coordinate": torch.eye,
}
"""By the name of those that are not: from Z and K to the matrix."""


def build_deformator(kind: str, size: int, axes: int, dipoles: int) -> Deformator:
    """A deformator with fresh weights, by its name in the spec of a job."""
    if kind in CONSTRAINTS:
        return Learned(size, axes, CONSTRAINTS[kind])
    if kind in FIXED:
        return Fixed(FIXED[kind](size, axes))
    return Landscapes(size, axes, dipoles) if kind == "rbf" else Network(size, axes)
