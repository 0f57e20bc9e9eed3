"""The ordered pictures of one request, on the side of its reader. Lives on the event loop."""

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import islice
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from latentwalk.server.scheduler.errors import PictureFailed
from latentwalk.server.scheduler.lane import Lane, Model, Terms, Work

Picture = TypeVar("Picture")


class Ticket(Generic[Work, Picture]):
    """One picture of a stream, from when its work was made until its reader takes it."""

    __slots__ = ("begun", "key", "outcome", "stream", "twins", "work")

    def __init__(self, stream: "Stream[Any, Work, Picture]", work: Work, key: Hashable) -> None:
        self.stream = stream
        self.work = work
        self.key = key
        """What the picture depends on; equal keys mean equal pictures."""
        self.begun: float | None = None
        """When the device began to draw it; None if it did not, or not for this ticket."""
        self.outcome: Picture | Exception | None = None
        self.twins: list[Ticket[Work, Picture]] = []
        """Tickets of the same picture that are served with this one."""

    @property
    def is_wanted(self) -> bool:
        """Whether anybody still waits for the picture."""
        return not self.stream.closed or any(twin.is_wanted for twin in self.twins)


class Stream(Lane[Model, Ticket[Work, Picture]], Generic[Model, Work, Picture]):
    """A context manager; leaving it gives back everything that the stream holds.

    Its credit is the most pictures that it may have waiting, on the device, and finished but not yet taken: so it costs
    nothing while its reader is slow.

    Args:
        model: what draws them.
        pictures: how many there are.
        credit: see above.
        terms: how it is to be served.
        refill: asks for more works as credit comes back.
        close: forgets the stream.

    """

    def __init__(
        self,
        model: Model,
        pictures: int,
        credit: int,
        terms: Terms,
        refill: "Callable[[Stream[Model, Work, Picture]], None]",
        close: "Callable[[Stream[Model, Work, Picture]], None]",
    ) -> None:
        super().__init__(model, terms)
        self.pictures = pictures
        self.credit = credit
        self.closed = False
        self._refill = refill
        self._close = close
        self._works: Iterator[Work] | None = None
        self._fed: deque[Work] = deque()
        self._has_credit = asyncio.Event()
        self._tickets: deque[Ticket[Work, Picture]] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._failure: Exception | None = None
        self._taken = 0
        self.begun: float | None = None
        """When the device began to draw the picture that was taken last; None if it was not drawn for this stream."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close(self)
        self._tickets.clear()

    def begin(self, works: Iterator[Work]) -> None:
        """Has the pictures of these works drawn, in order; it is asked for the next ones only as credit allows."""
        self._works = works
        self._refill(self)

    def feed(self, works: Sequence[Work]) -> None:
        """Has the pictures of these works drawn next: instead of `begin`, where works come one after the other."""
        self._fed.extend(works)
        self._refill(self)

    async def wants(self) -> None:
        """Returns when it is to be fed: what it was fed, and is not drawn and taken yet, does not use up its credit."""
        while len(self._tickets) + len(self._fed) >= self.credit:
            self._has_credit.clear()
            await self._has_credit.wait()

    def make(self, count: int) -> list[Work]:
        """The next works, so many, or fewer if there are no more. Raises what making them raises."""
        if self._works is None:
            return [self._fed.popleft() for _ in range(min(count, len(self._fed)))]
        return list(islice(self._works, count))

    @property
    def allowance(self) -> int:
        """How many more pictures it may ask for now."""
        if self.closed or self._failure is not None:
            return 0
        held = len(self._tickets)
        left = self.pictures - self._taken - held
        return min(self.credit - held, len(self._fed) if self._works is None else left)

    @property
    def unbegun(self) -> int:
        """How many pictures of the first frame were not asked for yet."""
        return max(0, self.terms.rows - self._taken - len(self._tickets))

    def ask(self, tickets: Sequence[Ticket[Work, Picture]]) -> None:
        """Uses up credit for the next pictures."""
        self._tickets.extend(tickets)

    def wake(self) -> None:
        """Lets the reader look whether the picture that it waits for is there."""
        if self._waiter is not None and not self._waiter.done() and (self._is_ready or self._failure is not None):
            self._waiter.set_result(None)

    def fail(self, error: Exception) -> None:
        """Ends the stream with this error, after the pictures that are finished; the first one stands."""
        self._failure = self._failure or error
        self.wake()

    async def take(self, count: int) -> list[Picture]:
        """The next `count` pictures, as soon as they are drawn.

        Raises PictureFailed when the turn comes of one that could not be drawn, DeadlinePassed, DeviceFailed,
        SchedulerClosed, and ValueError for more than are left.
        """
        if count > (left := self.pictures - self._taken):
            raise ValueError(f"{count} pictures were asked of a stream that has {left} left")
        pictures: list[Picture] = []
        while len(pictures) < count:
            while self._is_ready and len(pictures) < count:
                pictures.append(self._next())
            self._refill(self)
            if len(pictures) < count and not self._is_ready:
                await self._wait()
        return pictures

    def has(self, count: int) -> bool:
        """Whether the next `count` pictures can be taken without waiting, and all of them were drawn."""
        ready = [ticket.outcome for ticket in islice(self._tickets, count)]
        return len(ready) == count and not any(one is None or isinstance(one, Exception) for one in ready)

    @property
    def _is_ready(self) -> bool:
        return bool(self._tickets) and self._tickets[0].outcome is not None

    def _next(self) -> Picture:
        ticket = self._tickets.popleft()
        outcome, self.begun = ticket.outcome, ticket.begun
        index, self._taken = self._taken, self._taken + 1
        self._has_credit.set()
        if isinstance(outcome, Exception):
            raise PictureFailed(index, outcome)
        assert outcome is not None  # noqa: S101 - it is the caller's to look first
        return outcome

    async def _wait(self) -> None:
        if self._failure is not None:
            raise self._failure
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None
