import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from latentwalk.gan.interpolation import INTERPOLATIONS, lerp, slerp

numbers = st.floats(-100, 100, width=32)
fractions = st.floats(0, 1)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Tensor, Tensor]:
    """Two vectors of one length from 2 on: any, equal, opposite, or zero."""
    a = draw(st.lists(numbers, min_size=2, max_size=6))
    b = draw(st.lists(numbers, min_size=len(a), max_size=len(a)))
    relation = draw(st.sampled_from(["any", "same", "opposite", "scaled", "zero"]))
    related = {"any": b, "same": a, "opposite": [-x for x in a], "scaled": [2 * x for x in a], "zero": [0.0] * len(a)}
    return torch.tensor(a), torch.tensor(related[relation])


@pytest.mark.parametrize("method", INTERPOLATIONS)
@given(pairs())
@settings(deadline=None, max_examples=60)
def test_the_ends_are_hit_exactly(method: str, pair: tuple[Tensor, Tensor]) -> None:
    a, b = pair
    assert torch.equal(INTERPOLATIONS[method](a, b, 0.0), a)
    assert torch.equal(INTERPOLATIONS[method](a, b, 1.0), b)


@given(pairs(), fractions)
@settings(deadline=None, max_examples=100)
def test_slerp_goes_from_one_length_to_the_other(pair: tuple[Tensor, Tensor], t: float) -> None:
    a, b = pair
    length = (1 - t) * a.norm().item() + t * b.norm().item()
    assert slerp(a, b, t).norm().item() == pytest.approx(length, rel=1e-5, abs=1e-5)


@given(pairs(), fractions)
@settings(deadline=None, max_examples=100)
def test_slerp_goes_back_the_way_it_came(pair: tuple[Tensor, Tensor], t: float) -> None:
    a, b = pair
    cosine = torch.cosine_similarity(a.double(), b.double(), dim=0).item()
    if cosine > -0.999:  # between opposite vectors there are many ways, and each end chooses its own
        torch.testing.assert_close(slerp(a, b, t), slerp(b, a, 1 - t), rtol=1e-4, atol=1e-4)


@given(fractions, st.floats(0.01, 3.1))
@settings(deadline=None, max_examples=60)
def test_slerp_turns_at_constant_speed(t: float, omega: float) -> None:
    a, b = torch.tensor([1.0, 0.0]), torch.tensor([math.cos(omega), math.sin(omega)])
    expected = torch.tensor([math.cos(t * omega), math.sin(t * omega)])
    torch.testing.assert_close(slerp(a, b, t), expected, rtol=0, atol=1e-5)


def test_slerp_is_shoemakes_formula_between_unit_vectors() -> None:
    generator = torch.Generator().manual_seed(0)
    a, b = torch.nn.functional.normalize(torch.randn(2, 50, 100, generator=generator, dtype=torch.float64), dim=-1)
    omega = torch.arccos((a * b).sum(-1, keepdim=True))
    for t in (0.1, 0.5, 0.9):
        formula = (torch.sin((1 - t) * omega) * a + torch.sin(t * omega) * b) / torch.sin(omega)
        torch.testing.assert_close(slerp(a, b, t), formula)


def test_slerp_between_opposite_vectors_takes_half_a_circle() -> None:
    a = torch.tensor([3.0, 0.0, 0.0])
    middle = slerp(a, -a, 0.5)
    assert middle.norm().item() == pytest.approx(3)
    assert (middle @ a).item() == pytest.approx(0, abs=1e-6)


def test_slerp_with_a_zero_vector_only_changes_the_length() -> None:
    b = torch.tensor([3.0, 4.0])
    torch.testing.assert_close(slerp(torch.zeros(2), b, 0.5), b / 2)
    torch.testing.assert_close(slerp(b, torch.zeros(2), 0.25), 0.75 * b)
    assert torch.equal(slerp(torch.zeros(2), torch.zeros(2), 0.3), torch.zeros(2))


@pytest.mark.parametrize("method", INTERPOLATIONS)
def test_each_row_has_its_own_time(method: str) -> None:
    blend = INTERPOLATIONS[method]
    a, b = torch.randn(2, 4, 8, generator=torch.Generator().manual_seed(0))
    times = torch.tensor([[0.0], [0.3], [0.7], [1.0]])
    rows = torch.stack([blend(a[row], b[row], times[row].item()) for row in range(4)])
    torch.testing.assert_close(blend(a, b, times), rows)
    assert blend(a, b, times).dtype == torch.float32


def test_lerp_is_the_straight_line() -> None:
    assert lerp(torch.tensor([0.0, 4.0]), torch.tensor([2.0, 0.0]), 0.25).tolist() == [0.5, 3.0]
