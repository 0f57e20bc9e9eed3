"""How like two sets of pictures are, by the features that a network sees in them.

Shapes: N and M pictures, F features.
"""

from typing import Self

import torch
from torch import Tensor, nn

BLOCK = 1_000
"""Pictures of either set in a block of the kernel distance, as in the code of its paper."""


class Moments(nn.Module):
    """Mean and covariance of features, gathered batch by batch in float64, on the CPU (Chan et al. 1979)."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.count: Tensor
        self.mean: Tensor
        self.scatter: Tensor
        self.register_buffer("count", torch.zeros((), dtype=torch.float64))
        self.register_buffer("mean", torch.zeros(features, dtype=torch.float64))
        self.register_buffer("scatter", torch.zeros(features, features, dtype=torch.float64))

    @classmethod
    def of(cls, features: Tensor) -> Self:
        """Those of all features [N, F] at once."""
        moments = cls(features.shape[1])
        moments.add(features)
        return moments

    def add(self, features: Tensor) -> None:
        """Takes more features [N, F] in."""
        features = features.cpu().double()
        total, mean = self.count + len(features), features.mean(dim=0)
        apart, centred = mean - self.mean, features - mean
        self.scatter += centred.T @ centred + self.count * len(features) / total * torch.outer(apart, apart)
        self.mean += len(features) / total * apart
        self.count.copy_(total)

    def reset(self) -> None:
        """Forgets all features."""
        for buffer in self.buffers():
            buffer.zero_()

    @property
    def covariance(self) -> Tensor:
        """Of a sample [F, F]: over N - 1, so of at least 2 features."""
        return self.scatter / (self.count - 1)


def frechet_distance(one: Moments, other: Moments) -> float:
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)) of two sets of features (Heusel et al. 2017, equation 6).

    The squared distance of Wasserstein between the normal laws of these moments, at least 0. It has a bias: of fewer
    pictures it is greater, also between sets of one law. The FID of papers takes the features of Inception v3.
    """
    roots = [_root(some.covariance) for some in (one, other)]
    # C1 C2 has the eigenvalues of (C1^(1/2) C2^(1/2)) times its transpose.
    shared = torch.linalg.svdvals(roots[0] @ roots[1]).sum()
    means = (one.mean - other.mean).square().sum()
    return float((means + one.covariance.trace() + other.covariance.trace() - 2 * shared).clamp(min=0))


def kernel_distance(one: Tensor, other: Tensor, block: int = BLOCK) -> float:
    """The squared maximum mean discrepancy of features [N, F] and [M, F], by the kernel (x.y / F + 1)^3, without bias.

    Binkowski, Sutherland, Arbel and Gretton, "Demystifying MMD GANs" (ICLR 2018), section 4: the mean over blocks, here
    as many as there are blocks of that size in the smaller set, of about equal size, each picture in one. Around 0, and
    so below it, too, for sets of one law. N and M are at least 2. The KID of papers takes the features of Inception v3.
    """
    blocks = max(1, min(len(one), len(other)) // block)
    pairs = zip(one.double().tensor_split(blocks), other.double().tensor_split(blocks), strict=True)
    return torch.stack([_discrepancy(some, others) for some, others in pairs]).mean().item()


def _root(covariance: Tensor) -> Tensor:
    """The symmetric square root of a covariance [F, F]."""
    values, vectors = torch.linalg.eigh(covariance)
    return vectors * values.clamp(min=0).sqrt() @ vectors.T


def _discrepancy(one: Tensor, other: Tensor) -> Tensor:
    within = [_kernel(some, some).fill_diagonal_(0).sum() / (len(some) * (len(some) - 1)) for some in (one, other)]
    return within[0] + within[1] - 2 * _kernel(one, other).mean()


def _kernel(one: Tensor, other: Tensor) -> Tensor:
    return (one @ other.T / one.shape[1] + 1) ** 3
