"""The backlog takes what is wanted first, is fair, and lets nobody starve."""

from weakref import ref

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentwalk.server.scheduler.backlog import OLDEST_TURN, PATIENCE_SECONDS, Backlog
from latentwalk.server.scheduler.lane import Lane, Priority, Terms

HIGH, NORMAL, LOW = Priority.HIGH, Priority.NORMAL, Priority.LOW


class Device:
    """Lanes that come, and works that are taken, at a device that draws one picture in `picture_seconds`."""

    def __init__(self, picture_seconds=0.001):
        self.backlog = Backlog()
        self.now = 100.0
        self.picture_seconds = picture_seconds

    def lane(self, count, model="m", **terms):
        lane = Lane(model, Terms(**terms))
        self.backlog.add(lane, [(lane, place) for place in range(count)], self.now)
        return lane

    def take(self, most):
        """The lanes of the next batch."""
        taken = self.backlog.take(lambda *_: most, self.now)
        self.now += self.picture_seconds * len(taken.batch)
        return [lane for lane, _ in taken.batch]

    def served(self, batches, most):
        """How many pictures each lane got in so many batches."""
        lanes = [lane for _ in range(batches) for lane in self.take(most)]
        return {lane: lanes.count(lane) for lane in lanes}


@pytest.fixture
def device():
    return Device()


def test_a_first_frame_overtakes_the_later_frames_of_others(device):
    bulk = device.lane(900)
    device.take(4)
    newcomer = device.lane(1)
    assert device.take(4) == [newcomer, bulk, bulk, bulk]


def test_it_is_told_how_many_pictures_of_first_frames_wait_when_it_is_their_turn(device):
    told = []

    def seats(family, lanes, beginners):
        told.append(beginners)
        return 4

    device.lane(900)
    device.backlog.take(seats, device.now)
    device.lane(2, rows=2)
    device.lane(5, rows=3)
    device.backlog.take(seats, device.now)
    device.backlog.take(seats, device.now)
    device.backlog.take(seats, device.now)
    assert told == [1, 5, 1, 0]


def test_a_first_frame_is_taken_as_a_whole(device):
    bulk = device.lane(900)
    device.take(1)
    newcomer = device.lane(9, rows=3)
    assert device.take(5)[:3] == [newcomer] * 3
    assert bulk in device.take(5)


def test_the_rest_of_a_frame_that_a_batch_had_no_room_for_is_no_more_than_that(device):
    first, second = device.lane(9, rows=3), device.lane(9, rows=3)
    assert device.take(2) == [first] * 2
    assert device.take(4) == [first, *[second] * 3]


def test_no_first_frames_are_told_of_while_it_is_the_turn_of_later_ones(device):
    device.lane(9, priority=HIGH)
    device.take(1)
    device.lane(3, rows=3)
    told = []
    device.backlog.take(lambda family, lanes, beginners: told.append(beginners) or 1, device.now)
    assert told == [0]


def test_streams_that_have_left_count_no_more_for_those_of_their_client_that_stay():
    device = Device(picture_seconds=0.1)
    stays, other = device.lane(100, client="many"), device.lane(100, client="one")
    for _ in range(50):
        device.backlog.remove(device.lane(1, client="many"))
    served = device.served(60, 1)
    assert served[stays] == pytest.approx(served[other], abs=4)


def test_the_higher_priority_goes_first(device):
    low, normal, high = (device.lane(2, priority=priority) for priority in (LOW, NORMAL, HIGH))
    assert [device.take(2) for _ in range(3)] == [[high] * 2, [normal] * 2, [low] * 2]


def test_later_frames_go_by_when_they_are_wanted():
    device = Device(picture_seconds=0.0)
    slow, fast = device.lane(100, fps=10), device.lane(100, fps=40)
    served = device.served(20, 2)
    assert served[fast] > 2.5 * served[slow]


def test_a_stream_that_asks_for_more_speed_gets_no_more_of_a_device_that_is_late():
    device = Device(picture_seconds=1.0)
    modest, greedy = device.lane(100, fps=24, client="a"), device.lane(100, fps=1000, client="b")
    served = device.served(20, 2)
    assert served[greedy] == pytest.approx(served[modest], abs=2)


def test_clients_share_a_late_device_however_many_streams_they_have():
    device = Device(picture_seconds=0.02)
    many = [device.lane(500, client="many") for _ in range(20)]
    one = device.lane(500, client="one")
    served = device.served(100, 4)
    assert served[one] > 0.6 * sum(served[lane] for lane in many)
    assert max(served[lane] for lane in many) - min(served[lane] for lane in many) <= 4


def test_a_burst_of_one_client_does_not_stand_before_the_next_request_of_another(device):
    for _ in range(100):
        device.lane(1, client="burst")
    other = device.lane(1, client="other")
    assert other in device.take(4)


def test_a_request_does_not_overtake_those_of_its_client_that_came_when_more_of_them_waited(device):
    burst = [device.lane(1, client="burst") for _ in range(20)]
    assert device.take(15) == burst[:15]
    later = device.lane(1, client="burst")
    assert device.take(6) == [*burst[15:], later]


def test_a_burst_that_was_served_does_not_stand_before_the_next_request_of_its_client(device):
    walk = device.lane(900, client="burst")
    for _ in range(100):
        device.lane(1, client="burst")
    device.take(101)
    assert device.lane(1, client="burst") in device.take(2)
    assert walk in device.take(2)


def test_a_batch_is_of_one_family_and_models_share_the_device(device):
    a, b, strict = device.lane(100, "a"), device.lane(100, "b"), device.lane(100, "a", strict=True)
    batches = [device.take(2) for _ in range(30)]
    assert all(len(set(batch)) == 1 for batch in batches)
    assert min(sum(lane in batch for batch in batches) for lane in (a, b, strict)) >= 8


@pytest.mark.parametrize("priority", list(Priority))
def test_nobody_starves_whatever_else_comes(priority):
    device = Device(picture_seconds=0.01)
    others = [device.lane(10_000, "m", priority=HIGH, client=number) for number in range(10)]
    victim = device.lane(1, "n", priority=priority, client="victim")
    device.now += PATIENCE_SECONDS
    batches = 0
    while victim.waiting:
        device.take(2)
        device.lane(1, "m", priority=HIGH, client="flood")
        batches += 1
    assert batches <= OLDEST_TURN * (len(others) + 1)


def test_of_what_has_waited_longest_there_is_every_so_manieth_batch_and_no_more(device):
    low, _ = device.lane(100, priority=LOW), device.lane(100, priority=HIGH)
    device.now += PATIENCE_SECONDS
    device.picture_seconds = 1.0
    assert device.served(10 * OLDEST_TURN, 1)[low] == 10


def test_a_stream_that_asks_bit_by_bit_keeps_its_place_and_counts_once():
    device = Device(picture_seconds=0.1)
    bit_by_bit, at_once = device.lane(1, client="a"), device.lane(60, client="b")
    served = {bit_by_bit: 0, at_once: 0}
    for place in range(1, 60):
        device.backlog.add(bit_by_bit, [(bit_by_bit, place)], device.now)
        for lane in device.take(1):
            served[lane] += 1
    assert served[bit_by_bit] == pytest.approx(served[at_once], abs=2)


def test_frames_that_need_not_be_drawn_are_as_wanted_as_if_they_had_been():
    device = Device(picture_seconds=0.0)
    kept, other = device.lane(2, rows=2, fps=10), device.lane(2, rows=2, fps=10)
    device.take(4)
    device.backlog.add(kept, [(kept, place) for place in range(2)], device.now, spared=20)
    device.backlog.add(other, [(other, place) for place in range(40)], device.now)
    assert device.take(42).index(kept) in (20, 22), "as many frames of the other"


def test_what_is_past_its_deadline_is_dropped_and_never_taken(device):
    late = device.lane(3, deadline=device.now)
    punctual = device.lane(1, deadline=device.now + 0.1)
    taken = device.backlog.take(lambda *_: 10, device.now)
    assert [lane for lane, _ in taken.batch] == [punctual]
    assert taken.expired == [(late, 3)]
    assert len(device.backlog) == 0


def test_a_removed_lane_leaves_nothing(device):
    lane, other = device.lane(3), device.lane(2)
    assert device.backlog.remove(lane) == 3
    assert device.backlog.remove(lane) == 0
    assert set(device.take(10)) == {other}
    assert (len(device.backlog), device.backlog.later, list(device.backlog.families)) == (0, 0, [])


def test_those_who_came_and_went_are_forgotten_though_others_wait(device):
    bulk = device.lane(900)
    gone = []
    for _ in range(100):
        lane = device.lane(1)
        device.backlog.remove(lane)
        gone.append(ref(lane))
    del lane
    assert sum(lane() is not None for lane in gone) <= 10
    assert device.take(2) == [bulk, bulk]


def test_what_need_not_be_drawn_takes_no_seat(device):
    lane = device.lane(5)
    taken = device.backlog.take(lambda *_: 2, device.now, lambda work: work[1] % 2 == 0)
    assert [place for _, place in taken.batch] == [0, 2]
    assert [place for _, place in taken.spared] == [1]
    assert len(lane.waiting) == 2


@settings(deadline=None, max_examples=200)
@given(
    lanes=st.lists(
        st.tuples(
            st.sampled_from("ab"),
            st.integers(0, 12),
            st.integers(1, 5),
            st.sampled_from(list(Priority)),
            st.sampled_from("xyz"),
            st.booleans(),
        ),
        max_size=8,
    ),
    most=st.integers(1, 7),
    leave=st.sets(st.integers(0, 7), max_size=2),
)
def test_everything_is_taken_once_in_the_order_of_its_lane(lanes, most, leave):
    device = Device(picture_seconds=0.3)
    waiting = [
        device.lane(count // 2, model, rows=rows, priority=priority, client=client, strict=strict)
        for model, count, rows, priority, client, strict in lanes
    ]
    for lane, (_, count, *_) in zip(waiting, lanes, strict=True):
        device.backlog.add(lane, [(lane, place) for place in range(count // 2, count)], device.now)
    left = {lane for place, lane in enumerate(waiting) if place in leave and device.backlog.remove(lane) >= 0}
    taken = []
    while len(device.backlog):
        beginners = sum(lane.beginners for lane in waiting)
        assert beginners == sum(map(device.backlog.beginners, device.backlog.families))
        assert beginners + device.backlog.later == len(device.backlog)
        batch = device.backlog.take(lambda *_: most, device.now).batch
        device.now += 0.3
        assert 1 <= len(batch) <= most
        assert len({lane.family for lane, _ in batch}) == 1
        taken += batch
    for lane, (_, count, *_) in zip(waiting, lanes, strict=True):
        assert [place for owner, place in taken if owner is lane] == list(range(0 if lane in left else count))
