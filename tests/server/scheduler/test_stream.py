"""A stream holds no more than its credit, asks for nothing once it has failed, and leaves nothing."""

import asyncio
from contextlib import ExitStack
from weakref import ref

import pytest
from scheduling import FakeEngine, make, numbers, opened, opened_only, settle

from latentwalk.server.scheduler import DeadlinePassed, Priority


async def test_what_it_was_fed_and_the_queue_has_no_room_for_uses_up_its_credit():
    scheduler = make(FakeEngine(), batch=4, queued=4)
    with opened_only(scheduler, 9, credit=3) as fed, opened(scheduler, "b", 3, rows=3, priority=Priority.HIGH):
        fed.feed(list(numbers("a", 3)))
        assert len(fed.waiting) < 3, "some of it waits for room"
        wanted = asyncio.create_task(fed.wants())
        for _ in range(3):
            await scheduler.step()
            await settle()
        assert not wanted.done()
        assert await fed.take(1) == [("picture", "a", 0)]
        await asyncio.wait_for(wanted, 10)


async def test_a_stream_that_has_failed_asks_for_nothing_more_while_its_reader_takes_what_there_is():
    engine = FakeEngine()
    scheduler = make(engine)
    with opened(scheduler, "a", 10, credit=2, deadline=1.0) as stream:
        await scheduler.step()
        await stream.take(1)
        engine.now = 1.0
        await scheduler.step()
        assert await stream.take(1) == [("picture", "a", 1)]
        assert scheduler.queued == 0
        with pytest.raises(DeadlinePassed):
            await stream.take(1)


async def test_it_has_what_can_be_taken_at_once_and_is_a_picture():
    scheduler = make(FakeEngine())
    with opened(scheduler, "a", 5, poisoned={2}) as stream:
        assert not stream.has(1), "nothing is drawn yet"
        await scheduler.step()
        assert stream.has(2)
        assert not stream.has(3), "the third could not be drawn"
        await stream.take(2)
        assert not stream.has(1)


class Drawn:
    """A picture of which one can tell whether it is there yet."""


async def test_what_was_drawn_and_not_taken_goes_when_its_stream_is_left():
    pictures = []

    async def run(model, works):
        drawn = [Drawn() for _ in works]
        pictures.extend(ref(one) for one in drawn)
        return drawn

    scheduler = make(FakeEngine(), run)
    with opened(scheduler, "a", 4) as stream:
        await scheduler.step()
        await stream.take(1)
        assert sum(picture() is not None for picture in pictures) == 3
    assert [picture() for picture in pictures] == [None] * 4
    assert stream.closed


async def test_of_more_streams_than_pictures_may_wait_each_gets_all_of_its_own():
    scheduler = make(FakeEngine(), batch=2, queued=4)
    with ExitStack() as streams:
        opened_all = []
        for name in range(20):
            opened_all.append(streams.enter_context(opened(scheduler, name, 3, credit=1)))
            await scheduler.step()
        reading = [asyncio.create_task(stream.take(3)) for stream in opened_all]
        for _ in range(40):
            await settle()
            await scheduler.step()
        await settle()
        assert [len(read.result()) for read in reading if read.done()] == [3] * 20
