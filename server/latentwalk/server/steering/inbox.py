"""What the caller of an interactive stream has sent: its setup and, of its positions, only the newest."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
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

    async def newer_than(self, former: Arrival | None) -> Arrival:
        """Waits for a position to be drawn that is not the former one, and leaves it there. Raises as `newest`."""
        while self._newest is None or self._newest is former:
            await self._change()
        return self._newest

    def overtake(self, arrival: Arrival) -> None:
        """Of two positions, this one takes the place of the one that was taken out before it, which is dropped."""
        if self._newest is arrival:
            self._newest = None
            self._dropped += 1
        # Else it was counted as dropped itself, when a newer one came.

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
                last = self._arrive(request, last)
                self._changed.set()
                del request  # or it would be held until the next one comes
        except Exception as error:  # noqa: BLE001 - it goes to whoever serves the stream
            self._failure = error
        self._has_ended = True
        self._changed.set()

    async def _wake_at_drain(self) -> None:
        await self._draining.wait()
        self._changed.set()

    def _arrive(self, request: pb.SteerRequest, last: int | None) -> int:
        """Puts the position in the place of the one that waits, which is dropped; returns its sequence number."""
        position = read_position(request, last)
        self._dropped += self._newest is not None
        self._newest = None if position.paused else Arrival(request.sequence, position, self._dropped)
        return request.sequence
