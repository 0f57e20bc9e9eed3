"""How works get from the streams into the backlog: as credit comes back, and as far as there is room."""

from collections.abc import Callable, Collection
from typing import Any, Generic

from latentwalk.server.scheduler.backlog import Backlog
from latentwalk.server.scheduler.lane import Model, Work
from latentwalk.server.scheduler.newcomers import Newcomers
from latentwalk.server.scheduler.reuse import Reuse
from latentwalk.server.scheduler.stream import Picture, Stream, Ticket

# A stream asks for works when it may have this part of its credit at once, or has none waiting: not one by one.
_REFILL_PART = 4


class Refiller(Generic[Model, Work, Picture]):
    """Asks streams for works, and puts into the backlog those that are to be drawn.

    Args:
        most: the most pictures that may wait.
        backlog: where they wait.
        newcomers: those for whom room is kept.
        reuse: which pictures need not be drawn.
        streams: all that are open; the room for later frames is shared among them.
        clock: as of the scheduler.
        on_refilled: told of each stream of which works came into the backlog.
        on_reuse: as of the scheduler.

    """

    def __init__(
        self,
        most: int,
        backlog: Backlog[Stream[Model, Work, Picture]],
        newcomers: Newcomers,
        reuse: Reuse[Model, Work, Picture],
        streams: Collection[Stream[Model, Work, Picture]],
        clock: Callable[[], float],
        on_refilled: Callable[[Stream[Model, Work, Picture]], object],
        on_reuse: Callable[[int, int, int], object],
    ) -> None:
        self._most = most
        # The most pictures of later frames that may wait: the rest of the room is for first frames.
        self._later_limit = max(1, most // 2)
        self._backlog = backlog
        self._newcomers = newcomers
        self._reuse = reuse
        self._streams = streams
        self._clock = clock
        self._on_refilled = on_refilled
        self._on_reuse = on_reuse
        # Streams of which nothing waits, because the backlog had no room: first come, first served.
        self._hungry: dict[Stream[Model, Work, Picture], None] = {}

    @property
    def owed(self) -> int:
        """How many streams are owed room for their next picture."""
        return len(self._hungry)

    def refill(self, stream: Stream[Model, Work, Picture]) -> None:
        """Asks a stream for as many works as its credit, its share of the backlog and the room allow."""
        if (wanted := self._wanted(stream)) <= 0:
            return
        if (count := min(wanted, self._room(stream))) > 0:
            self._ask(stream, count)
        elif not stream.waiting:
            self._hungry[stream] = None

    def refill_hungry(self) -> None:
        """Lets those that waited for room have what there is now."""
        for stream in list(self._hungry):
            if self._room(stream) <= 0:
                break
            del self._hungry[stream]
            self.refill(stream)

    def forget(self, stream: Stream[Any, Any, Any]) -> None:
        """It was closed: no room is kept for it, and none is owed."""
        self._newcomers.remove(stream)
        self._hungry.pop(stream, None)

    def _wanted(self, stream: Stream[Model, Work, Picture]) -> int:
        allowance, waiting = stream.allowance, len(stream.waiting)
        if allowance <= 0 or (waiting and allowance * _REFILL_PART < stream.credit):
            return 0
        share = max(stream.unbegun, self._later_limit // max(1, len(self._streams)), 1)
        return min(allowance, share - waiting)

    def _room(self, stream: Stream[Model, Work, Picture]) -> int:
        """How many pictures of a stream fit in beside those that wait, and those that others were let in with."""
        promised = self._newcomers.pictures_of_others(stream)
        later = max(0, self._later_limit - self._backlog.later)
        return min(self._most - len(self._backlog) - promised, stream.unbegun + later)

    def _ask(self, stream: Stream[Model, Work, Picture], count: int) -> None:
        self._newcomers.remove(stream)
        try:
            works = stream.make(count)
        except Exception as error:  # noqa: BLE001 - it goes to the reader of this stream
            stream.fail(error)
            return
        if len(works) < count:
            stream.fail(RuntimeError(f"a stream of {stream.pictures} pictures ended early"))
        tickets = [Ticket(stream, work, self._reuse.key_of(stream.model, work)) for work in works]
        stream.ask(tickets)
        new = [ticket for ticket in tickets if not self._reuse.is_kept(ticket)]
        kept = len(tickets) - len(new)
        self._backlog.add(stream, new, self._clock(), spared=kept)
        self._on_refilled(stream)
        if kept:
            self._on_reuse(kept, 0, 0)
            stream.wake()
