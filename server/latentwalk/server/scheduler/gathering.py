"""When the next batch is formed: once something waits, and what is worth waiting for has come."""

import asyncio
from contextlib import suppress
from typing import Any

from latentwalk.server.scheduler.backlog import Backlog
from latentwalk.server.scheduler.crowd import Crowd
from latentwalk.server.scheduler.experience import Experiences
from latentwalk.server.scheduler.lane import Priority


class Gathering:
    """Waits for pictures on behalf of a free device. Nobody has come before `now`, on the clock of the scheduler."""

    def __init__(self, backlog: Backlog[Any], experiences: Experiences, now: float) -> None:
        self._backlog = backlog
        self._experiences = experiences
        self._crowd = Crowd(now)
        self._enough = asyncio.Event()
        # How many pictures must wait for that to be said.
        self._wanted = 1
        self._closed = False

    def see(self, streams: int, now: float) -> None:
        """So many streams are open."""
        self._crowd.see(streams, now)

    def notice(self, priority: Priority) -> None:
        """Pictures of that priority have come into the backlog."""
        if len(self._backlog) >= self._wanted or priority is Priority.HIGH:
            self._enough.set()

    def close(self) -> None:
        """Nothing more is waited for."""
        self._closed = True
        self._enough.set()

    async def until_something_waits(self) -> None:
        """Returns at once when it is closed."""
        while not self._closed and not len(self._backlog):
            self._enough.clear()
            await self._enough.wait()

    async def until_worthwhile(self, streams: int, now: float) -> None:
        """Lets the device wait for more, though no longer than it would draw them, and not if anything is of HIGH.

        So many streams are open now.
        """
        if not len(self._backlog):
            return
        self._crowd.see(streams, now)
        priority, family = self._backlog.foremost
        experience = self._experiences[family]
        self._wanted = wanted = self._crowd.wanted(experience)
        if priority is not Priority.HIGH and len(self._backlog) < wanted:
            self._enough.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(experience.seconds(wanted)):
                    await self._enough.wait()
        self._wanted = 1
