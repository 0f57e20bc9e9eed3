"""The scheduler hands the device its next batch shortly before it is done with the last."""

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest
from scheduling import MODEL, OTHER_MODEL, FakeEngine, make, opened

from latentwalk.server.scheduler import DeviceFailed, PictureFailed

SECONDS = 1_000.0
"""Of a batch, on the clock of the engine: nobody waits for so long in these tests."""


class HeldEngine(FakeEngine):
    """Draws what it is given in order, each batch when it is told to."""

    def __init__(self):
        super().__init__()
        self.ends = []

    async def run(self, model, works):
        self.batches.append((model, list(works)))
        self.ends.append(end := asyncio.get_running_loop().create_future())
        await end
        return [("picture", *work) for work in works]


async def settle():
    """Lets everybody do what there is to do."""
    for _ in range(20):
        await asyncio.sleep(0)


@asynccontextmanager
async def running(engine, known=True, **how):
    """A scheduler that runs, and knows what a batch costs."""
    measured = {1: SECONDS, 4: SECONDS} if known else {}
    scheduler = make(engine, measured=lambda model: measured, longest=lambda model: 100 * SECONDS, **how)
    drawing = asyncio.create_task(scheduler.run())
    await settle()
    try:
        yield scheduler
    finally:
        scheduler.close()
        for end in engine.ends:
            with suppress(asyncio.InvalidStateError):
                end.set_result(None)
        await drawing


async def test_the_next_batch_is_there_before_the_device_is_done():
    engine = HeldEngine()
    async with running(engine) as scheduler:
        with opened(scheduler, "a", 1, model=MODEL) as first:
            await settle()
            engine.now = SECONDS - 0.001
            with opened(scheduler, "b", 1, model=OTHER_MODEL) as second:
                await settle()
                assert [works for _, works in engine.batches] == [[("a", 0)], [("b", 0)]]
                engine.ends[0].set_result(None)
                assert await first.take(1) == [("picture", "a", 0)]
                engine.ends[1].set_result(None)
                assert await second.take(1) == [("picture", "b", 0)]


async def test_a_batch_that_cannot_grow_is_sent_a_little_sooner():
    engine = HeldEngine()
    async with running(engine) as scheduler:
        with opened(scheduler, "a", 1):
            await settle()
            engine.now = SECONDS - 0.003
            with opened(scheduler, "b", 4, credit=4) as stream:
                await settle()
                assert [len(works) for _, works in engine.batches] == [1, 4]
                for end in engine.ends:
                    end.set_result(None)
                assert len(await stream.take(4)) == 4


@pytest.mark.parametrize(("known", "now"), [(True, SECONDS - 0.003), (False, SECONDS)], ids=["early", "unknown"])
async def test_until_then_it_may_still_grow(known, now):
    engine = HeldEngine()
    async with running(engine, known) as scheduler:
        with opened(scheduler, "a", 1), opened(scheduler, "b", 1):
            await settle()
            engine.now = now
            with opened(scheduler, "c", 1), opened(scheduler, "d", 1) as last:
                await settle()
                assert len(engine.batches) == 1
                engine.ends[0].set_result(None)
                await settle()
                assert engine.batches[1][1] == [("c", 0), ("d", 0)]
                engine.ends[1].set_result(None)
                assert await last.take(1)


async def test_a_hanging_device_fails_both_batches_and_neither_is_drawn_again():
    engine = HeldEngine()
    async with running(engine, watchdog_seconds=2 * SECONDS) as scheduler:
        with opened(scheduler, "a", 2) as first:
            await settle()
            engine.now = SECONDS - 0.001
            with opened(scheduler, "b", 2) as second:
                await settle()
                assert len(engine.batches) == 2
                engine.now = 5 * SECONDS + 1
                scheduler.check_device()
                for end in engine.ends:
                    end.set_exception(DeviceFailed("it was ended"))
                await settle()
                for stream in (first, second):
                    with pytest.raises((DeviceFailed, PictureFailed)):
                        await stream.take(1)
        assert len(engine.batches) == 2
