"""Who is let into the scheduler, and what is kept for those who were."""

import asyncio
from contextlib import ExitStack

import pytest
from scheduling import MODEL, OTHER_MODEL, FakeEngine, make, numbers, opened, opened_only

from latentwalk.server.scheduler import (
    DeadlinePassed,
    Priority,
    QueueFull,
)


async def test_a_request_that_does_not_fit_is_refused_at_once_with_a_delay_from_the_measured_rate():
    engine = FakeEngine(seconds_per_picture=0.5)
    scheduler = make(engine, batch=4, queued=16)
    with opened(scheduler, "a", 16, rows=16):
        with pytest.raises(QueueFull, match="holds 16 pictures of at most 16") as unmeasured:
            opened(scheduler, "b", 1)
        assert unmeasured.value.retry_after_seconds == 1.0
        await scheduler.step()
        with opened(scheduler, "c", 4, rows=4), pytest.raises(QueueFull) as full:
            opened(scheduler, "d", 10, rows=10)
        assert full.value.retry_after_seconds == pytest.approx(10 * 0.5)


async def test_later_frames_that_wait_keep_no_newcomer_out():
    scheduler = make(FakeEngine(), queued=16)
    with opened(scheduler, "a", 1_000), opened(scheduler, "b", 1_000), opened(scheduler, "c", 6, rows=6) as c:
        assert scheduler.queued == 16
        await scheduler.step()
        await scheduler.step()
        assert len(await c.take(6)) == 6


async def test_what_would_wait_longer_than_the_queue_may_last_is_refused_at_once():
    engine = FakeEngine(seconds_per_picture=0.25)
    scheduler = make(engine, batch=4, queued=1_000, queue_seconds=2.0)
    with opened(scheduler, "a", 4, rows=4):
        await scheduler.step()
    with opened(scheduler, "b", 8, rows=8):
        with opened(scheduler, "c", 1), pytest.raises(QueueFull, match=r"2\.2 s of work wait") as full:
            opened(scheduler, "d", 1)
        assert full.value.retry_after_seconds == pytest.approx(0.25, rel=0.1)


async def test_a_queue_may_hold_less_the_longer_it_does_not_run_empty():
    engine = FakeEngine(seconds_per_picture=0.1)
    scheduler = make(
        engine, batch=1, queued=1_000, streams=1_000, queue_seconds=4.0, measured=lambda model: {1: 0.1, 2: 0.2}
    )
    with ExitStack() as clients:

        def let_in():
            for number in range(1_000):
                try:
                    clients.enter_context(opened(scheduler, "a", 1))
                except QueueFull:
                    return number
            raise AssertionError("nobody is refused")

        assert let_in() == pytest.approx(40, abs=1), "a burst"
        for _ in range(10):
            await scheduler.step()
            assert let_in() <= 1, "it is not filled again while it is drawn"
        assert scheduler.queued == pytest.approx(30, abs=1)
        for _ in range(50):
            await scheduler.step()
            let_in()
        assert scheduler.queued == pytest.approx(5, abs=1), "an eighth"
        while scheduler.queued:
            await scheduler.step()
        assert let_in() == pytest.approx(40, abs=1), "the next burst"


async def test_a_queue_that_does_not_run_empty_stays_so_when_a_higher_priority_overtakes_it():
    engine = FakeEngine(seconds_per_picture=0.1)
    scheduler = make(engine, batch=1, queued=1_000, queue_seconds=2.0, measured=lambda model: {1: 0.1, 2: 0.2})
    with opened(scheduler, "a", 10, rows=10):
        engine.now += 1.6
        with opened(scheduler, "b", 1, priority=Priority.HIGH), pytest.raises(QueueFull):
            opened(scheduler, "c", 1)


def burst_of(scheduler, clients, most, **terms):
    """How many of so many who come at once are let in."""
    for number in range(most):
        try:
            clients.enter_context(opened(scheduler, number, 1, **terms))
        except QueueFull:
            return number
    return most


async def test_a_burst_is_taken_in_after_a_moment_in_which_nothing_waited_though_nobody_came_in_it():
    engine = FakeEngine(seconds_per_picture=0.1)
    scheduler = make(
        engine, batch=1, queued=1_000, streams=1_000, queue_seconds=2.0, measured=lambda model: {1: 0.1, 2: 0.2}
    )
    with ExitStack() as clients:
        for _ in range(100):
            clients.enter_context(opened(scheduler, "steady", 1, priority=Priority.HIGH))
            await scheduler.step()
            engine.now += 0.1
        clients.enter_context(opened(scheduler, "steady", 1, priority=Priority.HIGH))
        assert burst_of(scheduler, clients, 50, priority=Priority.LOW) == pytest.approx(20, abs=1)


class Paced(FakeEngine):
    """Takes its own time for each model."""

    def __init__(self, seconds):
        super().__init__()
        self.seconds = seconds

    async def run(self, model, works):
        self.seconds_per_picture = self.seconds[model]
        return await super().run(model, works)

    def measured(self, model):
        return {size: size * self.seconds[model] for size in (1, 4, 8)}


@pytest.mark.parametrize("seconds", [0.02, 0.05, 0.5])
async def test_a_flood_of_one_model_keeps_out_no_more_of_those_who_want_another_than_of_its_own(seconds):
    engine = Paced({MODEL: seconds, OTHER_MODEL: 0.001})
    scheduler = make(engine, batch=8, queued=1_000, streams=1_000, queue_seconds=1.0, measured=engine.measured)
    with ExitStack() as clients:
        for _ in range(50):
            others = burst_of(scheduler, clients, 1, model=OTHER_MODEL)
            flood = burst_of(scheduler, clients, 100)
            assert others or not flood
            await scheduler.step()
        assert engine.now > 1.0


async def test_no_more_than_the_queue_may_last_waits_for_a_model_of_which_few_are_drawn_at_once():
    scheduler = make(FakeEngine(), batch=32, queued=1_000, queue_seconds=1.0, measured=lambda model: {1: 0.3, 32: 9.6})
    with ExitStack() as clients:
        assert burst_of(scheduler, clients, 100) * 0.3 == pytest.approx(1.0, abs=0.3)


async def test_a_full_batch_may_always_wait_however_slow_the_model():
    engine = FakeEngine(seconds_per_picture=10.0)
    scheduler = make(engine, batch=4, queue_seconds=0.1, longest=lambda model: 40.0)
    with opened(scheduler, "a", 4, rows=4):
        await scheduler.step()
    with ExitStack() as waiting:
        for name in range(5):
            waiting.enter_context(opened(scheduler, name, 1))
        with pytest.raises(QueueFull):
            opened(scheduler, "b", 1)


@pytest.mark.parametrize("began", [0.0, 1_000.0])
async def test_a_deadline_that_cannot_be_met_is_told_at_once(began):
    engine = FakeEngine(seconds_per_picture=1.0)
    engine.now = began
    scheduler = make(engine, measured=lambda model: {1: 1.0, 4: 4.0})
    with pytest.raises(DeadlinePassed, match="the first frame takes 3 s, and the deadline is in 2 s"):
        opened(scheduler, "a", 3, rows=3, deadline=began + 2.0)
    with opened(scheduler, "b", 3, rows=3, deadline=began + 3.5):
        with pytest.raises(QueueFull) as full:
            opened(scheduler, "c", 3, rows=3, deadline=began + 4.0)
        assert full.value.retry_after_seconds == pytest.approx(2.0)


async def test_a_stream_too_many_is_refused_at_once():
    scheduler = make(FakeEngine(), streams=2)
    refusal = pytest.raises(QueueFull, match="2 requests are being served")
    with opened(scheduler, "a", 1), opened(scheduler, "b", 1), refusal:
        opened(scheduler, "c", 1)
    with opened(scheduler, "c", 1):
        assert scheduler.streams == 1


async def test_who_was_let_in_has_its_pictures_drawn_however_late_it_makes_them():
    engine = FakeEngine()
    scheduler = make(engine, queued=4, streams=2)
    run = asyncio.create_task(scheduler.run())
    with opened_only(scheduler, 3) as late, opened(scheduler, "b", 3, rows=3) as b:
        assert len(await b.take(3)) == 3
        late.begin(numbers("late", 3))
        assert await late.take(3) == [("picture", "late", place) for place in range(3)]
    scheduler.close()
    await run


async def test_those_who_were_let_in_and_have_yet_to_begin_count_as_if_they_waited():
    scheduler = make(FakeEngine(), queue_seconds=0.5, measured=lambda model: {4: 0.4})
    with ExitStack() as streams:
        for _ in range(2):
            streams.enter_context(opened_only(scheduler, 4, rows=4))
        with pytest.raises(QueueFull, match=r"0\.8 s of work wait"):
            opened_only(scheduler, 4, rows=4)
    with opened_only(scheduler, 4, rows=4):
        assert scheduler.streams == 1


@pytest.mark.parametrize("priority", [Priority.HIGH, Priority.NORMAL])
async def test_those_who_have_yet_to_begin_keep_nobody_out_who_goes_before_them(priority):
    scheduler = make(FakeEngine(), queue_seconds=0.5, measured=lambda model: {4: 0.4})
    with ExitStack() as streams:
        for _ in range(2):
            streams.enter_context(opened_only(scheduler, 4, rows=4, priority=Priority.LOW))
        streams.enter_context(opened_only(scheduler, 4, rows=4, priority=priority))
        with pytest.raises(QueueFull, match=r"1\.2 s of work wait"):
            opened_only(scheduler, 4, rows=4, priority=Priority.LOW)


@pytest.mark.parametrize("began", [0.0, 1_000.0])
async def test_those_who_take_their_time_to_begin_keep_nobody_from_an_idle_device(began):
    engine = FakeEngine()
    engine.now = began
    scheduler = make(engine, queue_seconds=0.5, measured=lambda model: {4: 0.4})
    with ExitStack() as streams:
        for _ in range(2):
            streams.enter_context(opened_only(scheduler, 4, rows=4))
        engine.now += 0.4
        with pytest.raises(QueueFull, match=r"0\.8 s of work wait"):
            opened_only(scheduler, 4, rows=4)
        engine.now += 0.2
        for _ in range(2):
            await scheduler.step()
            streams.enter_context(opened_only(scheduler, 4, rows=4))


async def test_those_who_have_yet_to_begin_are_kept_room():
    scheduler = make(FakeEngine(), queued=8)
    with opened_only(scheduler, 6, rows=6), pytest.raises(QueueFull, match="no room"):
        opened(scheduler, "b", 3, rows=3)


async def test_no_more_room_is_kept_than_for_the_pictures_that_there_are():
    scheduler = make(FakeEngine(), queued=8)
    with opened_only(scheduler, 2, rows=6), opened(scheduler, "b", 6, rows=6):
        assert scheduler.queued == 6


async def test_room_that_somebody_leaves_goes_to_who_waits_for_it_though_nothing_is_drawn():
    scheduler = make(FakeEngine(), queued=2)
    with opened(scheduler, "a", 10, credit=2) as a:
        with opened(scheduler, "b", 10, credit=2):
            await scheduler.step()
            await scheduler.step()
            await a.take(1)
        assert scheduler.queued == 1


async def test_later_frames_of_others_do_not_split_the_first_frame_of_those_who_have_yet_to_begin():
    engine = FakeEngine()
    scheduler = make(engine, batch=4, queued=8)
    with opened(scheduler, "a", 40, credit=4) as a:
        await scheduler.step()
        with opened(scheduler, "b", 4, rows=4), opened_only(scheduler, 4, rows=4) as late:
            await a.take(4)
            late.begin(numbers("late", 4))
            while scheduler.queued:
                await scheduler.step()
    assert (MODEL, list(numbers("late", 4))) in engine.batches
    assert len(engine.drawn) == 4 + 4 + 4 + 4, "a goes on when there is room again"


async def test_a_stream_that_never_begins_leaves_nothing_behind():
    scheduler = make(FakeEngine(), streams=1)
    with opened_only(scheduler, 3):
        assert (scheduler.streams, scheduler.queued) == (1, 0)
    assert (scheduler.streams, scheduler.queued) == (0, 0)
    with opened(scheduler, "b", 3):
        assert scheduler.queued == 3


async def test_all_that_was_promised_is_there_again_however_those_who_were_let_in_ended():
    scheduler = make(FakeEngine(), queued=12)

    def unmade():
        raise ValueError("no works")
        yield

    with opened_only(scheduler, 4, rows=4), opened_only(scheduler, 4, rows=4) as broken, opened(scheduler, "a", 4):
        broken.begin(unmade())
        with pytest.raises(ValueError, match="no works"):
            await broken.take(1)
        await scheduler.step()
    with opened_only(scheduler, 12, rows=12) as whole:
        whole.begin(numbers("b", 12))
        assert scheduler.queued == 12
