"""Batches on the device, whatever happens to them: every ticket gets a picture or an error of its own."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from itertools import compress
from typing import Any, Generic, NamedTuple

from latentwalk.server.scheduler.errors import (
    DeviceFailed,
    DeviceLost,
    DeviceOutOfMemory,
    NeverBegun,
    SchedulerClosed,
)
from latentwalk.server.scheduler.experience import Experience
from latentwalk.server.scheduler.lane import Model
from latentwalk.server.scheduler.stream import Picture, Ticket
from latentwalk.server.scheduler.worker import Worker, settled

# The next batch is sent to the device so long before that should be done with what it has: afterwards it would have to
# wait until pictures are handed out, and the batch is formed and sent.
_LEAD_SECONDS = 0.0015
# A busy event loop comes late to that: it sets out sooner by as much as it has been late, and by no more than this,
# since nothing can overtake what has been sent.
_MOST_LATE_SECONDS = 0.0025
_LATE_MEMORY = 0.9

# Whoever kills the device is found within some log2(n) deaths, which somebody else's batch outlives. After more, it is
# the model that cannot come back.
_MOST_CHANCES = 16

_log = logging.getLogger("latentwalk.scheduler")


class _Given(NamedTuple):
    """A batch that the device has."""

    since: float
    seconds: float
    """How long it should take; infinity for as long as nothing is known."""
    patience: float
    """How long it may take before the device hangs; 0 for as long as nothing is known."""


class _Attempt(NamedTuple, Generic[Model]):
    """What is the same for a batch and for what it is halved into."""

    model: Model
    experience: Experience
    surrenders: int
    """How often the device had been given up when it came."""
    may_die: bool
    """Whether it may take the device with it, and be drawn once more."""
    chances: int = _MOST_CHANCES
    """How often the device may still fail before it has come to it."""


class Drawer(Generic[Model, Picture]):
    """Has models draw tickets.

    The device draws one batch after the other, in the order in which it was given them. A batch that fails as a whole
    is halved until the guilty stand alone: g of them among n cost at most some 2 g log2(n) further batches. One that
    does not fit the memory of the device is halved likewise. A picture that was alone from the start on a device that
    died is drawn once more. A batch with which the device had not begun when it died, also because the model was still
    coming back, is drawn again whole, a few times. Nobody is drawn again whom nobody wants any more, after `give_up`,
    or once the device is lost.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.tickets: set[Ticket[Any, Any]] = set()
        """Those that the device has now."""
        self._drawn_at = float("-inf")
        self._given: deque[_Given] = deque()
        self._done_at = float("-inf")
        self._done = asyncio.Event()
        # How late this is when it wants to begin, as a moving average.
        self._late = 0.0
        self._surrenders = 0

    @property
    def running_since(self) -> float | None:
        """When the device began what it is doing now; None while it does nothing."""
        return max(self._given[0].since, self._done_at) if self._given else None

    @property
    def patience(self) -> float:
        """How long what the device does now may take before it hangs, as far as anything is known of that."""
        return self._given[0].patience if self._given else 0.0

    async def until_nearly_free(self) -> bool:
        """Returns when the device does nothing, or should be done in a moment with all that it has.

        Whether that took time.
        """
        waited = False
        while (since := self.running_since) is not None:
            done = since + sum(given.seconds for given in self._given)
            begin = done - _LEAD_SECONDS - min(self._late, _MOST_LATE_SECONDS)
            if (seconds := begin - self._clock()) <= 0:
                return waited
            waited = True
            self._done.clear()
            try:
                async with asyncio.timeout(seconds if seconds < float("inf") else None):  # without a task of its own
                    await self._done.wait()
            except TimeoutError:
                late = max(0.0, self._clock() - begin)
                self._late = _LATE_MEMORY * self._late + (1 - _LATE_MEMORY) * late
                return True
        return waited

    def give_up(self) -> None:
        """Whatever the device has now need not be drawn again should it fail."""
        self._surrenders += 1

    async def draw(
        self, model: Model, tickets: Sequence[Ticket[Any, Any]], experience: Experience
    ) -> tuple[list[Picture | Exception], float]:
        """A picture or an exception for each ticket, in order.

        And the seconds since the device began with them, or was done with others that it had been given before.
        """
        given = self._clock()
        self.tickets.update(tickets)
        outcomes = await self._draw(_Attempt(model, experience, self._surrenders, len(tickets) == 1), tickets)
        self.tickets.difference_update(tickets)
        began, self._drawn_at = max(given, self._drawn_at), self._clock()
        for ticket in tickets:
            ticket.begun = began
        return outcomes, self._drawn_at - began

    async def _draw(self, attempt: _Attempt[Model], tickets: Sequence[Ticket[Any, Any]]) -> list[Picture | Exception]:
        try:
            return await self._drawn(attempt, tickets)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not take the innocent with it
            _log.warning("a batch of %d failed: %r", len(tickets), error)
            if isinstance(error, DeviceOutOfMemory):
                attempt.experience.ran_out(len(tickets))
            if isinstance(error, DeviceLost):
                self.give_up()
            failed = error
        half = len(tickets) // 2  # of one, the second half is all of it
        if isinstance(failed, NeverBegun):
            if not attempt.chances:
                return [failed] * len(tickets)
            half, attempt = 0, attempt._replace(chances=attempt.chances - 1)
        elif half or (attempt.may_die and isinstance(failed, DeviceFailed)):
            attempt = attempt._replace(may_die=False)
        else:
            return [failed]
        outcomes: list[Picture | Exception] = []
        for part in (tickets[:half], tickets[half:]):
            if self._surrenders > attempt.surrenders:
                outcomes += [failed] * len(part)
            else:
                outcomes += await self._draw_wanted(attempt, part)
        return outcomes

    async def _drawn(self, attempt: _Attempt[Model], tickets: Sequence[Ticket[Any, Any]]) -> list[Picture | Exception]:
        experience, count = attempt.experience, len(tickets)
        given = _Given(self._clock(), experience.expected(count), experience.patience(count))
        self._given.append(given)
        try:
            await _come_back(attempt.model)
            prepared = self._clock()
            pictures = list(await attempt.model.draw([settled(ticket.work) for ticket in tickets]))
        finally:
            self._given.remove(given)
            before, self._done_at = self._done_at, self._clock()
            self._done.set()
        if len(pictures) != count:
            raise RuntimeError(f"a batch of {count} works became {len(pictures)} pictures")
        experience.went_well(count, self._done_at - max(prepared, before))
        return pictures

    async def _draw_wanted(
        self, attempt: _Attempt[Model], tickets: Sequence[Ticket[Any, Any]]
    ) -> list[Picture | Exception]:
        wanted = [ticket.is_wanted for ticket in tickets]
        rest = list(compress(tickets, wanted))
        drawn = iter(await self._draw(attempt, rest) if rest else ())
        return [next(drawn) if is_wanted else SchedulerClosed("the stream was closed") for is_wanted in wanted]


async def _come_back(model: Worker) -> None:
    """Raises NeverBegun if the device fails meanwhile, and DeviceLost."""
    try:
        await model.prepare()
    except DeviceLost:
        raise
    except DeviceFailed as error:
        raise NeverBegun(str(error)) from error
