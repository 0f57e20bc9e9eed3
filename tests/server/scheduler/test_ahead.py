"""The scheduler hands the device its next batch shortly before it is done with the last."""

import asyncio
from contextlib import ExitStack, asynccontextmanager

import pytest
from scheduling import MODEL, OTHER_MODEL, HeldEngine, make, opened, opened_only, running, settle

from latentwalk.server.scheduler import DeviceFailed, PictureFailed, Priority, Reuse, SchedulerClosed

SECONDS = 1_000.0
"""Of a batch, on the clock of the engine: nobody waits for so long in these tests."""


def informed(engine, known=True, seconds=SECONDS, **how):
    """A scheduler that runs, and knows what a batch costs."""
    measured = {1: seconds, 4: seconds} if known else {}
    return running(engine, measured=lambda model: measured, longest=lambda model: 100 * SECONDS, **how)


@asynccontextmanager
async def two_given(engine, first=1, second=1, second_model=MODEL, **how):
    """A scheduler that runs, and streams of so many pictures; the device has a batch of each."""
    async with informed(engine, **how) as scheduler:
        with opened(scheduler, "a", first) as a:
            await settle()
            engine.now += SECONDS - 0.001
            with opened(scheduler, "b", second, model=second_model) as b:
                await settle()
                assert [works[0] for works in engine.given] == [("a", 0), ("b", 0)]
                yield scheduler, a, b


async def test_the_next_batch_is_there_before_the_device_is_done():
    engine = HeldEngine()
    async with two_given(engine, second_model=OTHER_MODEL) as (_, first, second):
        await engine.draw_next()
        assert await first.take(1) == [("picture", "a", 0)]
        await engine.draw_next()
        assert await second.take(1) == [("picture", "b", 0)]


async def test_who_leaves_before_its_turn_holds_up_nobody():
    engine = HeldEngine()
    async with informed(engine) as scheduler:
        opened(scheduler, "a", 1)
        await settle()
        with opened(scheduler, "b", 1):
            await settle()
        await engine.draw_next()
        with opened(scheduler, "c", 1) as last:
            await settle()
            await engine.draw_next()
            assert await last.take(1) == [("picture", "c", 0)]


async def test_an_event_loop_that_came_late_begins_sooner_the_next_time(monkeypatch):
    monkeypatch.setattr("latentwalk.server.scheduler.drawing._LATE_MEMORY", 0.0)
    engine = HeldEngine()
    async with informed(engine, seconds=0.2) as scheduler:
        opened(scheduler, "a", 1)
        await settle()
        opened(scheduler, "b", 1)
        await settle()
        engine.now = 0.2005  # it wanted to begin at 0.1985
        await asyncio.sleep(0.3)
        await settle()  # on a busy machine, both have waited until the same moment
        assert engine.given[-1] == [("b", 0)]
        await engine.draw_next()
        engine.now = 0.3975  # the device should be done at 0.4005
        opened(scheduler, "c", 1)
        await settle()
        assert engine.given[-1] == [("c", 0)]


@pytest.mark.parametrize(("known", "now"), [(True, SECONDS - 1.0), (False, SECONDS)], ids=["early", "unknown"])
async def test_until_then_it_may_still_grow(known, now):
    engine = HeldEngine()
    async with informed(engine, known) as scheduler:
        with opened(scheduler, "a", 1), opened(scheduler, "b", 1):
            await settle()
            engine.now = now
            with opened(scheduler, "c", 1), opened(scheduler, "d", 1) as last:
                await settle()
                assert len(engine.given) == 1
                await engine.draw_next()
                assert engine.given[1] == [("c", 0), ("d", 0)]
                await engine.draw_next()
                assert await last.take(1)


async def test_a_hanging_device_fails_both_batches_and_neither_is_drawn_again():
    engine = HeldEngine()
    async with two_given(engine, 2, 2, watchdog_seconds=5 * SECONDS) as (scheduler, *streams):
        engine.now += 5 * SECONDS
        scheduler.check_device()
        await engine.die()
        for stream in streams:
            with pytest.raises((DeviceFailed, PictureFailed)):
                await stream.take(1)
        assert len(engine.given) == 2


@pytest.mark.parametrize("count", [1, 3])
async def test_whoever_was_behind_pictures_of_which_the_device_died_outlives_them(count):
    engine = HeldEngine()
    async with two_given(engine, 4, count) as (_, guilty, innocent):
        while engine.waiting:
            works, _ = engine.waiting[0]
            await (engine.die() if ("a", 1) in works else engine.draw_next())
        assert await innocent.take(count) == [("picture", "b", place) for place in range(count)]
        assert await guilty.take(1) == [("picture", "a", 0)]
        with pytest.raises(PictureFailed, match="picture 1: it died"):
            await guilty.take(1)
        assert await guilty.take(2) == [("picture", "a", place) for place in (2, 3)]


async def test_a_batch_behind_one_beyond_the_memory_is_drawn_before_its_halves():
    engine = HeldEngine()
    engine.memory = 2
    async with two_given(engine, 4, 2) as (_, first, second):
        for _ in range(4):
            await engine.draw_next()
        assert [len(works) for works in engine.given] == [4, 2, 2, 2]
        assert len(await first.take(4) + await second.take(2)) == 6
        assert [len(works) for _, works in engine.batches] == [4, 2, 2, 2]


async def test_who_wants_a_picture_that_its_batch_has_dropped_meanwhile_gets_it():
    engine = HeldEngine()
    engine.memory = 1
    reuse = Reuse(lambda model, work: work)
    async with informed(engine, reuse=reuse) as scheduler:
        with opened(scheduler, "b", 1), opened(scheduler, "c", 1):
            with opened(scheduler, "a", 1):
                await settle()
            for given in ([("b", 0), ("c", 0), ("a", 0)], [("b", 0)], [("c", 0)]):
                assert engine.given[-1] == given
                if given != [("c", 0)]:
                    await engine.draw_next()
            engine.now += SECONDS
            with opened(scheduler, "a", 1) as late:
                await settle()
                while engine.waiting:
                    await engine.draw_next()
                assert await late.take(1) == [("picture", "a", 0)]


async def test_a_scheduler_that_is_closed_begins_no_further_batch():
    engine = HeldEngine()
    async with informed(engine) as scheduler:
        with opened(scheduler, "a", 1), opened(scheduler, "b", 4):
            await settle()
            with opened(scheduler, "c", 1):
                await settle()
                scheduler.close()
                await engine.draw_next()
                await settle()
                assert len(engine.given) == 1


async def test_a_fault_of_the_schedulers_own_leaves_what_the_device_has_to_be_finished():
    engine, told = HeldEngine(), []

    def size_of(key, picture):
        return 1 if key[0] == "b" else 1 / 0

    reuse = Reuse(lambda model, work: work, 100_000, size_of)
    async with two_given(engine, reuse=reuse, on_device=told.append) as (scheduler, first, second):
        await engine.draw_next()
        assert told == [False]
        assert await first.take(1) == [("picture", "a", 0)]
        await engine.draw_next()
        assert await second.take(1) == [("picture", "b", 0)]
        with pytest.raises(SchedulerClosed):
            opened(scheduler, "c", 1)


async def test_seconds_are_those_for_which_the_device_was_busy_with_a_batch():
    engine, told = HeldEngine(), []
    batches = lambda size, seconds: told.append((size, seconds))  # noqa: E731
    async with two_given(engine, 1, 2, on_batch=batches) as (_, first, second):
        engine.now = 1_000.0
        await engine.draw_next()
        engine.now = 1_400.0
        await engine.draw_next()
        assert told == [(1, 1_000.0), (2, 400.0)]
        await first.take(1)
        await second.take(1)
        assert (first.begun, second.begun) == (0.0, 1_000.0)


async def test_a_turn_in_which_nothing_is_drawn_takes_nothing_off_the_seconds_of_what_is():
    engine, told = HeldEngine(), []
    reuse = Reuse(lambda model, work: work)
    batches = lambda size, seconds: told.append((size, seconds))  # noqa: E731
    async with informed(engine, reuse=reuse, on_batch=batches) as scheduler:
        with opened(scheduler, "a", 1):
            await settle()
            engine.now = SECONDS - 0.001
            with opened(scheduler, "a", 1) as twin:
                await settle()
                engine.now = SECONDS
                await engine.draw_next()
                assert await twin.take(1)
    assert told == [(1, SECONDS)]


async def test_who_waits_for_another_model_has_no_part_in_how_large_a_batch_is():
    engine = HeldEngine()
    measured = {1: SECONDS, 32: 32 * SECONDS}
    scheduler = make(engine, batch=32, queued=100, measured=lambda model: measured, longest=lambda model: 1e6)
    with ExitStack() as stack:
        turns = []
        for model, priority in ((MODEL, Priority.NORMAL), (OTHER_MODEL, Priority.HIGH)):
            for name in range(8):
                stack.enter_context(opened(scheduler, name, 1, model=model, priority=priority))
            turns.append(asyncio.create_task(scheduler.step()))
            await settle()
        assert [len(works) for works in engine.given] == [4, 4], "half of those who wait for it"
        for turn in turns:
            await engine.draw_next()
            await turn


def paced(model):
    """A device that is as good as at its best from 4 pictures on."""
    return {1: 500.0, 2: 520.0, 4: 560.0, 32: 4_480.0}


@pytest.mark.parametrize(
    ("meanwhile", "newcomers", "size"),
    [("they wait", 8, 6), ("they ask for more", 4, 4), ("they leave", 8, 4), ("they get their pictures", 8, 4)],
)
async def test_half_of_all_who_wait_share_a_batch_also_of_those_who_wait_for_the_one_before(meanwhile, newcomers, size):
    engine = HeldEngine()
    how = {"measured": paced, "longest": lambda model: 10_000.0, "batch": 32, "queued": 100}
    async with running(engine, **how) as scheduler:
        with ExitStack() as before, ExitStack() as later:
            first = [before.enter_context(opened_only(scheduler, 2)) for _ in range(4)]
            for stream in first:
                stream.feed([("first", 0)])
            await settle()
            assert len(engine.given[0]) == 4
            engine.now += 10_000.0
            if meanwhile == "they leave":
                before.close()
            if meanwhile == "they get their pictures":
                await engine.draw_next()
            for stream in first if meanwhile == "they ask for more" else ():
                stream.feed([("first", 1)])
            for number in range(newcomers):
                later.enter_context(opened(scheduler, number, 1))
            await settle()
            assert len(engine.given[1]) == size
