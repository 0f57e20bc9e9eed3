"""Any number of rows becomes batches of the sizes that are warm, in the least time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentwalk.server.engine.plan import Plan, buckets_up_to

SECONDS = st.dictionaries(st.integers(2, 40), st.floats(0.001, 10), max_size=6).map(lambda some: {1: 0.5, **some})


@pytest.mark.parametrize(
    ("largest", "buckets"),
    [(1, (1,)), (2, (1, 2)), (3, (1, 2, 3)), (32, (1, 2, 4, 8, 16, 32)), (48, (1, 2, 4, 8, 16, 32, 48))],
)
def test_batch_sizes_are_powers_of_two_and_the_largest(largest, buckets):
    assert buckets_up_to(largest) == buckets


@given(SECONDS, st.integers(0, 200))
def test_all_rows_have_a_place_and_only_the_last_batch_has_room_left(seconds, rows):
    sizes = Plan(seconds).split(rows)
    assert set(sizes) <= seconds.keys()
    assert sum(sizes) >= rows
    assert sum(sizes[:-1]) < max(rows, 1)


@given(SECONDS, st.integers(1, 40))
def test_no_single_batch_that_holds_all_rows_would_be_faster(seconds, rows):
    planned = sum(seconds[size] for size in Plan(seconds).split(rows)) if rows <= max(seconds) else 0
    assert all(planned <= time + 1e-9 for size, time in seconds.items() if size >= rows)


def test_where_time_grows_with_the_rows_batches_fit_exactly_and_are_few():
    plan = Plan({size: float(size) for size in (1, 2, 4, 8)})
    assert [plan.split(rows) for rows in (1, 3, 8, 13, 21)] == [[1], [2, 1], [8], [8, 4, 1], [8, 8, 4, 1]]


def test_where_a_large_batch_costs_hardly_more_it_is_filled_up():
    assert Plan({1: 1.0, 2: 1.01, 4: 1.02, 8: 1.03}).split(5) == [8]
