"""The ordered pictures of one request, on the side of its reader. Lives on the event loop."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Generic, Self, TypeVar

from latentwalk.server.scheduler.backlog import Lane, Model, Work

Picture = TypeVar("Picture")


class DeadlinePassed(Exception):
    """The deadline of a stream passed while its pictures waited."""


class PictureFailed(Exception):
    """One picture could not be drawn; `index` is its place in the stream, from 0, and the cause is chained."""

    def __init__(self, index: int, cause: Exception) -> None:
        super().__init__(f"picture {index}: {cause}")
        self.index = index
        self.__cause__ = cause


class Stream(Lane[Model, Work], Generic[Model, Work, Picture]):
    """A context manager; leaving it gives back everything that the stream holds.

    Its credit is the most pictures that it may have waiting, on the device, and finished but not yet taken: so it costs
    nothing while its reader is slow.
    """

    def __init__(
        self,
        model: Model,
        works: Iterator[Work],
        pictures: int,
        credit: int,
        deadline: float,
        refill: "Callable[[Stream[Model, Work, Picture]], None]",
        close: "Callable[[Stream[Model, Work, Picture]], None]",
    ) -> None:
        super().__init__(model, deadline)
        self.works = works
        self.pictures = pictures
        self.credit = credit
        self.closed = False
        self._refill = refill
        self._close = close
        self._finished: deque[Picture | Exception] = deque()
        self._arrived = asyncio.Event()
        self._failure: Exception | None = None
        self._asked = 0
        self._taken = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close(self)
        self._finished.clear()

    @property
    def allowance(self) -> int:
        """How many more pictures it may ask for now."""
        if self.closed:
            return 0
        return min(self.credit - (self._asked - self._taken), self.pictures - self._asked)

    def count_asked(self, pictures: int) -> None:
        """Uses up credit."""
        self._asked += pictures

    def receive(self, outcome: Picture | Exception) -> None:
        """The next picture in order, or the error that it became."""
        if not self.closed:
            self._finished.append(outcome)
            self._arrived.set()

    def fail(self, error: Exception) -> None:
        """Ends the stream with this error, after the pictures that are finished; the first one stands."""
        self._failure = self._failure or error
        self._arrived.set()

    async def take(self, count: int) -> list[Picture]:
        """The next `count` pictures, as soon as they are drawn.

        Raises PictureFailed when the turn comes of one that could not be drawn, DeadlinePassed, SchedulerClosed, and
        ValueError for more than are left.
        """
        if count > (left := self.pictures - self._taken):
            raise ValueError(f"{count} pictures were asked of a stream that has {left} left")
        pictures: list[Picture] = []
        while len(pictures) < count:
            while self._finished and len(pictures) < count:
                pictures.append(self._next())
            self._refill(self)
            if len(pictures) < count and not self._finished:
                await self._wait()
        return pictures

    def _next(self) -> Picture:
        outcome = self._finished.popleft()
        index, self._taken = self._taken, self._taken + 1
        if isinstance(outcome, Exception):
            raise PictureFailed(index, outcome)
        return outcome

    async def _wait(self) -> None:
        if self._failure is not None:
            raise self._failure
        self._arrived.clear()
        await self._arrived.wait()
