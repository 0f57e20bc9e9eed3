"""The scheduler loses nothing, doubles nothing, and draws nothing that nobody wants."""

import asyncio
import itertools
from contextlib import ExitStack

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from latentwalk.server.scheduler import (
    DeadlinePassed,
    DeviceFailed,
    DeviceLost,
    DeviceOutOfMemory,
    Limits,
    PictureFailed,
    Priority,
    QueueFull,
    Reuse,
    Scheduler,
    SchedulerClosed,
    Terms,
    watch_device,
)

FOREVER = float("inf")


class Model:
    """A model is known by its identity alone."""


MODEL, OTHER_MODEL = Model(), Model()


class Poisoned(Exception):
    """This picture cannot be drawn."""


class FakeEngine:
    """Draws tuples; a work that is poisoned takes its whole batch down, and so does a batch beyond the memory."""

    def __init__(self, seconds_per_picture=0.0, seconds_per_batch=0.0):
        self.now = 0.0
        self.seconds_per_picture = seconds_per_picture
        self.seconds_per_batch = seconds_per_batch
        self.memory = 1_000_000
        self.drawn = []
        self.batches = []

    def clock(self):
        return self.now

    async def run(self, model, works):
        self.batches.append((model, list(works)))
        if len(works) > self.memory:
            raise DeviceOutOfMemory
        self.now += self.seconds_per_picture * len(works) + self.seconds_per_batch
        if any(work[-1] == "poisoned" for work in works):
            raise Poisoned
        self.drawn += works
        return [("picture", *work) for work in works]


def make(engine, run=None, *, batch=4, queued=16, streams=100, queue_seconds=FOREVER, **options):
    """A scheduler on the clock of its engine."""
    limits = Limits(batch, queued, streams, queue_seconds)
    return Scheduler(run or engine.run, limits, clock=engine.clock, **options)


def numbers(name, count, poisoned=()):
    """The works of a stream: (name, place), or (name, place, "poisoned")."""
    for place in range(count):
        yield (name, place, "poisoned") if place in poisoned else (name, place)


def opened_only(scheduler, count, *, credit=100, model=MODEL, **terms):
    """A stream that has yet to begin."""
    return scheduler.open(model, count, credit=credit, terms=Terms(**terms))


def opened(scheduler, name, count, *, poisoned=(), **how):
    stream = opened_only(scheduler, count, **how)
    stream.begin(numbers(name, count, poisoned))
    return stream


async def test_pictures_come_back_in_order_to_the_stream_that_asked():
    engine = FakeEngine()
    scheduler = make(engine)
    with opened(scheduler, "a", 5) as a, opened(scheduler, "b", 2) as b:
        for _ in range(2):
            await scheduler.step()
        assert await a.take(5) == [("picture", "a", place) for place in range(5)]
        assert await b.take(2) == [("picture", "b", place) for place in range(2)]
    assert [len(works) for _, works in engine.batches] == [4, 3]


async def test_a_stream_gets_no_further_ahead_of_its_reader_than_its_credit():
    engine = FakeEngine()
    scheduler = make(engine)
    with opened(scheduler, "a", 1_000_000, credit=3) as stream:
        for _ in range(10):
            await scheduler.step()
        assert len(engine.drawn) == 3
        await stream.take(2)
        for _ in range(10):
            await scheduler.step()
        assert len(engine.drawn) == 5


async def test_a_frame_larger_than_the_credit_is_still_drawn():
    engine = FakeEngine()
    scheduler = make(engine)
    with opened(scheduler, "a", 10, credit=2) as stream:
        frame = asyncio.create_task(stream.take(10))
        while not frame.done():
            await asyncio.sleep(0)
            await scheduler.step()
        assert len(frame.result()) == 10


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


async def test_a_queue_that_does_not_run_empty_may_hold_only_a_quarter():
    engine = FakeEngine(seconds_per_picture=0.1)
    scheduler = make(engine, batch=1, queued=1_000, queue_seconds=2.0, measured=lambda model: {1: 0.1, 2: 0.2})
    with ExitStack() as clients:

        def let_in():
            for number in range(1_000):
                try:
                    clients.enter_context(opened(scheduler, "a", 1))
                except QueueFull:
                    return number
            raise AssertionError("nobody is refused")

        assert let_in() == pytest.approx(20, abs=1), "a burst"
        engine.now += 0.6
        await scheduler.step()
        assert let_in() == 0, "what waits already has to be drawn first"
        while scheduler.queued > 3:
            await scheduler.step()
        let_in()
        assert scheduler.queued == pytest.approx(5, abs=1), "a quarter"
        while scheduler.queued:
            await scheduler.step()
        assert let_in() == pytest.approx(20, abs=1), "the next burst"


async def test_a_queue_that_does_not_run_empty_stays_so_when_a_higher_priority_overtakes_it():
    engine = FakeEngine(seconds_per_picture=0.1)
    scheduler = make(engine, batch=1, queued=1_000, queue_seconds=2.0, measured=lambda model: {1: 0.1, 2: 0.2})
    with opened(scheduler, "a", 10, rows=10):
        engine.now += 0.6
        with opened(scheduler, "b", 1, priority=Priority.HIGH), pytest.raises(QueueFull):
            opened(scheduler, "c", 1)


async def test_a_full_batch_may_always_wait_however_slow_the_model():
    engine = FakeEngine(seconds_per_picture=10.0)
    scheduler = make(engine, batch=4, queue_seconds=0.1)
    with opened(scheduler, "a", 4, rows=4):
        await scheduler.step()
    with ExitStack() as waiting:
        for name in range(5):
            waiting.enter_context(opened(scheduler, name, 1))
        with pytest.raises(QueueFull):
            opened(scheduler, "b", 1)


def paces(model):
    """A device that is as good as at its best from 4 pictures on."""
    return {1: 0.2, 2: 0.3, 4: 0.42, 8: 0.8}


async def test_few_streams_get_batches_that_are_just_large_enough_for_the_device():
    engine = FakeEngine()
    scheduler = make(engine, batch=8, measured=paces)
    with opened(scheduler, "a", 16), opened(scheduler, "b", 16):
        await scheduler.step()
    assert len(engine.batches[0][1]) == 4


async def test_batches_are_as_large_as_they_may_be_while_nobody_knows_what_the_largest_takes():
    engine = FakeEngine()
    scheduler = make(engine, batch=8, measured=lambda model: {1: 0.2})
    with opened(scheduler, "a", 16), opened(scheduler, "b", 16):
        await scheduler.step()
    assert len(engine.batches[0][1]) == 8


async def test_half_of_many_streams_share_a_batch_up_to_the_largest():
    engine = FakeEngine()
    scheduler = make(engine, batch=8, queued=100, measured=paces)
    with ExitStack() as streams:
        for count, size in ((12, 6), (50, 8)):
            while scheduler.queued < count:
                streams.enter_context(opened(scheduler, scheduler.queued, 1))
            await scheduler.step()
            assert len(engine.batches[-1][1]) == size


async def test_a_deadline_that_cannot_be_met_is_told_at_once():
    engine = FakeEngine(seconds_per_picture=1.0)
    scheduler = make(engine, measured=lambda model: {1: 1.0, 4: 4.0})
    with pytest.raises(DeadlinePassed, match="the first frame takes 3 s, and the deadline is in 2 s"):
        opened(scheduler, "a", 3, rows=3, deadline=2.0)
    with opened(scheduler, "b", 3, rows=3, deadline=3.5):
        with pytest.raises(QueueFull) as full:
            opened(scheduler, "c", 3, rows=3, deadline=4.0)
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


async def test_those_who_have_yet_to_begin_are_kept_room():
    scheduler = make(FakeEngine(), queued=8)
    with opened_only(scheduler, 6, rows=6), pytest.raises(QueueFull, match="no room"):
        opened(scheduler, "b", 3, rows=3)


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


async def test_room_that_comes_free_goes_to_a_waiting_reader_before_a_newcomer():
    engine = FakeEngine()
    scheduler = make(engine, batch=2, queued=4)
    with opened(scheduler, "a", 40, credit=4) as a, opened(scheduler, "b", 40, credit=4):
        await scheduler.step()
        with opened(scheduler, "c", 2, rows=2):
            await a.take(1)
            with pytest.raises(QueueFull):
                opened(scheduler, "d", 1)
        assert scheduler.queued <= 4


async def test_only_the_guilty_picture_of_a_batch_fails():
    engine = FakeEngine()
    scheduler = make(engine)
    with opened(scheduler, "a", 2) as a, opened(scheduler, "b", 2, poisoned={1}) as b:
        await scheduler.step()
        assert len(await a.take(2)) == 2
        assert await b.take(1) == [("picture", "b", 0)]
        with pytest.raises(PictureFailed) as failed:
            await b.take(1)
        assert failed.value.index == 1
        assert isinstance(failed.value.__cause__, Poisoned)


async def test_what_is_cancelled_while_its_batch_fails_is_not_tried_again():
    engine, leaving = FakeEngine(), ExitStack()

    async def run(model, works):
        leaving.close()
        return await engine.run(model, works)

    scheduler = make(engine, run)
    with opened(scheduler, "a", 2, poisoned={0}) as a:
        leaving.enter_context(opened(scheduler, "b", 2))
        await scheduler.step()
        assert engine.drawn == [("a", 1)]
        with pytest.raises(PictureFailed):
            await a.take(1)


async def test_an_engine_that_loses_pictures_fails_them_and_nothing_hangs():
    async def lose(model, works):
        return []

    scheduler = make(FakeEngine(), lose)
    with opened(scheduler, "a", 2) as stream:
        await scheduler.step()
        with pytest.raises(PictureFailed, match="1 works became 0 pictures"):
            await stream.take(1)


async def test_works_that_cannot_be_made_fail_the_stream():
    def works():
        yield ("a", 0)
        raise ZeroDivisionError

    scheduler = make(FakeEngine())
    with scheduler.open(MODEL, 5, credit=1, terms=Terms()) as stream:
        stream.begin(works())
        await scheduler.step()
        assert await stream.take(1) == [("picture", "a", 0)]
        with pytest.raises(ZeroDivisionError):
            await stream.take(1)


async def test_works_that_end_early_fail_the_stream():
    scheduler = make(FakeEngine())
    with scheduler.open(MODEL, 2, credit=5, terms=Terms()) as stream:
        stream.begin(numbers("a", 1))
        await scheduler.step()
        assert await stream.take(1) == [("picture", "a", 0)]
        with pytest.raises(RuntimeError, match="a stream of 2 pictures ended early"):
            await stream.take(1)


async def test_no_more_can_be_taken_than_there_are():
    scheduler = make(FakeEngine())
    with opened(scheduler, "a", 1) as stream:
        await scheduler.step()
        await stream.take(1)
        with pytest.raises(ValueError, match="1 pictures were asked of a stream that has 0 left"):
            await stream.take(1)


async def test_a_passed_deadline_is_told_and_nothing_is_drawn():
    dropped = []
    engine = FakeEngine()
    scheduler = make(engine, on_dropped=dropped.append)
    with opened(scheduler, "a", 3, deadline=10.0) as stream:
        engine.now = 10.0
        await scheduler.step()
        with pytest.raises(DeadlinePassed):
            await stream.take(1)
    assert (engine.drawn, dropped, scheduler.queued, scheduler.streams) == ([], [3], 0, 0)


async def test_what_a_cancelled_stream_had_waiting_is_dropped_and_counted():
    dropped = []
    engine = FakeEngine()
    scheduler = make(engine, on_dropped=dropped.append)
    with opened(scheduler, "a", 6):
        await scheduler.step()
    await scheduler.step()
    assert (len(engine.drawn), dropped, scheduler.queued, scheduler.streams) == (4, [2], 0, 0)


async def test_a_closed_scheduler_fails_its_streams_and_takes_no_more():
    scheduler = make(FakeEngine())
    with opened(scheduler, "a", 3) as stream:
        scheduler.close()
        with pytest.raises(SchedulerClosed):
            await stream.take(1)
        with pytest.raises(SchedulerClosed):
            opened(scheduler, "b", 1)
    await asyncio.wait_for(scheduler.run(), 10)


async def test_batches_are_reported_with_their_size_and_seconds():
    batches = []
    engine = FakeEngine(seconds_per_picture=0.25)
    scheduler = make(engine, on_batch=lambda size, seconds: batches.append((size, seconds)))
    with opened(scheduler, "a", 6):
        await scheduler.step()
        await scheduler.step()
    assert batches == [(4, 1.0), (2, 0.5)]


async def test_many_readers_are_served_at_once():
    engine = FakeEngine()
    scheduler = make(engine, batch=8, queued=64, streams=10)
    run = asyncio.create_task(scheduler.run())

    async def read(name):
        with opened(scheduler, name, 50, credit=3) as stream:
            return [await stream.take(2) for _ in range(25)]

    read_all = await asyncio.gather(*(read(name) for name in range(10)))
    for name, frames in enumerate(read_all):
        assert [picture for frame in frames for picture in frame] == [("picture", name, k) for k in range(50)]
    scheduler.close()
    await run
    assert scheduler.queued == 0


async def test_a_batch_that_cannot_be_counted_is_handed_out_all_the_same():
    def fail(size, seconds):
        raise ZeroDivisionError

    scheduler = make(FakeEngine(), on_batch=fail)
    run = asyncio.create_task(scheduler.run())
    for name in "ab":
        with opened(scheduler, name, 3) as stream:
            assert len(await asyncio.wait_for(stream.take(3), 10)) == 3
    scheduler.close()
    await run


async def test_a_fault_of_the_scheduler_itself_is_told_to_all_who_wait_and_to_who_watches_the_device():
    def fail(key, picture):
        raise ZeroDivisionError

    told = []
    scheduler = make(FakeEngine(), reuse=Reuse(lambda model, work: work, 100, fail), on_device=told.append)
    with opened(scheduler, "a", 8) as stream:
        await asyncio.wait_for(scheduler.run(), 10)
        with pytest.raises(SchedulerClosed):
            await asyncio.wait_for(stream.take(8), 10)
    with pytest.raises(SchedulerClosed):
        opened(scheduler, "b", 1)
    assert told == [False]


# -- what need not be drawn ------------------------------------------------------------------------------------------


def reusing(engine, capacity=0, **options):
    """A scheduler to which equal works mean equal pictures, each of one byte."""
    return make(engine, reuse=Reuse(lambda model, work: work, capacity, lambda key, picture: 1), **options)


async def test_a_picture_that_is_being_drawn_is_drawn_for_all_who_want_it():
    engine, told = FakeEngine(), []
    scheduler = reusing(engine, on_reuse=lambda *counts: told.append(counts))
    with opened(scheduler, "a", 3) as a, opened(scheduler, "a", 3) as b:
        await scheduler.step()
        assert await a.take(3) == await b.take(3) == [("picture", "a", place) for place in range(3)]
    assert engine.drawn == [("a", 0), ("a", 1), ("a", 2)]
    assert told == [(0, 3, 3)]


async def test_those_who_share_a_picture_share_its_error_and_outlive_the_one_who_asked_first():
    engine, leaving = FakeEngine(), ExitStack()

    async def run(model, works):
        leaving.close()
        return await engine.run(model, works)

    scheduler = reusing(engine, run=run)
    leaving.enter_context(opened(scheduler, "a", 2, poisoned={1}))
    with opened(scheduler, "a", 2, poisoned={1}) as b:
        await scheduler.step()
        assert await b.take(1) == [("picture", "a", 0)]
        with pytest.raises(PictureFailed) as failed:
            await b.take(1)
        assert isinstance(failed.value.__cause__, Poisoned)


async def test_who_asks_for_a_picture_that_was_just_given_up_gets_it():
    engine, leaving = FakeEngine(), ExitStack()

    async def run(model, works):
        leaving.close()
        return await engine.run(model, works)

    scheduler = reusing(engine, run=run)
    leaving.enter_context(opened(scheduler, "a", 1))
    with opened(scheduler, "b", 1, poisoned={0}):
        await scheduler.step()
        with opened(scheduler, "a", 1) as late:
            await scheduler.step()
            assert await late.take(1) == [("picture", "a", 0)]


async def test_a_picture_that_was_drawn_lately_is_there_at_once():
    engine, told = FakeEngine(), []
    scheduler = reusing(engine, capacity=1 << 20, on_reuse=lambda *counts: told.append(counts))
    with opened(scheduler, "a", 4) as stream:
        await scheduler.step()
        await stream.take(4)
    with opened(scheduler, "a", 6) as stream:
        assert await stream.take(4) == [("picture", "a", place) for place in range(4)]
        await scheduler.step()
        assert await stream.take(2) == [("picture", "a", 4), ("picture", "a", 5)]
    assert len(engine.drawn) == 6
    assert [sum(column) for column in zip(*told, strict=True)] == [4, 0, 6]


async def test_what_is_kept_stays_within_its_bytes():
    engine, entry = FakeEngine(), 1025
    reuse = Reuse(lambda model, work: work, 10 * entry, lambda key, picture: 1)
    scheduler = make(engine, reuse=reuse)
    with opened(scheduler, "a", 50) as stream:
        for _ in range(25):
            await scheduler.step()
            await stream.take(2)
            assert reuse.bytes <= 10 * entry
    assert reuse.bytes == 10 * entry


# -- a device in trouble ---------------------------------------------------------------------------------------------


async def test_a_guilty_picture_costs_few_batches():
    engine = FakeEngine()
    scheduler = make(engine, batch=32, queued=100)
    with opened(scheduler, "a", 32, rows=32, poisoned={13}) as stream:
        await scheduler.step()
        assert len(await stream.take(13)) == 13
        with pytest.raises(PictureFailed):
            await stream.take(1)
        assert len(await stream.take(18)) == 18
    assert len(engine.batches) <= 1 + 2 * 5


async def test_a_batch_beyond_the_memory_is_halved_remembered_and_tried_again_after_a_while():
    engine = FakeEngine()
    scheduler = make(engine, batch=8, queued=10_000)
    engine.memory = 3
    with opened(scheduler, "a", 8_000, credit=8) as stream:

        async def sizes(batches):
            before = len(engine.batches)
            for _ in range(batches):
                await scheduler.step()
                await stream.take(len(engine.batches[-1][1]))
            return [len(works) for _, works in engine.batches[before:]]

        await scheduler.step()
        assert len(await stream.take(8)) == 8, "nothing is lost"
        assert [len(works) for _, works in engine.batches] == [8, 4, 2, 2, 4, 2, 2]
        assert set(await sizes(60)) == {2}
        engine.memory = 100
        assert 4 in await sizes(10)
        assert 8 in await sizes(70)


async def test_a_device_without_memory_for_one_picture_fails_that_picture():
    engine = FakeEngine()
    engine.memory = 0
    scheduler = make(engine)
    with opened(scheduler, "a", 1) as stream:
        await scheduler.step()
        with pytest.raises(PictureFailed) as failed:
            await stream.take(1)
        assert isinstance(failed.value.__cause__, DeviceOutOfMemory)


async def test_a_device_that_hangs_fails_its_streams_and_serves_again_when_it_comes_back():
    engine, told, refused = FakeEngine(), [], []

    async def run(model, works):
        for seconds in (9.0, 2.0, 5.0):
            engine.now += seconds
            scheduler.check_device()
            with ExitStack() as stack:
                try:
                    stack.enter_context(opened(scheduler, "b", 1))
                    refused.append(False)
                except DeviceFailed:
                    refused.append(True)
        return await engine.run(model, works)

    scheduler = make(engine, run, watchdog_seconds=10.0, on_device=told.append)
    with opened(scheduler, "a", 8) as stream:
        await scheduler.step()
        assert (refused, told) == ([False, True, True], [False, False, True])
        assert len(await stream.take(4)) == 4
        with pytest.raises(DeviceFailed, match="not answered for 10 s"):
            await stream.take(1)
    with opened(scheduler, "c", 1):
        assert scheduler.queued == 1


async def test_a_watch_that_was_stopped_itself_judges_the_device_at_its_next_look():
    engine, told, looks = FakeEngine(), [], []

    async def run(model, works):
        await asyncio.Event().wait()

    def clock():
        looks.append(len(told))
        if len(looks) == 2:  # its first sleep has taken this long
            engine.now = 11.0
        return engine.now

    scheduler = make(engine, run, watchdog_seconds=10.0, on_device=told.append)
    with opened(scheduler, "a", 1):
        drawing = asyncio.create_task(scheduler.step())
        await asyncio.sleep(0)
        watch = asyncio.create_task(watch_device(scheduler, 0.001, clock))
        while len(looks) < 5:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0)
        watch.cancel()
        drawing.cancel()
    assert looks[:5] == [0, 0, 0, 0, 1]


async def test_what_hung_once_is_not_drawn_again_though_its_reader_has_not_left_yet():
    engine = FakeEngine()

    async def run(model, works):
        engine.batches.append((model, works))
        engine.now += 11.0
        scheduler.check_device()
        raise DeviceFailed("it was ended")

    scheduler = make(engine, run, watchdog_seconds=10.0)
    with opened(scheduler, "a", 4) as stream:
        await scheduler.step()
        assert len(engine.batches) == 1
        with pytest.raises((DeviceFailed, PictureFailed)):
            await stream.take(1)


@pytest.mark.parametrize(("deaths", "is_drawn"), [(1, True), (2, False)])
async def test_a_picture_that_was_alone_on_a_device_that_died_is_drawn_once_more(deaths, is_drawn):
    engine = FakeEngine()
    left = [DeviceFailed("it died")] * deaths

    async def run(model, works):
        if left:
            raise left.pop()
        return await engine.run(model, works)

    scheduler = make(engine, run)
    with opened(scheduler, "a", 1) as stream:
        await scheduler.step()
        if is_drawn:
            assert len(await stream.take(1)) == 1
        else:
            with pytest.raises(PictureFailed) as failed:
                await stream.take(1)
            assert isinstance(failed.value.__cause__, DeviceFailed)


async def test_a_lost_device_fails_the_batch_at_once_and_is_told_of_until_it_draws_again():
    engine, told, lost = FakeEngine(), [], True

    async def run(model, works):
        if lost:
            engine.batches.append((model, works))
            raise DeviceLost("it is gone")
        return await engine.run(model, works)

    scheduler = make(engine, run, on_device=told.append)
    for tries in (1, 2):
        with opened(scheduler, "a", 4) as stream:
            await scheduler.step()
            with pytest.raises(PictureFailed, match="it is gone"):
                await stream.take(1)
        assert (len(engine.batches), told) == (tries, [False])
    lost = False
    with opened(scheduler, "b", 4) as stream:
        await scheduler.step()
        assert len(await stream.take(4)) == 4
    assert told == [False, True]


# -- any order of events ---------------------------------------------------------------------------------------------


class Traffic(RuleBasedStateMachine):
    """Requests come, are read, are cancelled, expire and fail, in any order, while the device draws."""

    MAX_BATCH = 3
    MAX_QUEUED = 10

    def __init__(self):
        super().__init__()
        self.runner = asyncio.Runner()
        self.engine = FakeEngine()
        self.scheduler = make(self.engine, batch=self.MAX_BATCH, queued=self.MAX_QUEUED)
        self.made = {}
        self.requests = {}
        self.yet_to_begin = []
        self.drawn_when_closed = {}
        self.names = itertools.count()

    def teardown(self):
        for name in list(self.requests):
            self.leave(name)
        assert (self.scheduler.queued, self.scheduler.streams) == (0, 0)
        self.runner.close()

    def works(self, name, count, poisoned):
        for work in numbers(name, count, poisoned):
            self.made[name] += 1
            yield work

    @rule(
        count=st.integers(0, 12),
        credit=st.integers(1, 6),
        model=st.sampled_from([MODEL, OTHER_MODEL]),
        lifetime=st.sampled_from([1.0, 5.0, FOREVER]),
        poisoned=st.frozensets(st.integers(0, 11), max_size=2),
        rows=st.integers(1, 4),
        priority=st.sampled_from(list(Priority)),
        client=st.sampled_from("xy"),
        begins=st.booleans(),
    )
    def come(self, count, credit, model, lifetime, poisoned, begins, **terms):
        name = next(self.names)
        self.made[name] = 0
        deadline = self.engine.now + lifetime
        fits = min(credit, count, terms["rows"]) <= self.MAX_QUEUED - self.scheduler.queued
        try:
            stream = self.scheduler.open(model, count, credit=credit, terms=Terms(deadline=deadline, **terms))
        except QueueFull:
            assert self.made[name] == 0
        else:
            assert fits
            self.requests[name] = {"stream": stream.__enter__(), "read": 0, "count": count, "credit": credit}
            self.requests[name] |= {"deadline": deadline, "poisoned": poisoned, "rows": terms["rows"]}
            self.yet_to_begin.append(name)
            if begins:
                self.begin()

    @precondition(lambda self: self.yet_to_begin)
    @rule()
    def begin(self):
        name = self.yet_to_begin.pop()
        request = self.requests[name]
        request["stream"].begin(self.works(name, request["count"], request["poisoned"]))
        assert self.made[name] >= min(request["rows"], request["credit"], request["count"]), "it has its first frame"

    @rule()
    def draw(self):
        now, before = self.engine.now, len(self.engine.drawn)
        self.runner.run(self.scheduler.step())
        for work in self.engine.drawn[before:]:
            assert self.requests[work[0]]["deadline"] > now

    @rule(pictures=st.sampled_from([1, 2, 100]))
    def have_memory(self, pictures):
        self.engine.memory = pictures

    @rule(seconds=st.floats(0.1, 3.0))
    def pass_time(self, seconds):
        self.engine.now += seconds

    @precondition(lambda self: self.requests)
    @rule(data=st.data(), count=st.integers(1, 4))
    def read(self, data, count):
        name = data.draw(st.sampled_from(sorted(self.requests)))
        self.runner.run(self.read_some(name, count))

    async def read_some(self, name, count):
        """Reads what is there; if that is less, gives the credit back and leaves the rest for later."""
        request = self.requests[name]
        for _ in range(min(count, request["count"] - request["read"])):
            place = request["read"]
            try:
                async with asyncio.timeout(0):
                    pictures = await request["stream"].take(1)
            except TimeoutError:
                return
            except PictureFailed as failed:
                assert failed.index == place  # noqa: PT017 - it may fail, or not
                assert place in request["poisoned"]
                request["read"] += 1
            except DeadlinePassed:
                assert request["deadline"] <= self.engine.now
                return
            else:
                assert pictures == [("picture", name, place)]
                request["read"] += 1

    @precondition(lambda self: self.requests)
    @rule(data=st.data())
    def cancel(self, data):
        self.leave(data.draw(st.sampled_from(sorted(self.requests))))

    def leave(self, name):
        self.requests.pop(name)["stream"].__exit__(None, None, None)
        self.yet_to_begin = [other for other in self.yet_to_begin if other != name]
        self.drawn_when_closed[name] = self.times_drawn(name)

    def times_drawn(self, name):
        return sum(work[0] == name for work in self.engine.drawn)

    @invariant()
    def bounds_hold(self):
        assert 0 <= self.scheduler.queued <= self.MAX_QUEUED
        assert all(1 <= len(works) <= self.MAX_BATCH for _, works in self.engine.batches)
        for name, request in self.requests.items():
            assert self.made[name] - request["read"] <= request["credit"]

    @invariant()
    def nothing_is_drawn_twice(self):
        assert len(set(self.engine.drawn)) == len(self.engine.drawn)

    @invariant()
    def nothing_is_drawn_for_those_who_left(self):
        for name, times in self.drawn_when_closed.items():
            assert self.times_drawn(name) == times

    @precondition(lambda self: self.requests)
    @rule()
    def everybody_who_keeps_reading_gets_everything(self):
        while self.yet_to_begin:
            self.begin()
        for _ in range(200):
            self.runner.run(self.scheduler.step())
            for name in self.requests:
                self.runner.run(self.read_some(name, 4))
        for request in self.requests.values():
            assert request["read"] == request["count"] or request["deadline"] <= self.engine.now


Traffic.TestCase.settings = settings(deadline=None, max_examples=60, stateful_step_count=30)
TestTraffic = Traffic.TestCase
