"""The scheduler: accepts streams, feeds the backlog as credit comes back, and hands finished pictures out."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Generic

from latentwalk.server.scheduler.backlog import Backlog, Model, Taken, Work
from latentwalk.server.scheduler.stream import DeadlinePassed, Picture, Stream

# How much the newest batch counts in the measured rate: enough to follow a change within some ten batches.
_NEWEST = 0.2
_SHORTEST_RETRY_SECONDS = 0.05
# When nothing tells how long it will take.
_RETRY_SECONDS_UNKNOWN = 1.0

_log = logging.getLogger("latentwalk.scheduler")


class QueueFull(Exception):
    """A request would not fit into the queue; it may be sent again after `retry_after_seconds`."""

    def __init__(self, message: str, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class SchedulerClosed(Exception):
    """The scheduler was closed; nothing more is drawn."""


class Scheduler(Generic[Model, Work, Picture]):
    """One bounded queue over all streams, drawn in batches by whoever calls `step`, one caller at a time.

    All other methods belong to the event loop.

    Args:
        run_batch: draws works of one model, at least 1 and at most max_batch; returns a picture or an exception for
            each, in order. If it raises, the works are drawn again one by one, so that only the guilty one fails.
        post: hands a callback to the event loop from another thread, e.g. loop.call_soon_threadsafe.
        max_batch: the most pictures of one batch.
        max_queued: the most pictures that may wait, over all streams.
        max_streams: the most streams that may be open.
        clock: seconds that only ever grow; deadlines are on it.
        on_batch: told of each batch: how many pictures, how many seconds.
        on_dropped: told how many waiting pictures were dropped because nobody wants them any more.

    """

    def __init__(
        self,
        run_batch: Callable[[Model, Sequence[Work]], Sequence[Picture | Exception]],
        post: Callable[[Callable[[], None]], object],
        *,
        max_batch: int,
        max_queued: int,
        max_streams: int,
        clock: Callable[[], float] = time.monotonic,
        on_batch: Callable[[int, float], object] = lambda size, seconds: None,
        on_dropped: Callable[[int], object] = lambda pictures: None,
    ) -> None:
        self._run_batch = run_batch
        self._post = post
        self._max_batch = max_batch
        self._max_streams = max_streams
        self._clock = clock
        self._on_batch = on_batch
        self._on_dropped = on_dropped
        self._changed = threading.Condition()
        self._backlog: Backlog[Stream[Model, Work, Picture]] = Backlog(max_queued)
        self._streams: set[Stream[Model, Work, Picture]] = set()
        # Streams with credit to spend for which the backlog had no room, first come first served.
        self._hungry: dict[Stream[Model, Work, Picture], None] = {}
        self._seconds_per_picture: float | None = None
        self._closed = False

    @property
    def queued(self) -> int:
        """How many pictures wait."""
        return len(self._backlog)

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return len(self._streams)

    def open(
        self, model: Model, works: Iterator[Work], pictures: int, *, credit: int, deadline: float
    ) -> Stream[Model, Work, Picture]:
        """A stream of as many `pictures` as `works` has; `works` is asked for the next one only as credit allows.

        Raises SchedulerClosed, and QueueFull, at once, if too many streams are open or the queue has no room for what
        this one would put into it now.
        """
        if self._closed:
            raise SchedulerClosed("the scheduler is closed")
        credit = min(credit, self._backlog.limit)
        self._admit(min(credit, pictures))
        stream = Stream(model, works, pictures, credit, deadline, self._refill, self._close_stream)
        self._streams.add(stream)
        self._refill(stream)
        return stream

    def close(self) -> None:
        """Accepts no more streams, fails those that are open, and lets `wait` return False."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for stream in self._streams:
            stream.fail(SchedulerClosed("the scheduler was closed"))

    def wait(self) -> bool:
        """Blocks until there is something to draw, and returns True; or until the scheduler is closed: False."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._backlog) > 0)
            return not self._closed

    def step(self) -> None:
        """Draws one batch of what waits now, if anything does. What is dead is dropped, and not drawn."""
        with self._changed:
            taken = self._backlog.take(self._max_batch, self._clock())
        started = self._clock()
        outcomes = self._draw(taken) if taken.batch else []
        self._post(partial(self._deliver, taken, outcomes, self._clock() - started))

    def _draw(self, taken: Taken[Stream[Model, Work, Picture]]) -> Sequence[Picture | Exception]:
        model = taken.batch[0][0].model
        try:
            return self._run([work for _, work in taken.batch], model)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not take the innocent with it
            _log.warning("a batch of %d failed and is drawn one by one: %r", len(taken.batch), error)
            return [self._draw_alone(stream, work) for stream, work in taken.batch]

    def _draw_alone(self, stream: Stream[Model, Work, Picture], work: Work) -> Picture | Exception:
        if stream.closed:
            return SchedulerClosed("the stream was closed")
        try:
            return self._run([work], stream.model)[0]
        except Exception as error:  # noqa: BLE001 - it goes to the reader of this picture
            return error

    def _run(self, works: list[Work], model: Model) -> Sequence[Picture | Exception]:
        pictures = self._run_batch(model, works)
        if len(pictures) != len(works):
            raise RuntimeError(f"a batch of {len(works)} works became {len(pictures)} pictures")
        return pictures

    def _deliver(
        self, taken: Taken[Stream[Model, Work, Picture]], outcomes: Sequence[Picture | Exception], seconds: float
    ) -> None:
        for (stream, _), outcome in zip(taken.batch, outcomes, strict=True):
            stream.receive(outcome)
        for stream, dropped in taken.expired:
            stream.fail(DeadlinePassed("the deadline passed in the queue"))
            self._on_dropped(dropped)
        if taken.batch:
            self._measure(len(taken.batch), seconds)
            self._on_batch(len(taken.batch), seconds)
        self._feed()

    def _admit(self, pictures: int) -> None:
        if self.streams >= self._max_streams:
            raise QueueFull(f"{self.streams:,} requests are being served, which is the most", _RETRY_SECONDS_UNKNOWN)
        # Those who wait for room already come first.
        room = 0 if self._hungry else self._backlog.room
        if pictures > room:
            retry = self._seconds_for(pictures - room)
            raise QueueFull(
                f"the queue holds {self.queued:,} pictures of at most {self._backlog.limit:,}, and has no room for "
                f"{pictures:,} more; try again in {retry:.2g} s",
                retry,
            )

    def _seconds_for(self, pictures: int) -> float:
        if self._seconds_per_picture is None:
            return _RETRY_SECONDS_UNKNOWN
        return max(_SHORTEST_RETRY_SECONDS, pictures * self._seconds_per_picture)

    def _measure(self, pictures: int, seconds: float) -> None:
        newest = seconds / pictures
        known = newest if self._seconds_per_picture is None else self._seconds_per_picture
        self._seconds_per_picture = known + _NEWEST * (newest - known)

    def _refill(self, stream: Stream[Model, Work, Picture]) -> None:
        """Puts as many works of the stream into the backlog as its credit and the room allow."""
        # Only this thread fills the backlog: there will be no less room than there is now.
        count = min(stream.allowance, self._backlog.room)
        if count < stream.allowance:
            self._hungry[stream] = None
        try:
            works = list(islice(stream.works, count))
        except Exception as error:  # noqa: BLE001 - it goes to the reader of this stream
            stream.fail(error)
            return
        if len(works) < count:
            stream.fail(RuntimeError(f"a stream of {stream.pictures} pictures ended early"))
        if not works:
            return
        stream.count_asked(len(works))
        with self._changed:
            for work in works:
                self._backlog.add(stream, work)
            self._changed.notify()

    def _feed(self) -> None:
        """Lets the hungry have the room that there is."""
        while self._hungry and self._backlog.room > 0:
            stream = next(iter(self._hungry))
            del self._hungry[stream]
            self._refill(stream)

    def _close_stream(self, stream: Stream[Model, Work, Picture]) -> None:
        with self._changed:
            stream.closed = True
            dropped = self._backlog.remove(stream)
        self._streams.discard(stream)
        self._hungry.pop(stream, None)
        if dropped:
            self._on_dropped(dropped)
        self._feed()
