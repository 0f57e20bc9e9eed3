"""A device that draws many pictures in hardly more time than one waits until half of those there are have come."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scheduling import HeldEngine, opened, running, settle

from latentwalk.server.scheduler import Priority
from latentwalk.server.scheduler.crowd import Crowd
from latentwalk.server.scheduler.experience import Experience

MANY_AT_ONCE = {1: 0.3, 4: 0.4}
ONE_BY_ONE = {1: 0.3, 4: 1.0}


@asynccontextmanager
async def crowd_of(engine, streams, measured=MANY_AT_ONCE):
    """A scheduler that so many streams have just left, but for "a", whose picture should be there in a moment."""
    async with running(engine, measured=lambda model: measured) as scheduler:
        there = [opened(scheduler, str(number), 1) for number in range(streams)]
        while engine.waiting or len(engine.drawn) < streams:
            await settle()
            await engine.draw_next()
        for stream in there:
            with stream:
                await stream.take(1)
        engine.given.clear()
        opened(scheduler, "a", 1)
        await settle()
        yield scheduler


async def arrive(engine, scheduler, names, **terms):
    """Streams of one picture, and the device is nearly done."""
    for name in names:
        opened(scheduler, name, 1, **terms)
    await settle()
    engine.now += 0.3
    await engine.draw_next()


def given_then(engine):
    """The names in the batches after that of "a"."""
    return [[name for name, _ in works] for works in engine.given[1:]]


async def test_it_waits_until_half_of_those_there_were_wait():
    engine = HeldEngine()
    async with crowd_of(engine, 6) as scheduler:
        await arrive(engine, scheduler, "b")
        opened(scheduler, "c", 1)
        await settle()
        assert given_then(engine) == []
        opened(scheduler, "d", 1)
        await settle()
        assert given_then(engine) == [["b", "c", "d"]]


async def test_it_waits_no_longer_than_it_would_draw():
    engine = HeldEngine()
    async with crowd_of(engine, 6) as scheduler:
        await arrive(engine, scheduler, "b")
        assert given_then(engine) == []
        async with asyncio.timeout(10):
            while not given_then(engine):  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.01)
        assert given_then(engine) == [["b"]]


@pytest.mark.parametrize("streams", [1, 3])
async def test_where_few_are_it_waits_for_nobody(streams):
    engine = HeldEngine()
    async with crowd_of(engine, streams) as scheduler:
        await arrive(engine, scheduler, "b")
        assert given_then(engine) == [["b"]]


async def test_it_waits_for_nobody_where_that_saves_little():
    engine = HeldEngine()
    async with crowd_of(engine, 6, ONE_BY_ONE) as scheduler:
        await arrive(engine, scheduler, "b")
        assert given_then(engine) == [["b"]]


async def test_streams_that_left_long_ago_are_waited_for_no_more_though_nobody_came_since():
    engine = HeldEngine()
    async with crowd_of(engine, 6) as scheduler:
        opened(scheduler, "b", 1)
        await settle()
        engine.now += 1.0
        await engine.draw_next()
        assert given_then(engine) == [["b"]]


async def test_a_free_device_draws_at_once_whoever_has_been_there():
    engine = HeldEngine()
    async with crowd_of(engine, 6) as scheduler:
        engine.now += 0.3
        await engine.draw_next()
        opened(scheduler, "b", 1)
        await settle()
        assert given_then(engine) == [["b"]]


@pytest.mark.parametrize("comes", ["first", "later"])
async def test_high_priority_waits_for_nobody(comes):
    engine = HeldEngine()
    async with crowd_of(engine, 6) as scheduler:
        await arrive(engine, scheduler, "b", priority=Priority.HIGH if comes == "first" else Priority.NORMAL)
        if comes == "later":
            opened(scheduler, "c", 1, priority=Priority.HIGH)
            await settle()
        assert given_then(engine) == [["b"] if comes == "first" else ["c", "b"]]


@given(
    looks=st.lists(st.tuples(st.integers(0, 100), st.floats(0, 0.5)), max_size=20),
    alone=st.floats(0.001, 1),
    factor=st.floats(1, 8),
)
def test_never_more_are_wanted_than_half_of_the_most_there_were_nor_than_is_worth_it(looks, alone, factor):
    experience = Experience(8, {1: alone, 8: alone * factor}, longest=100.0)
    crowd, now = Crowd(0.0), 0.0
    for streams, seconds in looks:
        now += seconds
        crowd.see(streams, now)
    wanted = crowd.wanted(experience)
    assert 1 <= wanted <= 8
    if wanted > 1:
        assert wanted <= max(streams for streams, _ in looks) // 2
        assert experience.seconds(wanted) < wanted * experience.seconds(1) / 2


MANY = {0.3: "one stretch later", 0.49: "hardly two stretches later"}
FEW = {(0.3, 0.6): "by and by", (0.55,): "after a while without a look", (5.0,): "after a long while without a look"}


def wanted_after(looks, began=0.0):
    """How many are wanted where sixteen streams became two, at each of these moments."""
    experience = Experience(8, {1: 1.0, 8: 1.1}, longest=100.0)
    crowd = Crowd(began)
    crowd.see(16, began + 0.1)
    assert crowd.wanted(experience) == 8
    for moment in looks:
        crowd.see(2, began + moment)
    return crowd.wanted(experience)


@pytest.mark.parametrize("began", [0.0, 1e6])
@pytest.mark.parametrize("looks", FEW, ids=FEW.values())
def test_those_who_have_left_are_forgotten(looks, began):
    assert wanted_after(looks, began) == 1


@pytest.mark.parametrize("began", [0.0, 1e6])
@pytest.mark.parametrize("moment", MANY, ids=MANY.values())
def test_those_who_were_there_a_moment_ago_may_be_back(moment, began):
    assert wanted_after([moment], began) == 8
