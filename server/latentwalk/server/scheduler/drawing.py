"""One batch on the device, whatever happens to it: every ticket gets a picture or an error of its own."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from itertools import compress
from typing import Any, Generic

from latentwalk.server.scheduler.backlog import Model, Work
from latentwalk.server.scheduler.errors import DeviceFailed, DeviceLost, DeviceOutOfMemory, SchedulerClosed
from latentwalk.server.scheduler.experience import Experience
from latentwalk.server.scheduler.stream import Picture, Ticket

_log = logging.getLogger("latentwalk.scheduler")


class Drawer(Generic[Model, Work, Picture]):
    """Draws tickets with `run`, which takes works of one model and gives a picture or an exception for each.

    A batch that fails as a whole is halved until the guilty stand alone: g of them among n cost at most some
    2 g log2(n) further batches. One that does not fit the memory of the device is halved likewise. A picture that was
    alone from the start on a device that died is drawn once more. Nobody is drawn again whom nobody wants any more,
    after `give_up`, or once the device is lost.
    """

    def __init__(
        self,
        run: Callable[[Model, Sequence[Work]], Awaitable[Sequence[Picture | Exception]]],
        clock: Callable[[], float],
    ) -> None:
        self._run = run
        self._clock = clock
        self.running_since: float | None = None
        """When the device began what it is doing now; None while it does nothing."""
        self._gave_up = False

    def give_up(self) -> None:
        """Whatever is being drawn now need not be drawn again should it fail."""
        self._gave_up = True

    async def draw(
        self, model: Model, tickets: Sequence[Ticket[Any, Any]], experience: Experience
    ) -> list[Picture | Exception]:
        """A picture or an exception for each ticket, in order."""
        self._gave_up = False
        return await self._draw(model, tickets, experience, may_die=len(tickets) == 1)

    async def _draw(
        self, model: Model, tickets: Sequence[Ticket[Any, Any]], experience: Experience, *, may_die: bool = False
    ) -> list[Picture | Exception]:
        try:
            return await self._drawn(model, [ticket.work for ticket in tickets], experience)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not take the innocent with it
            _log.warning("a batch of %d failed: %r", len(tickets), error)
            if isinstance(error, DeviceOutOfMemory):
                experience.ran_out(len(tickets))
            if isinstance(error, DeviceLost):
                self.give_up()
            failed = error
        if len(tickets) == 1 and not (may_die and isinstance(failed, DeviceFailed)):
            return [failed]
        half = len(tickets) // 2  # of one, the second half is all of it
        outcomes: list[Picture | Exception] = []
        for part in (tickets[:half], tickets[half:]):
            outcomes += [failed] * len(part) if self._gave_up else await self._draw_wanted(model, part, experience)
        return outcomes

    async def _drawn(self, model: Model, works: list[Work], experience: Experience) -> list[Picture | Exception]:
        started = self.running_since = self._clock()
        try:
            pictures = list(await self._run(model, works))
        finally:
            self.running_since = None
        if len(pictures) != len(works):
            raise RuntimeError(f"a batch of {len(works)} works became {len(pictures)} pictures")
        experience.went_well(len(works), self._clock() - started)
        return pictures

    async def _draw_wanted(
        self, model: Model, tickets: Sequence[Ticket[Any, Any]], experience: Experience
    ) -> list[Picture | Exception]:
        wanted = [ticket.is_wanted for ticket in tickets]
        rest = list(compress(tickets, wanted))
        drawn = iter(await self._draw(model, rest, experience) if rest else ())
        return [next(drawn) if is_wanted else SchedulerClosed("the stream was closed") for is_wanted in wanted]
