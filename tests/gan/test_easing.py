"""Easings: when, but not where."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentwalk.gan.easing import EASINGS

fractions = st.floats(0, 1)


@pytest.mark.parametrize("easing", EASINGS.values(), ids=EASINGS)
@given(fractions, fractions)
@settings(deadline=None, max_examples=60)
def test_an_easing_rises_from_0_to_1(easing, s: float, t: float) -> None:
    assert (easing(0.0), easing(1.0)) == (0.0, 1.0)
    assert easing(min(s, t)) <= easing(max(s, t)) + 1e-12
    assert 0 <= easing(t) <= 1


@given(fractions)
@settings(deadline=None, max_examples=30)
def test_easing_out_is_easing_in_backwards_and_in_out_is_its_own_mirror(t: float) -> None:
    assert EASINGS["ease_out"](t) == pytest.approx(1 - EASINGS["ease_in"](1 - t))
    assert EASINGS["ease_in_out"](t) == pytest.approx(1 - EASINGS["ease_in_out"](1 - t))


def test_easing_in_starts_slowly_and_easing_out_ends_slowly() -> None:
    assert EASINGS["ease_in"](0.1) < 0.1 < EASINGS["ease_out"](0.1)
    assert EASINGS["ease_in_out"](0.1) < 0.1
    assert EASINGS["ease_in_out"](0.9) > 0.9
