"""Paths of many steps: the same shifts however many of their points they keep, and those are bounded."""

import gc

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from latentwalk.gan.directions.stepped import MOST_STEPS, SteppedPath
from latentwalk.gan.steps import finish

ROWS, SIZE = 2, 11
ENDS = (-MOST_STEPS, MOST_STEPS)


def path(kept_points: int, size: int = SIZE) -> SteppedPath:
    """One whose alphas are steps, and which may keep so many points either way."""
    start = torch.randn(ROWS, size, generator=torch.Generator().manual_seed(0))

    def step(row: Tensor, back: bool) -> Tensor:
        return row + torch.sin(-row if back else row + 1)

    return SteppedPath(start, step, 1.0, kept_numbers=kept_points * start.numel())


def alive(size: int) -> int:
    """How many points of rows of that size there are in this process."""
    return sum(type(one) is Tensor and one.shape == (ROWS, size) for one in gc.get_objects())


@given(st.lists(st.floats(*ENDS), min_size=1, max_size=6), st.integers(1, MOST_STEPS))
def test_the_shifts_are_the_same_bits_in_any_order_however_many_points_are_kept(alphas, kept_points):
    sparse = path(kept_points)
    for alpha in alphas:
        assert torch.equal(finish(sparse.shift(alpha)), finish(path(MOST_STEPS).shift(alpha)))


@pytest.mark.parametrize(("kept_points", "stride"), [(MOST_STEPS, 1), (16, 16), (1, MOST_STEPS)])
def test_it_keeps_as_many_points_as_it_may_and_goes_on_from_the_nearest(kept_points, stride):
    size = 1_000 + stride
    long = path(kept_points, size)
    for end in ENDS:
        assert len(list(long.shift(end))) == ROWS * MOST_STEPS
        assert not list(long.shift(end))
        assert len(list(long.shift(end + (2 if end < 0 else -2)))) == ROWS * max(0, stride - 2)
    # Either way those, the two that were reached last, which may be among them, and the start of both.
    assert 2 * kept_points <= alive(size) <= 2 * (kept_points + 2) + 1


@pytest.mark.parametrize("frames_per_step", [2, 3, 7])
def test_a_walk_forward_takes_each_step_once_however_few_points_are_kept(frames_per_step):
    sparse = path(kept_points=1)
    steps = [len(list(sparse.shift(frame / frames_per_step))) for frame in range(frames_per_step * MOST_STEPS)]
    assert sum(steps) <= ROWS * MOST_STEPS
