"""Directions that follow from weights and from statistics, without any training."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

# Of what directions span, axes shorter than this part of the longest are noise.
_LEAST_SIZE = 1e-6


def semantic_factors(weights: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The unit directions [count, Z] that change the first features most, and their eigenvalues [count], falling.

    SeFa (Shen and Zhou 2021, section 3.2): with the weights of each feature, a row of weights [F, Z], brought to length
    1, they are the eigenvectors of A^T A. The paper's code leaves them in whatever order its solver gives; here the
    largest eigenvalue is first. The sign is the one whose largest entry is positive.
    """
    rows = weights.double()
    rows = rows / rows.norm(dim=1, keepdim=True).clamp(min=torch.finfo(torch.float64).tiny)
    values, vectors = torch.linalg.eigh(rows.T @ rows)  # rising
    return _signed(vectors.T.flip(0)[:count]), values.flip(0)[:count]


def latents_of_components(samples: Iterable[tuple[Tensor, Tensor]]) -> Tensor:
    """The unit directions [K, Z] of latent space that explain principal coordinates.

    GANSpace (Haerkoenen et al. 2020, section 3.1): U minimises sum |U x - z|^2 over samples of latents z and their
    coordinates x; its columns, brought to length 1, are the directions. samples: z [N, Z] and x [N, K], some at a time,
    at least one; none of them is kept, however many there are.
    """
    squares = products = torch.zeros((), dtype=torch.float64)
    for z, coordinates in samples:
        x = coordinates.double()
        squares, products = squares + x.T @ x, products + x.T @ z.double()
    # The normal equations, with all coordinates of one size: a component of little variance has as much of a say.
    sizes = squares.diagonal().sqrt()
    sizes = torch.where(sizes > 0, sizes, 1.0)
    solution = torch.linalg.lstsq(squares / sizes.outer(sizes), products / sizes[:, None]).solution / sizes[:, None]
    return (solution / solution.norm(dim=1, keepdim=True)).float()


def project_off(vector: Tensor, others: Tensor) -> Tensor:
    """The unit vector [Z] nearest to `vector` that is at right angles to all `others` [M, Z].

    The conditional manipulation of InterFaceGAN (Shen et al. 2020, section 2.3), for any number of conditions. Zero if
    nothing is left.
    """
    axes, sizes, _ = torch.linalg.svd(others.double().T, full_matrices=False)
    basis = axes[:, sizes > _LEAST_SIZE * sizes.max()]  # [Z, rank]: conditions may say the same
    rest = vector.double() - basis @ (basis.T @ vector.double())
    length = rest.norm()
    return (rest / length if length > 1e-6 * vector.double().norm() else torch.zeros_like(rest)).float()


@dataclass(frozen=True, slots=True)
class Ends:
    """The latents with the lowest and those with the highest scores: rows of the sample."""

    low: Tensor
    high: Tensor


def extremes(scores: Tensor, fraction: float) -> Ends:
    """The `fraction` of the rows of scores [N] at either end; at least 2 each. Ties go by their order in the sample."""
    count = max(2, int(fraction * len(scores)))
    order = scores.argsort(stable=True)
    return Ends(order[:count], order[-count:])


def sides(scores: Tensor) -> Ends:
    """All rows of scores [N] of which there are but two: those with the lower, and those with the higher."""
    return Ends(*(torch.nonzero(scores == end).flatten() for end in (scores.min(), scores.max())))


def _signed(vectors: Tensor) -> Tensor:
    largest = vectors.gather(1, vectors.abs().argmax(dim=1, keepdim=True))
    return (vectors * largest.sign()).float()
