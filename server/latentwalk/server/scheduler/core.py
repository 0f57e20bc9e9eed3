"""The scheduler: accepts streams, has what waits of them drawn, and hands finished pictures out."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Generic

from latentwalk.server.scheduler.admission import Admission, Limits
from latentwalk.server.scheduler.backlog import Backlog, Taken
from latentwalk.server.scheduler.drawing import Drawer
from latentwalk.server.scheduler.errors import DeadlinePassed, DeviceFailed, QueueFull, SchedulerClosed
from latentwalk.server.scheduler.experience import Experiences
from latentwalk.server.scheduler.gathering import Gathering
from latentwalk.server.scheduler.health import Health
from latentwalk.server.scheduler.hooks import Hooks
from latentwalk.server.scheduler.lane import Family, Model, Terms, Work
from latentwalk.server.scheduler.newcomers import Newcomer
from latentwalk.server.scheduler.refilling import Refiller
from latentwalk.server.scheduler.reuse import Reuse
from latentwalk.server.scheduler.stream import Picture, Stream, Ticket

_log = logging.getLogger("latentwalk.scheduler")


class Scheduler(Generic[Model, Work, Picture]):
    """One bounded queue over all streams, drawn in batches, one after the other. All methods belong to the event loop.

    Args:
        limits: how much may wait.
        reuse: which pictures need not be drawn again; by default, each one is drawn.
        hooks: whom to tell of what is done.
        watchdog_seconds: a batch that takes longer, and much longer than those of its model do, means that the device
            hangs; see `check_device`.
        clock: seconds that only ever grow; deadlines are on it.

    """

    def __init__(
        self,
        limits: Limits,
        *,
        reuse: Reuse[Model, Work, Picture] | None = None,
        hooks: Hooks | None = None,
        watchdog_seconds: float = float("inf"),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits
        self._watchdog_seconds = watchdog_seconds
        self._clock = clock
        self._hooks = hooks or Hooks()
        self._turn = asyncio.Lock()
        self._reuse: Reuse[Model, Work, Picture] = reuse or Reuse()
        self._backlog: Backlog[Stream[Model, Work, Picture]] = Backlog()
        self._experiences = Experiences(limits.batch)
        self._admission = Admission(limits, self._backlog, self._experiences, clock())
        self._newcomers = self._admission.newcomers
        self._gathering = Gathering(self._backlog, self._experiences, clock())
        self._drawer: Drawer[Model, Picture] = Drawer(clock)
        self._streams: set[Stream[Model, Work, Picture]] = set()
        self._refiller: Refiller[Model, Work, Picture] = Refiller(
            limits.queued,
            self._backlog,
            self._newcomers,
            self._reuse,
            self._streams,
            clock,
            lambda stream: self._gathering.notice(stream.terms.priority),
            self._hooks.on_reuse,
        )
        self._health = Health(self._hooks.on_device)
        self._closed = False

    @property
    def queued(self) -> int:
        """How many pictures wait."""
        return len(self._backlog)

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return len(self._streams)

    def open(self, model: Model, pictures: int, *, credit: int, terms: Terms) -> Stream[Model, Work, Picture]:
        """A stream of so many pictures, to `begin` with the works of them: whoever is refused need not make any.

        Raises SchedulerClosed, DeviceFailed while the device hangs, QueueFull if there is no room for its first frame
        or it would have to wait too long, DeadlinePassed if even an idle device could not make it.
        """
        self._check_open()
        credit, now = min(credit, self._limits.queued), self._clock()
        first = min(terms.rows, credit, pictures)
        newcomer = Newcomer(now, first, (model, terms.strict), terms.priority, terms.deadline - now)
        try:
            self._admission.check(newcomer, streams=len(self._streams), owed=self._refiller.owed)
        except QueueFull:
            self._hooks.on_refused()
            raise
        stream: Stream[Model, Work, Picture] = Stream(
            model, pictures, credit, terms, self._refiller.refill, self._close_stream
        )
        self._streams.add(stream)
        self._gathering.see(len(self._streams), now)
        self._newcomers.add(stream, newcomer)
        return stream

    def _check_open(self) -> None:
        """Raises SchedulerClosed, and DeviceFailed while the device hangs."""
        if self._closed:
            raise SchedulerClosed("the scheduler is closed")
        if self._health.hangs:
            raise DeviceFailed("the device does not answer; try again later")

    def close(self) -> None:
        """Accepts no more streams, fails those that are open, and lets `run` end after the batch that is drawn now."""
        self._closed = True
        self._gathering.close()
        self._fail_all(SchedulerClosed("the scheduler was closed"))

    # -- what is drawn -----------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Draws batch after batch until the scheduler is closed, whenever the device is free and something waits."""
        await asyncio.gather(self._take_turns(), self._take_turns())

    async def _take_turns(self) -> None:
        """One forms a batch while that of the other is drawn, so that the device need not wait for either."""
        try:
            while await self._is_my_turn():
                await self.step()
        except Exception:  # noqa: BLE001 - a fault of our own: nobody may wait for ever, and nobody else come
            _log.exception("the scheduler cannot go on; the server must be started again")
            self._hooks.on_device(False)
            self.close()

    async def _is_my_turn(self) -> bool:
        """Once the next batch is to be given to the device: True; or False, once the scheduler is closed."""
        async with self._turn:
            await self._gathering.until_something_waits()
            if await self._drawer.until_nearly_free():
                await self._gathering.until_worthwhile(len(self._streams), self._clock())
        return not self._closed

    async def step(self) -> None:
        """Draws one batch of what waits now, if anything does. What is dead is dropped, and not drawn."""
        taken = self._backlog.take(self._seats, self._clock(), self._reuse.must_draw)
        self._admission.look(self._clock())
        # Those whose picture is being drawn for another have no outcome yet.
        kept = sum(ticket.outcome is not None for ticket in taken.spared)
        outcomes, seconds = list[Picture | Exception](), 0.0
        if taken.family and taken.batch:
            outcomes, seconds = await self._drawer.draw(taken.family[0], taken.batch, self._experiences[taken.family])
        try:
            self._tell(taken, outcomes, kept, seconds)
        except Exception:  # noqa: BLE001 - whatever it is, the pictures are there
            _log.exception("a batch that was drawn could not be counted")
        self._deliver(taken, outcomes)

    def _seats(self, family: Family, lanes: int, beginners: int) -> int:
        """For a batch while so many streams wait, some for a first frame; others wait for what is being drawn."""
        streams = {ticket.stream for ticket in self._drawer.tickets}
        drawn = sum(stream.family == family and not (stream.waiting or stream.closed) for stream in streams)
        return self._experiences[family].seats(lanes + drawn, beginners)

    def check_device(self) -> None:
        """To be called now and then: fails all streams if the device hangs; it serves again when it comes back."""
        since, patience = self._drawer.running_since, max(self._watchdog_seconds, self._drawer.patience)
        if since is None or self._clock() - since <= patience:
            return
        self._drawer.give_up()
        self._health.hung()
        self._fail_all(DeviceFailed(f"the device has not answered for {patience:g} s"))

    @property
    def has_lost_device(self) -> bool:
        """Whether the last batch found no device, and nothing has been drawn since."""
        return self._health.lost

    def found_device(self) -> None:
        """A lost device is there again: that is told before anything is drawn."""
        self._health.found()

    def _deliver(self, taken: Taken[Stream[Model, Work, Picture]], outcomes: Sequence[Picture | Exception]) -> None:
        batch: list[Ticket[Work, Picture]] = taken.batch
        self._reuse.drawn(batch, outcomes)
        for stream, _ in taken.expired:
            stream.fail(DeadlinePassed("the deadline passed in the queue"))
        self._hand_out([*batch, *(twin for ticket in batch for twin in ticket.twins), *taken.spared])
        self._refiller.refill_hungry()

    def _tell(
        self,
        taken: Taken[Stream[Model, Work, Picture]],
        outcomes: Sequence[Picture | Exception],
        kept: int,
        seconds: float,
    ) -> None:
        if taken.batch:
            self._health.answered(outcomes)
            self._hooks.on_batch(len(taken.batch), seconds)
        if taken.batch or taken.spared:
            self._hooks.on_reuse(kept, len(taken.spared) - kept, len(taken.batch))
        if dropped := sum(dropped for _, dropped in taken.expired):
            self._hooks.on_dropped(dropped)

    def _hand_out(self, tickets: Sequence[Ticket[Work, Picture]]) -> None:
        streams = dict.fromkeys(ticket.stream for ticket in tickets)
        for stream in streams:
            stream.wake()
        for stream in streams:
            self._refiller.refill(stream)

    def _fail_all(self, error: Exception) -> None:
        for stream in self._streams:
            stream.fail(error)

    def _close_stream(self, stream: Stream[Model, Work, Picture]) -> None:
        stream.closed = True
        dropped = self._backlog.remove(stream)
        self._streams.discard(stream)
        self._refiller.forget(stream)
        if dropped:
            self._hooks.on_dropped(dropped)
        self._refiller.refill_hungry()
