"""What batches cost, how many pictures fit, and how many are worth it, as it is learned from those that were drawn."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentwalk.server.scheduler.bucket import Bucket
from latentwalk.server.scheduler.cost import BatchCost

seconds = st.floats(1e-4, 10)
batches = st.lists(st.tuples(st.integers(1, 64), st.floats(0, 10)), min_size=1, max_size=40)


def costs(batches, cost=None):
    cost = cost or BatchCost()
    for pictures, taken in batches:
        cost.observe(pictures, taken)
    return cost


@given(per_picture=seconds, per_batch=seconds, sizes=st.lists(st.integers(1, 64), min_size=2, max_size=20))
def test_a_cost_of_two_parts_is_told_from_batches_of_different_sizes(per_picture, per_batch, sizes):
    cost = costs((size, per_picture * size + per_batch) for size in (*sizes, 1, 64))
    assert cost.per_picture == pytest.approx(per_picture, rel=1e-3, abs=1e-5)
    assert cost.per_batch == pytest.approx(per_batch, rel=1e-3, abs=1e-3 * per_picture * 64)


@given(batches=batches)
def test_no_part_is_ever_negative_and_a_batch_of_one_size_takes_what_the_last_ones_took(batches):
    cost = costs(batches)
    assert min(cost.per_picture, cost.per_batch) >= 0
    size = batches[-1][0]
    same = [(size, taken) for _, taken in batches]
    learned = costs(same, cost=BatchCost())
    weights = [0.98**age for age in reversed(range(len(same)))]
    mean = sum(weight * taken for weight, (_, taken) in zip(weights, same, strict=True)) / sum(weights)
    assert learned.seconds(size, size) == pytest.approx(mean)


def test_of_a_size_alone_the_parts_keep_their_proportion():
    cost = BatchCost({1: 3.0, 5: 7.0})
    assert (cost.per_picture, cost.per_batch) == pytest.approx((1.0, 2.0))
    costs([(4, 6.0)] * 1_000, cost)
    assert (cost.per_picture, cost.per_batch) == pytest.approx((1.0, 2.0))
    costs([(4, 12.0)] * 1_000, cost)
    assert (cost.per_picture, cost.per_batch) == pytest.approx((2.0, 4.0))
    assert costs([(4, 12.0)]).per_batch == 0, "as long as nothing tells of a part that each batch takes"


def test_a_device_that_became_slower_is_known_to_be_after_some_hundred_batches():
    cost = costs((size, 0.1 * size) for size in (1, 4) * 100)
    costs(((size, 0.3 * size) for size in (1, 4) * 10), cost)
    assert 0.12 < cost.per_picture < 0.28, "not after a few"
    costs(((size, 0.3 * size) for size in (1, 4) * 150), cost)
    assert cost.per_picture == pytest.approx(0.3, rel=0.01)


@pytest.mark.parametrize(("pictures", "batches"), [(0, 0), (1, 1), (8, 1), (9, 2), (16, 2), (17, 3)])
def test_pictures_take_as_many_batches_as_they_fill(pictures, batches):
    cost = BatchCost({1: 3.0, 5: 7.0})
    assert cost.seconds(pictures, 8) == pytest.approx(pictures * 1.0 + batches * 2.0)


def test_nothing_costs_anything_before_anything_was_drawn():
    cost = BatchCost()
    assert (cost.known, cost.seconds(7, 4)) == (False, 0)
    cost.observe(1, 0.5)
    assert (cost.known, cost.seconds(7, 4)) == (True, 3.5)


# -- how many fit ------------------------------------------------------------------------------------------------------


def drawn(bucket, memory, batches):
    """The sizes at which the memory of a device ran out, among so many full batches."""
    failed = []
    for _ in range(batches):
        size = bucket.size
        if size > memory:
            failed.append(size)
            bucket.ran_out(size)
        else:
            bucket.went_well(size)
    return failed


@given(most=st.integers(1, 64), memory=st.integers(1, 64))
def test_a_device_with_little_memory_is_soon_asked_for_no_more_than_that_and_hardly_ever_again(most, memory):
    bucket = Bucket(most)
    first = drawn(bucket, memory, 40)
    assert all(next_one == size // 2 for size, next_one in pairwise(first))
    assert 1 <= bucket.size <= min(most, memory)
    later = drawn(bucket, memory, 10_000)
    assert len(later) <= 8, "twice as many batches before each time that it is tried"
    assert bool(later) == (memory < most)


def test_memory_that_is_there_again_is_used_after_a_while_twice_as_much_each_time():
    bucket = Bucket(12)
    assert drawn(bucket, 3, 2) == [12, 6]
    sizes = []
    for _ in range(3):
        sizes.append(bucket.size)
        drawn(bucket, 100, 63)
        assert bucket.size == sizes[-1]
        drawn(bucket, 100, 1)
    assert (sizes, bucket.size) == ([3, 6, 12], 12)


def test_batches_that_are_not_full_tell_nothing_of_larger_ones():
    bucket = Bucket(8)
    bucket.ran_out(8)
    for _ in range(1_000):
        bucket.went_well(3)
    assert bucket.size == 4
