"""Directions without training, against NumPy and scikit-learn."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression

from latentwalk.gan.closed_form import extremes, latents_of_components, project_off, semantic_factors, sides


def test_semantic_factors_are_the_sorted_eigenvectors_of_the_papers_code():
    weights = torch.randn(96, 12, generator=torch.Generator().manual_seed(0))
    vectors, values = semantic_factors(weights, 5)
    columns = weights.T.double().numpy() / np.linalg.norm(weights.double().numpy(), axis=1)  # [Z, F], as in the paper
    expected, directions = np.linalg.eig(columns @ columns.T)
    order = np.argsort(-expected)[:5]
    assert np.allclose(values, expected[order])
    cosines = np.abs((vectors.numpy() * directions[:, order].T).sum(axis=1))
    assert (cosines > 0.999999).all()
    assert (vectors.gather(1, vectors.abs().argmax(dim=1, keepdim=True)) > 0).all()


def test_the_latents_of_components_are_a_regression():
    draw = torch.Generator().manual_seed(1)
    z, x = torch.randn(200, 6, generator=draw), torch.randn(200, 3, generator=draw) * torch.tensor([1e3, 1.0, 1e-3])
    expected = LinearRegression(fit_intercept=False).fit(x.double().numpy(), z.double().numpy()).coef_.T
    vectors = latents_of_components(zip(z.split(70), x.split(70), strict=True))
    assert np.allclose(vectors, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-5)


@given(conditions=st.integers(1, 5), seed=st.integers(0, 100))
def test_what_is_projected_off_is_left_untouched(conditions, seed):
    draw = torch.Generator().manual_seed(seed)
    vector, others = torch.randn(8, generator=draw), torch.randn(conditions, 8, generator=draw)
    rest = project_off(vector, others)
    assert rest.norm().item() == pytest.approx(1, abs=1e-5)
    assert (others @ rest).abs().max() < 1e-5
    assert rest @ vector > 0


def test_conditions_that_say_the_same_twice_take_no_more_away():
    axes = torch.eye(4)
    rest = project_off(axes[1] + axes[2], torch.stack([axes[0], axes[0], 2 * axes[0]]))
    assert torch.allclose(rest, (axes[1] + axes[2]) / 2**0.5)


def test_nothing_is_left_of_what_lies_within_its_conditions():
    assert project_off(torch.tensor([1.0, 2.0, 0.0]), torch.eye(3)[:2]).norm() == 0


def test_the_ends_are_the_lowest_and_the_highest_scores():
    ends = extremes(torch.tensor([3.0, 1.0, 2.0, 5.0, 4.0, 0.0]), 0.34)
    assert (ends.low.tolist(), ends.high.tolist()) == ([5, 1], [4, 3])


def test_there_are_two_rows_at_either_end_however_few_were_asked_for():
    ends = extremes(torch.tensor([3.0, 1.0, 2.0, 5.0]), 0.01)
    assert (ends.low.tolist(), ends.high.tolist()) == ([1, 2], [0, 3])


def test_of_two_scores_every_row_is_on_one_side():
    ends = sides(torch.tensor([2.0, -1.0, 2.0, 2.0, -1.0]))
    assert ends.low.tolist() == [1, 4]
    assert ends.high.tolist() == [0, 2, 3]
