"""Latent work is done in turns, off the event loop, and no longer than somebody waits for it."""

import asyncio
import threading

import pytest

from latentwalk.gan.steps import one_step
from latentwalk.server.latent_work import LatentWork
from latentwalk.server.scheduler import QueueFull


@pytest.fixture
def work():
    """One thread, and room for three."""
    work = LatentWork(1, 3)
    yield work
    work.close()


@pytest.fixture
def stepwise(monkeypatch):
    """Each turn is one step."""
    monkeypatch.setattr("latentwalk.server.latent_work._TURN_SECONDS", 0.0)


def counted(name, steps, taken):
    """So many steps, told as they are taken; the name comes of them."""
    for _ in range(steps):
        taken.append((name, threading.current_thread()))
        yield
    return name


class Held:
    """Steps of which the first does not end before it is let go."""

    def __init__(self):
        self.begun, self.released = threading.Event(), threading.Event()
        self.taken = 0

    def steps(self, count=10):
        for _ in range(count):
            self.begun.set()
            self.released.wait(120)
            self.taken += 1
            yield


async def test_what_comes_of_all_the_steps_is_had_and_none_is_taken_on_the_event_loop(work, stepwise):
    taken = []
    assert await work.do(counted("a", 5, taken)) == "a"
    assert len(taken) == 5
    assert threading.current_thread() not in {thread for _, thread in taken}
    assert work.waiting == 0


async def test_those_who_come_together_take_turns(work, stepwise):
    taken = []
    assert await asyncio.gather(*(work.do(counted(name, 3, taken)) for name in "abc")) == ["a", "b", "c"]
    assert "".join(name for name, _ in taken) == "abcabcabc"


async def test_whoever_leaves_has_the_step_in_work_done_and_no_other(work, stepwise):
    held, taken = Held(), []
    first, second = asyncio.create_task(work.do(held.steps())), asyncio.create_task(work.do(counted("b", 3, taken)))
    await asyncio.to_thread(held.begun.wait)
    first.cancel()
    second.cancel()
    assert [type(one) for one in await asyncio.gather(first, second, return_exceptions=True)] == [
        asyncio.CancelledError
    ] * 2
    assert work.waiting == 0
    held.released.set()
    await work.do(counted("c", 2, taken))
    assert held.taken == 1
    assert [name for name, _ in taken] == ["c", "c"]


async def test_an_error_comes_to_whoever_asked(work):
    def broken():
        yield
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await work.do(broken())
    assert await work.do(one_step(divmod, 7, 2)) == (3, 1)


async def test_who_comes_when_too_many_wait_is_refused_and_who_goes_on_is_not():
    refused, held = [], Held()
    work = LatentWork(1, 2, lambda: refused.append(True))
    waiting = [asyncio.create_task(work.do(held.steps(1))) for _ in range(2)]
    await asyncio.to_thread(held.begun.wait)
    with pytest.raises(QueueFull, match="the latents of 2 requests wait") as full:
        await work.do(counted("a", 1, []))
    assert full.value.retry_after_seconds > 0
    assert refused == [True]
    going_on = asyncio.create_task(work.do(counted("a", 1, []), is_new=False))
    held.released.set()
    assert await going_on == "a"
    await asyncio.gather(*waiting)
    work.close()
