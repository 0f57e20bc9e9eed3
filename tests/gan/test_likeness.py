"""Distances between sets of pictures, against laws of which they are known, and against other arithmetic."""

import numpy as np
import pytest
import scipy.linalg
import torch
from sklearn.metrics.pairwise import polynomial_kernel

from latentwalk.gan.likeness import Moments, frechet_distance, kernel_distance


def corners(mean: float, scale: float) -> torch.Tensor:
    """Eight rows whose mean and covariance are exact: at the corners of a cube."""
    cube = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0], dtype=torch.float64)] * 3)
    return mean + scale * cube


def drawn(seed: int, rows: int, features: int = 5) -> torch.Tensor:
    return torch.randn(rows, features, generator=torch.Generator().manual_seed(seed))


def frechet(one: torch.Tensor, other: torch.Tensor) -> float:
    return frechet_distance(Moments.of(one), Moments.of(other))


def test_the_frechet_distance_is_that_of_the_means_and_of_the_spreads():
    assert frechet(corners(0, 1), corners(0, 1)) == pytest.approx(0, abs=1e-12)
    assert frechet(corners(0, 1), corners(2, 1)) == pytest.approx(3 * 2**2)
    # Between N(0, s^2) and N(0, t^2) it is (s - t)^2 in each of 3 dimensions; the sample variance of a corner is 8/7.
    assert frechet(corners(0, 1), corners(0, 3)) == pytest.approx(3 * (3 - 1) ** 2 * 8 / 7)


def test_the_frechet_distance_knows_that_features_may_be_turned():
    turn, _ = torch.linalg.qr(drawn(0, 3, 3).double())
    one = corners(0, 1) * torch.tensor([1.0, 2.0, 3.0])
    assert frechet(one, one @ turn) > 0.1
    assert frechet(one @ turn, one @ turn) == pytest.approx(0, abs=1e-9)


def test_the_frechet_distance_is_that_of_the_root_of_scipy():
    one, other = drawn(0, 40), drawn(1, 30) @ drawn(2, 5) + 1
    means, covariances = ([f(some.double().numpy()) for some in (one, other)] for f in (_mean, _covariance))
    root = np.real(scipy.linalg.sqrtm(covariances[0] @ covariances[1]))
    plain = np.sum((means[0] - means[1]) ** 2) + np.trace(covariances[0] + covariances[1] - 2 * root)
    assert frechet(one, other) == pytest.approx(plain)
    assert frechet(other, one) == pytest.approx(plain)


def test_features_that_hang_together_are_no_difference():
    """A covariance without full rank has roots of rounding errors, which many features would add up."""
    one = drawn(0, 50).double() @ drawn(2, 5, 200).double()
    assert frechet(one, one.flip(0)) == pytest.approx(0, abs=1e-9)
    assert frechet(one, one + 0.001) == pytest.approx(200 * 0.001**2)


def test_moments_are_the_same_in_whatever_batches_they_are_gathered():
    features = 100 + drawn(0, 57)
    moments = Moments(5)
    for some in features.split([1, 20, 2, 34]):
        moments.add(some)
    torch.testing.assert_close(moments.mean, features.double().mean(dim=0))
    torch.testing.assert_close(moments.covariance, torch.cov(features.double().T))
    moments.reset()
    moments.add(features[:9])
    torch.testing.assert_close(moments.covariance, torch.cov(features[:9].double().T))


def test_the_kernel_distance_is_that_of_the_kernel_of_scikit_learn():
    one, other = drawn(0, 7).double().numpy(), drawn(1, 9).double().numpy() + 0.5
    within = [polynomial_kernel(some, degree=3, gamma=1 / 5, coef0=1) for some in (one, other)]
    plain = [(kernel.sum() - np.trace(kernel)) / (len(kernel) * (len(kernel) - 1)) for kernel in within]
    between = polynomial_kernel(one, other, degree=3, gamma=1 / 5, coef0=1).mean()
    expected = sum(plain) - 2 * between
    assert kernel_distance(torch.from_numpy(one), torch.from_numpy(other)) == pytest.approx(expected)


def test_the_kernel_distance_of_two_points_each_is_what_one_works_out_by_hand():
    """In one dimension: k(1, 1) = 8, k(-1, 1) = 0 and k(0, x) = 1."""
    ends, middle = torch.tensor([[1.0], [-1.0]]), torch.zeros(2, 1)
    assert kernel_distance(ends, middle) == pytest.approx(0 + 1 - 2 * 1)
    assert kernel_distance(torch.ones(2, 1), -torch.ones(2, 1)) == pytest.approx(8 + 8 - 2 * 0)


def test_the_kernel_distance_is_the_mean_over_blocks_and_without_bias():
    one, other = drawn(0, 4_000), drawn(1, 4_000)
    blocks = zip(one.split(500), other.split(500), strict=True)
    whole = [kernel_distance(some, others, block=500) for some, others in blocks]
    assert kernel_distance(one, other, block=500) == pytest.approx(np.mean(whole))
    assert kernel_distance(one, other) == kernel_distance(one, other, block=1_000), "as in the code of the paper"
    error = np.std(whole) / len(whole) ** 0.5
    assert abs(np.mean(whole)) < 4 * error  # of one law: 0 but for chance
    assert np.mean([kernel_distance(some, 1.3 * some) for some in one.split(500)]) > 10 * error


def _mean(features: np.ndarray) -> np.ndarray:
    return features.mean(axis=0)


def _covariance(features: np.ndarray) -> np.ndarray:
    return np.cov(features.T)
