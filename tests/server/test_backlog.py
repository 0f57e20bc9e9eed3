"""The backlog is bounded and fair."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentwalk.server.scheduler.backlog import Backlog, Lane

FOREVER = float("inf")


def filled(backlog, model, count, deadline=FOREVER):
    """A lane of `count` works, named by model and place."""
    lane = Lane(model, deadline)
    for place in range(count):
        backlog.add(lane, (model, id(lane), place))
    return lane


def works(taken):
    return [work for _, work in taken.batch]


def test_lanes_of_a_model_take_turns_by_the_picture():
    backlog = Backlog(100)
    bulk, small = filled(backlog, "m", 5), filled(backlog, "m", 2)
    lanes = [lane for lane, _ in backlog.take(6, now=0).batch]
    assert lanes == [bulk, small, bulk, small, bulk, bulk]


def test_a_newcomer_is_in_the_next_batch_however_much_waits():
    backlog = Backlog(1000)
    filled(backlog, "m", 900)
    backlog.take(4, now=0)
    newcomer = filled(backlog, "m", 1)
    assert newcomer in [lane for lane, _ in backlog.take(4, now=0).batch]


def test_a_batch_is_of_one_model_and_models_take_turns():
    backlog = Backlog(100)
    filled(backlog, "a", 5)
    filled(backlog, "b", 3)
    turns = [{lane.model for lane, _ in backlog.take(2, now=0).batch} for _ in range(5)]
    assert turns == [{"a"}, {"b"}, {"a"}, {"b"}, {"a"}]


def test_what_is_past_its_deadline_is_dropped_and_never_taken():
    backlog = Backlog(100)
    late = filled(backlog, "m", 3, deadline=5.0)
    punctual = filled(backlog, "m", 1, deadline=5.1)
    taken = backlog.take(10, now=5.0)
    assert [lane for lane, _ in taken.batch] == [punctual]
    assert taken.expired == [(late, 3)]
    assert len(backlog) == 0


def test_a_removed_lane_leaves_nothing():
    backlog = Backlog(100)
    lane, other = filled(backlog, "m", 3), filled(backlog, "m", 2)
    assert backlog.remove(lane) == 3
    assert backlog.remove(lane) == 0
    assert {lane for lane, _ in backlog.take(10, now=0).batch} == {other}


def test_a_full_backlog_takes_no_more():
    backlog = Backlog(2)
    lane = filled(backlog, "m", 2)
    with pytest.raises(OverflowError, match="2 pictures wait; the limit is 2"):
        backlog.add(lane, "third")


@settings(deadline=None, max_examples=200)
@given(
    lanes=st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 12)), max_size=8),
    most=st.integers(1, 7),
)
def test_everything_is_taken_once_in_the_order_of_its_lane(lanes, most):
    backlog = Backlog(1000)
    waiting = [filled(backlog, model, count) for model, count in lanes]
    batches = []
    while len(backlog):
        batches.append(backlog.take(most, now=0).batch)
    assert all(1 <= len(batch) <= most and len({lane.model for lane, _ in batch}) == 1 for batch in batches)
    taken = [pair for batch in batches for pair in batch]
    assert len(taken) == sum(count for _, count in lanes)
    for lane, (_, count) in zip(waiting, lanes, strict=True):
        assert [work[2] for owner, work in taken if owner is lane] == list(range(count))
