"""Frames of which each differs as much from the next, picked from a path that was drawn finely."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentwalk.client import Client, InvalidRequest
from latentwalk.client._pacing import evenly_spread


def path(brightness):
    """Frames [F, 1, 2, 2, 1] of one colour each."""
    return np.array(brightness, np.uint8).reshape(-1, 1, 1, 1, 1).repeat(2, 2).repeat(2, 3)


def steps(frames):
    """How far each frame is from the next."""
    arrays = [frame.pictures.array.astype(float) for frame in frames]
    return np.array([np.sqrt(((after - before) ** 2).mean()) for before, after in pairwise(arrays)])


def test_pictures_change_more_evenly_than_latents_at_constant_speed_make_them(client: Client):
    drawn = client.walk("tiny", "zoom", seeds=[1, 2], frames=201, easing="in").collect()
    evenly, every_tenth = drawn.evenly(21), drawn[::10]
    assert len(evenly) == len(every_tenth) == 21
    assert steps(evenly).std() / steps(evenly).mean() < 0.5 * steps(every_tenth).std() / steps(every_tenth).mean()
    assert (evenly[0].index, evenly[-1].index) == (0, 200)


def test_they_stand_where_the_way_is_cut_into_equal_parts():
    assert evenly_spread(path([0, 1, 2, 3, 4, 5, 6, 40, 80, 120]), 4) == [0, 7, 8, 9]
    assert evenly_spread(path([0, 10, 0, 10, 0]), 3) == [0, 2, 4]


def test_without_any_change_they_stand_at_equal_distances():
    assert evenly_spread(path([7] * 9), 5) == [0, 2, 4, 6, 8]


@given(st.lists(st.integers(0, 255), min_size=2, max_size=40), st.data())
def test_none_is_taken_twice_and_both_ends_are_there(brightness, data):
    count = data.draw(st.integers(2, len(brightness)))
    places = evenly_spread(path(brightness), count)
    assert len(places) == count
    assert all(before < after for before, after in pairwise(places))
    assert (places[0], places[-1]) == (0, len(brightness) - 1)


def test_a_loop_is_as_even_where_it_closes(client: Client):
    drawn = client.walk("tiny", "zoom", seeds=1, frames=101, easing="in", loop=True).collect()
    evenly = drawn.evenly(20, loop=True)
    whole_way = steps([*evenly, evenly[0]])
    assert whole_way[-1] == pytest.approx(whole_way.mean(), rel=0.3)


@pytest.mark.parametrize("count", [1, 6, 2.5])
def test_more_than_there_are_and_fewer_than_two_are_refused(client: Client, count):
    frames = client.walk("tiny", "zoom", seeds=1, frames=5).collect()
    with pytest.raises(InvalidRequest, match="count"):
        frames.evenly(count)
