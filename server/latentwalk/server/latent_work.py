"""Latents are read, mapped and moved in threads of their own, a moment at a time, in turn with those of others.

    steps  ->  a turn in a thread  ->  a turn  ->  ...  ->  what comes of them
               (one step at least)  ^  back to the end of the line; whoever has left is not there any more

So the event loop is free meanwhile, nobody waits for all that another has asked for, and work that nobody wants any
more ends with the step in work.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from latentwalk.gan.steps import Steps
from latentwalk.server.scheduler import QueueFull

T = TypeVar("T")

# Long enough that what a turn costs by itself, a tenth of a millisecond, is of no account.
_TURN_SECONDS = 0.01


class LatentWork:
    """Does the latent work of all requests. All methods belong to the event loop.

    Args:
        threads: how many turns are taken at once.
        most: how many requests may wait for a turn, or take one, when another comes.
        on_refused: told of each request that was refused because of load.

    """

    def __init__(self, threads: int, most: int, on_refused: Callable[[], object] = lambda: None) -> None:
        self._pool = ThreadPoolExecutor(threads, "latents")
        self._threads = threads
        self._most = most
        self._on_refused = on_refused
        self.waiting = 0
        """How many requests wait for a turn, or take one."""

    def close(self) -> None:
        """Ends the threads, once they have taken the steps in work; what waits is not done."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def do(self, steps: Steps[T], *, is_new: bool = True) -> T:
        """What comes of the steps. Whoever is cancelled meanwhile has the step in work done, and no other.

        Raises what the steps raise, and QueueFull for what `is_new` if too many wait. What goes on with what was let in
        before is not refused.
        """
        if is_new and self.waiting >= self._most:
            self._on_refused()
            raise QueueFull(
                f"the latents of {self.waiting:,} requests wait to be mapped or moved, which is the most",
                self.waiting * _TURN_SECONDS / self._threads,
            )
        self.waiting += 1
        try:
            while not (result := await asyncio.get_running_loop().run_in_executor(self._pool, _take_turn, steps)):
                pass
        finally:
            self.waiting -= 1
        return result[0]


def _take_turn(steps: Steps[T]) -> tuple[T] | None:
    """Takes steps for a moment; what comes of them, if they were the last."""
    end = time.monotonic() + _TURN_SECONDS
    try:
        next(steps)
        while time.monotonic() < end:
            next(steps)
    except StopIteration as stop:
        return (stop.value,)
    return None
