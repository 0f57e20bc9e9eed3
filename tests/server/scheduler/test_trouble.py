"""The scheduler on a device that fails, hangs, dies or has too little memory."""

import asyncio
from contextlib import ExitStack

import pytest
from scheduling import OTHER_MODEL, FakeEngine, make, opened

from latentwalk.server.scheduler import (
    DeviceFailed,
    DeviceLost,
    DeviceOutOfMemory,
    PictureFailed,
    QueueFull,
    seek_device,
    watch_device,
)


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


async def test_a_device_that_has_nothing_to_do_does_not_hang_however_long():
    engine, told = FakeEngine(), []
    scheduler = make(engine, watchdog_seconds=10.0, on_device=told.append)
    engine.now += 100.0
    scheduler.check_device()
    with opened(scheduler, "a", 1) as stream:
        await scheduler.step()
        engine.now += 100.0
        scheduler.check_device()
        assert len(await stream.take(1)) == 1
    assert told == []


async def test_a_device_that_hangs_is_not_looked_for_as_one_that_is_lost():
    engine, lost = FakeEngine(), []

    async def run(model, works):
        engine.now += 11.0
        scheduler.check_device()
        lost.append(scheduler.has_lost_device)
        return await engine.run(model, works)

    scheduler = make(engine, run, watchdog_seconds=10.0)
    with opened(scheduler, "a", 1):
        await scheduler.step()
    assert lost == [False]


async def test_a_device_is_lost_also_if_it_has_drawn_a_part_of_the_batch_before():
    engine, told = FakeEngine(), []

    async def run(model, works):
        if len(works) > 1:
            raise DeviceOutOfMemory
        if ("a", 1) in works:
            raise DeviceLost("it is gone")
        return await engine.run(model, works)

    scheduler = make(engine, run, on_device=told.append)
    with opened(scheduler, "a", 2, rows=2) as stream:
        await scheduler.step()
        assert len(await stream.take(1)) == 1
        assert (told, scheduler.has_lost_device) == ([False], True)


@pytest.mark.parametrize(("strict", "pictures"), [(False, 1), (True, 3)])
async def test_honest_work_that_takes_long_is_no_device_that_hangs(strict, pictures):
    """Of a model with 30 s for a picture, five times as long is waited for, which is bounded too."""
    engine, told = FakeEngine(), []

    async def run(model, works):
        for seconds in (150.0 * pictures, 0.1):
            engine.now += seconds
            scheduler.check_device()
            told.append(list(hung))
        return await engine.run(model, works)

    hung = []
    scheduler = make(engine, run, measured=lambda _: {1: 30.0}, watchdog_seconds=10.0, on_device=hung.append)
    with opened(scheduler, "a", pictures, strict=strict):
        await scheduler.step()
    assert told == [[], [False]]


async def test_what_was_learned_of_a_model_that_was_not_measured_counts_too():
    engine, hung, seconds = FakeEngine(), [], [9.0, 40.0]

    async def run(model, works):
        engine.now += seconds.pop(0)
        scheduler.check_device()
        return await engine.run(model, works)

    scheduler = make(engine, run, watchdog_seconds=10.0, on_device=hung.append)
    with opened(scheduler, "a", 1), opened(scheduler, "b", 1, model=OTHER_MODEL):
        await scheduler.step()
        await scheduler.step()
    assert hung == [False, True]
    seconds += [40.0]
    with opened(scheduler, "c", 1):
        await scheduler.step()
    assert hung == [False, True]


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


async def test_a_lost_device_is_looked_for_although_nobody_asks_for_pictures():
    engine, told, found = FakeEngine(), [], asyncio.Event()
    answers = iter([DeviceLost("it is gone"), DeviceFailed("it ended before it was ready"), None])

    async def run(model, works):
        raise DeviceLost("it is gone")

    async def find():
        if answer := next(answers):
            raise answer
        found.set()

    scheduler = make(engine, run, on_device=told.append)
    with opened(scheduler, "a", 4) as stream:
        seeking = asyncio.create_task(seek_device(scheduler, find, 0.001))
        await asyncio.sleep(0.01)
        assert not found.is_set()
        await scheduler.step()
        with pytest.raises(PictureFailed, match="it is gone"):
            await stream.take(1)
    await asyncio.wait_for(found.wait(), 60)
    await asyncio.sleep(0)
    assert told == [False, True]
    assert not scheduler.has_lost_device
    seeking.cancel()


async def test_what_a_model_takes_to_come_back_is_no_part_of_what_its_batches_cost():
    engine = FakeEngine(seconds_per_picture=0.5)

    async def come_back(model):
        engine.now += 100.0

    scheduler = make(engine, batch=4, prepare=come_back)
    with opened(scheduler, "a", 4, rows=4):
        await scheduler.step()
    with opened(scheduler, "b", 16, rows=16), pytest.raises(QueueFull) as full:
        opened(scheduler, "c", 2, rows=2)
    assert full.value.retry_after_seconds == pytest.approx(2 * 0.5)


@pytest.mark.parametrize(("deaths", "is_drawn"), [(6, True), (1_000, False)])
async def test_a_device_that_dies_as_a_model_comes_back_is_no_fault_of_those_who_wait_for_it(deaths, is_drawn):
    engine = FakeEngine()
    left = iter(range(deaths))

    async def come_back(model):
        if next(left, None) is not None:
            raise DeviceFailed("it died")

    scheduler = make(engine, batch=8, prepare=come_back)
    with opened(scheduler, "a", 8, rows=8) as stream:
        await scheduler.step()
        if is_drawn:
            assert len(await stream.take(8)) == 8
            assert len(engine.batches) == 1, "they stay together"
        else:
            with pytest.raises(PictureFailed, match="it died"):
                await stream.take(8)
            assert deaths - sum(1 for _ in left) < 20, "a model that does not come back is given up"
