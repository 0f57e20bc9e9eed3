"""The Frechet distance of the proofs, against Gaussians of which it is known."""

import pytest
import torch

from proofs.likeness import frechet_distance


def features(mean: float, scale: float) -> torch.Tensor:
    """Eight rows whose mean and covariance are exact: at the corners of a cube."""
    corners = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0], dtype=torch.float64)] * 3)
    return mean + scale * corners


def test_it_is_that_of_the_means_and_of_the_spreads():
    assert frechet_distance(features(0, 1), features(0, 1)) == pytest.approx(0, abs=1e-12)
    assert frechet_distance(features(0, 1), features(2, 1)) == pytest.approx(3 * 2**2)
    # Between N(0, s^2) and N(0, t^2) it is (s - t)^2 in each of 3 dimensions; the sample variance of a corner is 8/7.
    assert frechet_distance(features(0, 1), features(0, 3)) == pytest.approx(3 * (3 - 1) ** 2 * 8 / 7)


def test_it_knows_that_features_may_be_turned():
    turn, _ = torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)))
    one = features(0, 1) * torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    assert frechet_distance(one, one @ turn) > 0.1
    assert frechet_distance(one @ turn, one @ turn) == pytest.approx(0, abs=1e-9)
