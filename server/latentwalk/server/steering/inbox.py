"""What the caller of an interactive stream has sent: its setup and, of its positions, only the newest."""

import asyncio
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Self

from latentwalk.rpc.errors import NotServing
from latentwalk.server.validation import read_position, read_setup
from latentwalk.v1 import generation_service_pb2 as pb


@dataclass(frozen=True, slots=True)
class Arrival:
    """A position, and how many of those before it were dropped."""

    sequence: int
    position: pb.SteerPosition
    dropped: int


class Inbox:
    """Reads the messages of one caller, within its context, and keeps the newest. It lives on the event loop.

    Args:
        requests: the messages, from the setup on.
        draining: set when the service begins to drain.

    """

    def __init__(self, requests: AsyncIterator[pb.SteerRequest], draining: asyncio.Event) -> None:
        self._requests = requests
        self._draining = draining
        self._changed = asyncio.Event()
        self._setup: pb.SteerSetup | None = None
        self._newest: Arrival | None = None
        self._dropped = 0
        self._failure: Exception | None = None
        self._has_ended = False
        self._offer: Callable[[Arrival], bool] | None = None

    def __enter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._wake_at_drain())]
        return self

    def __exit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()

    async def setup(self) -> pb.SteerSetup:
        """Waits for the setup. Raises as `newest` does."""
        self._check()
        while self._setup is None:
            await self._change()
        return self._setup

    async def newest(self) -> Arrival | None:
        """Waits for a position to be drawn, and takes it out; None when the caller has closed its side.

        Raises InvalidRequest for a message that breaks the rules of the stream, NotServing when the service drains, and
        whatever else went wrong while messages were read.
        """
        self._check()
        while self._newest is None and not self._has_ended:
            await self._change()
        taken, self._newest = self._newest, None
        return taken

    @contextmanager
    def offering(self, offer: Callable[[Arrival], bool]) -> Generator[None]:
        """Within the context, every position is offered first to `offer`, which says whether it takes it.

        One that it takes overtakes the one that it had before.
        """
        self._offer = offer
        try:
            yield
        finally:
            self._offer = None

    def _check(self) -> None:
        """Raises what ends the stream, if there is anything."""
        if self._failure is not None:
            raise self._failure
        if self._draining.is_set():
            raise NotServing("the service is shutting down")

    async def _change(self) -> None:
        """Waits for news. Raises as `_check` does."""
        self._changed.clear()
        await self._changed.wait()
        self._check()

    async def _read(self) -> None:
        last: int | None = None
        try:
            self._setup = await read_setup(self._requests)
            self._changed.set()
            async for request in self._requests:
                position = read_position(request, last)
                last = request.sequence
                self._arrive(Arrival(last, position, self._dropped))
                self._changed.set()
        except Exception as error:  # noqa: BLE001 - it goes to whoever serves the stream
            self._failure = error
        self._has_ended = True
        self._changed.set()

    async def _wake_at_drain(self) -> None:
        await self._draining.wait()
        self._changed.set()

    def _arrive(self, arrival: Arrival) -> None:
        """Puts the position in the place of the one that waits, which is dropped."""
        self._dropped += self._newest is not None
        self._newest = None
        if arrival.position.paused:
            return
        overtaking = replace(arrival, dropped=self._dropped + 1)
        if self._offer is not None and self._offer(overtaking):
            self._dropped += 1
        else:
            self._newest = replace(arrival, dropped=self._dropped)
