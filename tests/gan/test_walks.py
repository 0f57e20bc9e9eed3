import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from latentwalk.gan.directions import LinearDirection, Slider
from latentwalk.gan.easing import EASINGS
from latentwalk.gan.errors import GanError, OutOfRange
from latentwalk.gan.latents import z_from_seeds
from latentwalk.gan.walks import Leg, Stretch, Track, Walk


def make_direction(name: str, sliders: int) -> LinearDirection:
    return LinearDirection(
        name=name,
        generator_digest="sha256:0",
        sliders=tuple(Slider(f"s{index}", "", "", 1.0, (-1, 1), (-9, 9)) for index in range(sliders)),
        vectors=torch.randn(sliders, 5, generator=torch.Generator().manual_seed(len(name))),
    )


A, B = make_direction("a", 2), make_direction("bb", 1)
START = z_from_seeds([1, 2, 3], 5)

alphas = st.floats(-5, 5)
stretches = st.one_of(
    st.builds(Stretch, st.just(A), st.integers(0, 1), alphas, alphas),
    st.builds(Stretch, st.just(B), st.just(0), alphas, alphas),
)
legs = st.builds(Leg, st.lists(stretches, max_size=3).map(tuple), st.integers(1, 6), st.sampled_from([*EASINGS]))
walks = st.builds(Walk, st.just(START), st.lists(legs, min_size=1, max_size=4).map(tuple), st.booleans())


def displaced(*moves: tuple[LinearDirection, int, float]) -> torch.Tensor:
    z = START
    for direction, slider, alpha in moves:
        z = z + alpha * direction.vectors[slider]
    return z


def test_a_leg_runs_evenly_from_start_to_stop_with_both_ends() -> None:
    walk = Walk(START, (Leg((Stretch(A, 1, -1.0, 3.0),), 5),))
    assert walk.frames == 5
    assert [walk.alphas_at(index)[Track(A, 1)] for index in range(5)] == [-1, 0, 1, 2, 3]
    for index, alpha in enumerate([-1, 0, 1, 2, 3]):
        assert torch.equal(walk.code_at(index), displaced((A, 1, alpha)))


@given(alphas, alphas, st.integers(2, 7), st.sampled_from([*EASINGS]))
@settings(deadline=None, max_examples=60)
def test_the_ends_of_a_leg_are_hit_exactly(start: float, stop: float, frames: int, easing: str) -> None:
    walk = Walk(START, (Leg((Stretch(A, 0, start, stop),), frames, easing),))
    assert torch.equal(walk.code_at(0), displaced((A, 0, start)))
    assert torch.equal(walk.code_at(frames - 1), displaced((A, 0, stop)))


def test_a_leg_of_one_frame_stands_at_its_start() -> None:
    walk = Walk(START, (Leg((Stretch(A, 0, 2.0, 5.0),), 1), Leg((Stretch(B, 0, 0.0, 1.0),), 2)))
    assert walk.alphas_at(0) == {Track(A, 0): 2.0}
    assert walk.alphas_at(2) == {Track(A, 0): 2.0, Track(B, 0): 1.0}


def test_easing_changes_when_but_not_where() -> None:
    walk = Walk(START, (Leg((Stretch(A, 0, 0.0, 1.0),), 5, "ease_in"),))
    assert [walk.alphas_at(index)[Track(A, 0)] for index in range(5)] == [0, 1 / 16, 4 / 16, 9 / 16, 1]


def test_stretches_of_a_leg_add_up() -> None:
    together = Walk(START, (Leg((Stretch(A, 0, 0.0, 1.0), Stretch(B, 0, 2.0, -2.0)), 3),))
    torch.testing.assert_close(together.code_at(1), displaced((A, 0, 0.5), (B, 0, 0.0)))
    torch.testing.assert_close(together.code_at(2), displaced((A, 0, 1.0), (B, 0, -2.0)))
    twice = Walk(START, (Leg((Stretch(A, 0, 0.0, 1.0), Stretch(A, 0, 0.0, 3.0)), 3),))
    assert twice.alphas_at(2) == {Track(A, 0): 4.0}


def test_a_slider_that_a_later_leg_does_not_name_stays_where_it_was() -> None:
    walk = Walk(START, (Leg((Stretch(A, 0, 0.0, 1.0),), 2), Leg((Stretch(A, 1, 0.0, 4.0),), 3)))
    assert [walk.alphas_at(index) for index in range(5)] == [
        {Track(A, 0): 0.0},
        {Track(A, 0): 1.0},
        {Track(A, 0): 1.0, Track(A, 1): 0.0},
        {Track(A, 0): 1.0, Track(A, 1): 2.0},
        {Track(A, 0): 1.0, Track(A, 1): 4.0},
    ]
    torch.testing.assert_close(walk.code_at(4), displaced((A, 0, 1.0), (A, 1, 4.0)))


def test_a_slider_that_a_later_leg_names_goes_where_that_leg_says() -> None:
    walk = Walk(START, (Leg((Stretch(A, 0, 0.0, 1.0),), 2), Leg((Stretch(A, 0, 5.0, 6.0),), 2)))
    assert [walk.alphas_at(index)[Track(A, 0)] for index in range(4)] == [0, 1, 5, 6]


@given(walks)
@settings(deadline=None, max_examples=60)
def test_a_looping_walk_comes_back_the_way_it_went(walk: Walk) -> None:
    there, loop = Walk(walk.start, walk.legs), Walk(walk.start, walk.legs, loop=True)
    assert loop.frames == max(1, 2 * there.frames - 2)
    for index in range(there.frames):
        assert torch.equal(loop.code_at(index), there.code_at(index))
    for index in range(1, loop.frames):
        assert torch.equal(loop.code_at(index), loop.code_at(loop.frames - index))


@given(walks, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=60)
def test_any_frame_in_any_order_is_the_frame_of_the_walk_in_order(walk: Walk, shuffler: random.Random) -> None:
    in_order = [walk.code_at(index) for index in range(walk.frames)]
    indices = list(range(walk.frames))
    shuffler.shuffle(indices)
    fresh = Walk(walk.start, walk.legs, walk.loop)
    for index in indices:
        assert torch.equal(fresh.code_at(index), in_order[index])


@given(walks)
@settings(deadline=None, max_examples=60)
def test_a_frame_is_the_start_moved_by_its_alphas(walk: Walk) -> None:
    for index in range(walk.frames):
        moves = [(track.direction, track.slider, alpha) for track, alpha in walk.alphas_at(index).items()]
        torch.testing.assert_close(walk.code_at(index), displaced(*moves))


@given(walks, st.integers(0, 2))
@settings(deadline=None, max_examples=60)
def test_a_row_walks_the_same_bits_alone_and_with_others(walk: Walk, row: int) -> None:
    alone = Walk(walk.start[row, None], walk.legs, walk.loop)
    for index in range(walk.frames):
        assert torch.equal(alone.code_at(index)[0], walk.code_at(index)[row])


def test_a_walk_of_a_billion_frames_costs_nothing_until_a_frame_is_asked_for() -> None:
    walk = Walk(START, (Leg((Stretch(A, 0, 0.0, 1.0),), 10**9), Leg((Stretch(B, 0, 0.0, 1.0),), 10**9)), loop=True)
    assert walk.frames == 4 * 10**9 - 2
    assert torch.equal(walk.code_at(2 * 10**9 - 1), displaced((A, 0, 1.0), (B, 0, 1.0)))


@pytest.mark.parametrize("index", [-1, 3])
def test_a_frame_beyond_the_walk_is_out_of_range(index: int) -> None:
    with pytest.raises(OutOfRange, match="frame"):
        Walk(START, (Leg((Stretch(A, 0, 0.0, 1.0),), 3),)).code_at(index)


def test_walks_that_cannot_be_are_refused() -> None:
    with pytest.raises(GanError, match="no legs"):
        Walk(START, ())
    with pytest.raises(GanError, match="0 frames"):
        Leg((), 0)
    with pytest.raises(GanError, match=r"'bounce'.*linear"):
        Leg((), 1, "bounce")
