"""How far sliders can go: what follows from rungs that are known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentwalk.gan.limits import RUNGS, above, cut, half_as_good, ladder, rising


def test_a_ladder_has_equal_steps_to_either_limit_without_0():
    rungs = ladder((-3.0, 1.5))
    assert rungs == pytest.approx((-3, -2.5, -2, -1.5, -1, -0.5, 0.25, 0.5, 0.75, 1, 1.25, 1.5))
    assert ladder((0.0, 6.0)) == pytest.approx((1, 2, 3, 4, 5, 6))
    assert ladder((2.0, 6.0)) == pytest.approx((2, 3, 4, 5, 6))
    assert ladder((0.0, 0.0)) == ()


@given(st.floats(-1e6, -1e-6), st.floats(1e-6, 1e6))
def test_a_ladder_ends_at_the_very_limits(low, high):
    rungs = ladder((low, high))
    assert (len(rungs), rungs[0], rungs[-1]) == (2 * RUNGS, low, high)


def test_a_side_is_good_up_to_where_it_is_half_as_good_as_its_best_rung():
    rungs = [(-3.0, 0.1), (-2.0, 0.3), (-1.0, 0.6), (1.0, 0.2), (2.0, 0.4), (3.0, 0.0)]
    # Outward from -1, 0.6 falls to 0.3 at -2. Outward from 2, 0.4 falls along a line to 0.2, half-way to 3.
    assert half_as_good(rungs) == pytest.approx((-2.0, 2.5))


def test_a_side_on_which_nothing_is_gained_is_good_for_nothing():
    assert half_as_good([(-1.0, -0.2), (1.0, 0.5), (2.0, 0.4)]) == (0, 2)
    assert half_as_good([(-1.0, 0.0), (1.0, 0.0)]) == (0, 0)
    assert half_as_good([(1.0, 0.5)]) == (0, 1)
    assert half_as_good([]) == (0, 0)


def test_what_comes_back_beyond_the_first_fall_does_not_count():
    rungs = [(-2.0, 1.0), (-1.0, 0.8), (0.0, 1.0), (1.0, 0.95), (2.0, 0.85), (3.0, 1.0)]
    assert above(rungs, 0.9) == pytest.approx((-0.5, 1.5))
    assert above(rungs, 0.7) == (-2, 3)
    assert above(rungs, 1.1) == (0, 0)


sides = st.lists(st.floats(-1, 1, width=32), min_size=RUNGS, max_size=RUNGS)


@given(sides, sides, st.floats(0.1, 10))
def test_a_slider_of_another_unit_goes_as_far_in_that_unit(down, up, unit):
    alphas = ladder((-1.0, 1.0))
    gains = [*down, *up]
    low, high = half_as_good(list(zip(alphas, gains, strict=True)))
    assert -1 <= low <= 0 <= high <= 1
    far = half_as_good([(unit * alpha, gain) for alpha, gain in zip(alphas, gains, strict=True)])
    assert far == pytest.approx((unit * low, unit * high))
    turned = half_as_good([(-alpha, gain) for alpha, gain in zip(reversed(alphas), reversed(gains), strict=True)])
    assert turned == pytest.approx((-high, -low))


def test_what_rises_is_told_outward_until_a_step_brings_too_little() -> None:
    rungs = [(-2.0, -1.05), (-1.0, -1.0), (0.0, 0.0), (1.0, 0.8), (2.0, 1.5), (3.0, 1.4), (4.0, 3.0)]
    assert rising(rungs, 0.1) == ((-1.0, -1.0), (0.0, 0.0), (1.0, 0.8), (2.0, 1.5))
    assert rising([(0.0, 0.0), (1.0, -0.5)], 0.1) == ((0.0, 0.0),)
    assert rising([(0.0, 0.0), (1.0, float("nan"))], 0.1) == ((0.0, 0.0),)


def test_rungs_are_cut_where_the_line_between_them_is() -> None:
    rungs = ((-1.0, -1.0), (0.0, 0.0), (1.0, 0.8), (2.0, 1.4))
    assert cut(rungs, (-0.5, 1.5)) == ((-0.5, -0.5), (0.0, 0.0), (1.0, 0.8), (1.5, pytest.approx(1.1)))
    assert cut(rungs, (-9.0, 0.0)) == ((-1.0, -1.0), (0.0, 0.0))
    assert cut(rungs, (0.0, 0.0)) == ((0.0, 0.0),)
    assert cut(((0.0, 0.0),), (-1.0, 1.0)) == ((0.0, 0.0),)
