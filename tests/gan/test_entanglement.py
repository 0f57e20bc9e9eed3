"""Measures of entanglement, against what they must be where that is known."""

import math

import numpy as np
import pytest
import torch

from latentwalk.gan.entanglement import STEP, conditional_entropy, margins, path_length, separability


def test_a_path_is_as_long_as_its_pairs_differ_in_the_mean_without_outliers() -> None:
    torch.manual_seed(0)
    distances = torch.rand(1_000) * STEP**2
    spoilt = distances.clone()
    spoilt[:9] = 1e6
    plain = distances.double().numpy() / STEP**2
    low, high = np.percentile(plain, 1, method="lower"), np.percentile(plain, 99, method="higher")
    assert path_length(distances) == pytest.approx(plain[(low <= plain) & (plain <= high)].mean())
    assert path_length(spoilt) == pytest.approx(path_length(distances), rel=0.05)


def test_a_margin_is_the_log_of_the_odds_also_where_a_probability_is_1_in_float() -> None:
    logits = torch.tensor([[2.0, -1.0, 0.5], [60.0, 0.0, 0.0]])
    p = logits[0].double().softmax(dim=0)
    found = margins(logits)
    torch.testing.assert_close(found[0], (p / (1 - p)).log())
    assert found[1, 0].item() == pytest.approx(60 - math.log(2))


def test_classes_that_a_plane_tells_leave_nothing_unsaid_and_others_all() -> None:
    torch.manual_seed(0)
    codes = torch.randn(4_000, 3)
    told = 5 * codes[:, 0] + 2
    assert conditional_entropy(codes, told) == pytest.approx(0, abs=0.02)
    untold = torch.where(torch.arange(4_000) % 4 == 0, 1.0, -1.0)
    share = 1 / 4
    entropy = -share * math.log(share) - (1 - share) * math.log(1 - share)
    assert conditional_entropy(codes, untold) == pytest.approx(entropy, rel=0.02)
    for side in (1, -1):
        assert conditional_entropy(codes, side * (told.abs() + 1)) == 0, "all are on one side"


def test_half_of_the_class_and_half_of_the_others_count_the_surest_first() -> None:
    """Half the class is unsure and lies where the others are: with them, no plane could tell it."""
    torch.manual_seed(0)
    margin = torch.full((1_000,), -9.0)
    margin[:100], margin[100:200] = 9.0, 0.1
    codes = torch.randn(1_000, 2) * 0.1
    codes[:100, 0] += 3
    assert conditional_entropy(codes, margin) == pytest.approx(0, abs=1e-6)
    others = margin.clone()
    others[200:600], codes[200:600, 0] = -0.1, 3.0  # half of the others are unsure, and lie where the class is
    assert conditional_entropy(codes, others) == pytest.approx(0, abs=1e-6)
    codes[200:600] = torch.randn(400, 2) * 0.1
    margin[:100], margin[100:200] = 0.1, 9.0
    assert conditional_entropy(codes, margin) > 0.3


def test_the_score_of_all_classes_is_exp_of_their_sum() -> None:
    assert separability(torch.tensor([0.5, 0.25, 0.0])) == pytest.approx(math.exp(0.75))
    assert separability(torch.zeros(3)) == 1
