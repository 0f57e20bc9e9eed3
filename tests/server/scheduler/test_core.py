"""The scheduler loses nothing, doubles nothing, and draws nothing that nobody wants."""

import asyncio
from contextlib import ExitStack

import pytest
from scheduling import MODEL, FakeEngine, Poisoned, make, numbers, opened, settle

from latentwalk.server.scheduler import (
    DeadlinePassed,
    PictureFailed,
    QueueFull,
    Reuse,
    SchedulerClosed,
    Terms,
)


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


async def test_a_stream_wants_to_be_fed_as_far_as_its_credit_goes():
    engine = FakeEngine()
    scheduler = make(engine)
    with scheduler.open(MODEL, 6, credit=2, terms=Terms()) as stream:
        for place in range(6):
            wanted = asyncio.create_task(stream.wants())
            await settle()
            await scheduler.step()
            await settle()
            assert wanted.done() == (place < 2)
            if not wanted.done():
                assert await stream.take(1) == [("picture", "a", place - 2)]
            await wanted
            stream.feed([("a", place)])
        await scheduler.step()
        assert await stream.take(2) == [("picture", "a", 4), ("picture", "a", 5)]


async def test_what_a_stream_is_fed_beyond_its_credit_is_drawn_as_its_reader_takes_it():
    engine = FakeEngine()
    scheduler = make(engine)
    with scheduler.open(MODEL, 6, credit=2, terms=Terms(rows=6)) as stream:
        stream.feed(list(numbers("a", 6)))
        for taken in range(3):
            await scheduler.step()
            assert len(engine.drawn) == 2 * (taken + 1)
            await stream.take(2)


async def test_a_frame_larger_than_the_credit_is_still_drawn():
    engine = FakeEngine()
    scheduler = make(engine)
    with opened(scheduler, "a", 10, credit=2) as stream:
        frame = asyncio.create_task(stream.take(10))
        while not frame.done():
            await asyncio.sleep(0)
            await scheduler.step()
        assert len(frame.result()) == 10


def paces(model):
    """A device that is as good as at its best from 4 pictures on."""
    return {1: 0.2, 2: 0.3, 4: 0.42, 8: 0.8}


async def test_few_streams_get_batches_that_are_just_large_enough_for_the_device():
    engine = FakeEngine()
    scheduler = make(engine, batch=8, measured=paces)
    with opened(scheduler, "a", 16), opened(scheduler, "b", 16):
        await scheduler.step()
        await scheduler.step()
    assert len(engine.batches[1][1]) == 4


@pytest.mark.parametrize(
    ("per_picture", "per_batch", "size"),
    [(0.0008, 0.0002, 1), (0.0005, 0.0006, 2), (0.0001, 0.0005, 4), (0.0, 0.001, 8)],
    ids=["each picture costs", "a batch costs as much", "mostly the batch costs", "only the batch costs"],
)
async def test_later_frames_go_with_a_first_one_as_far_as_it_comes_hardly_later_for_them(per_picture, per_batch, size):
    engine = FakeEngine(per_picture, per_batch)
    scheduler = make(engine, batch=8, measured=lambda model: {one: one * per_picture + per_batch for one in (1, 8)})
    with opened(scheduler, "walk", 100, credit=20):
        await scheduler.step()
        with opened(scheduler, "new", 1):
            await scheduler.step()
    names = [name for name, _ in engine.batches[1][1]]
    assert names == ["new", *["walk"] * (size - 1)]


async def test_several_first_frames_share_a_batch():
    engine = FakeEngine(0.00088, 0.00012)
    scheduler = make(engine, batch=8, measured=lambda model: {1: 0.001, 8: 0.00716})
    with opened(scheduler, "walk", 100, credit=20), ExitStack() as streams:
        await scheduler.step()
        for number in range(5):
            streams.enter_context(opened(scheduler, number, 3))
        await scheduler.step()
    assert sorted(str(name) for name, _ in engine.batches[1][1]) == ["0", "1", "2", "3", "4", "walk", "walk"]


async def test_batches_are_as_large_as_they_may_be_while_nobody_knows_what_the_largest_takes():
    engine = FakeEngine()
    scheduler = make(engine, batch=8, measured=lambda model: {1: 0.02})
    with opened(scheduler, "a", 16), opened(scheduler, "b", 16):
        await scheduler.step()
        await scheduler.step()
    assert len(engine.batches[1][1]) == 8


@pytest.mark.parametrize(("seconds", "size"), [(0.1, 8), (0.25, 4), (3.0, 1)])
async def test_no_batch_takes_longer_than_a_second_while_a_smaller_one_can_be_had(seconds, size):
    engine = FakeEngine()
    scheduler = make(engine, batch=8, queued=100, measured=lambda model: {one: one * seconds for one in (1, 8)})
    with ExitStack() as streams:
        for name in range(32):
            streams.enter_context(opened(scheduler, name, 1))
        await scheduler.step()
    assert len(engine.batches[0][1]) == size


async def test_a_model_may_have_shorter_batches():
    engine = FakeEngine()
    paces = {one: one * 0.1 for one in (1, 8)}
    scheduler = make(engine, batch=8, queued=100, measured=lambda model: paces, longest=lambda model: 0.25)
    with ExitStack() as streams:
        for name in range(32):
            streams.enter_context(opened(scheduler, name, 1))
        await scheduler.step()
    assert len(engine.batches[0][1]) == 2


async def test_half_of_many_streams_share_a_batch_up_to_the_largest():
    engine = FakeEngine()
    scheduler = make(engine, batch=8, queued=100, measured=paces)
    with ExitStack() as streams:
        for count, size in ((12, 6), (50, 8)):
            while scheduler.queued < count:
                streams.enter_context(opened(scheduler, scheduler.queued, 1))
            await scheduler.step()
            assert len(engine.batches[-1][1]) == size


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


async def test_who_waits_for_a_picture_is_told_at_once_that_none_will_come():
    scheduler = make(FakeEngine())
    with opened(scheduler, "a", 3) as stream:
        waiting = asyncio.create_task(stream.take(1))
        await settle()
        scheduler.close()
        await settle()
        assert waiting.done()
        with pytest.raises(SchedulerClosed):
            await waiting


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
