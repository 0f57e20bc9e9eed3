"""What the scheduler need not draw: equal pictures that are being drawn, or were."""

from contextlib import ExitStack

import pytest
from scheduling import FakeEngine, Poisoned, make, opened

from latentwalk.server.scheduler import (
    PictureFailed,
    Reuse,
)


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


async def test_later_frames_keep_nobody_out_though_the_first_need_not_be_drawn():
    engine = FakeEngine(seconds_per_picture=1.0)
    scheduler = reusing(
        engine, capacity=1 << 20, batch=1, queued=100, queue_seconds=2.0, measured=lambda model: {1: 1.0}
    )
    with opened(scheduler, "a", 4, rows=4) as stream:
        for _ in range(4):
            await scheduler.step()
        await stream.take(4)
    with opened(scheduler, "a", 8, rows=4), opened(scheduler, "b", 1):
        assert scheduler.queued == 4 + 1


async def test_a_picture_larger_than_all_room_throws_nothing_out():
    engine = FakeEngine()
    reuse = Reuse(lambda model, work: work, 10_000, lambda key, picture: 20_000 if "large" in picture else 1)
    scheduler = make(engine, reuse=reuse)
    for name, drawn in (("small", 1), ("large", 2), ("small", 2), ("large", 3)):
        with opened(scheduler, name, 1) as stream:
            await scheduler.step()
            await stream.take(1)
        assert len(engine.drawn) == drawn


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
