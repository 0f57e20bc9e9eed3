"""Pictures that need not be drawn again: those that are being drawn now, and those drawn lately."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Generic

from latentwalk.server.scheduler.backlog import Model, Work
from latentwalk.server.scheduler.stream import Picture, Ticket

# What an entry takes besides its key and its picture, roughly.
_ENTRY_BYTES = 1024


class PictureCache(Generic[Picture]):
    """Pictures by key, at most `capacity` bytes of them; the least recently used one goes first. 0 keeps nothing."""

    def __init__(self, capacity: int, size_of: Callable[[Hashable, Picture], int]) -> None:
        self._capacity = capacity
        self._size_of = size_of
        self._pictures: OrderedDict[Hashable, Picture] = OrderedDict()
        self.bytes = 0
        """What the pictures kept take, with their keys."""

    def find(self, key: Hashable) -> Picture | None:
        """The picture of that key, if it is kept."""
        picture = self._pictures.get(key)
        if picture is not None:
            self._pictures.move_to_end(key)
        return picture

    def keep(self, key: Hashable, picture: Picture) -> None:
        """Keeps a picture for as long as there is room, if it fits at all."""
        size = self._size_of(key, picture) + _ENTRY_BYTES
        if key in self._pictures or size > self._capacity:
            return
        self._pictures[key] = picture
        self.bytes += size
        while self.bytes > self._capacity:
            self.bytes -= self._size_of(*self._pictures.popitem(last=False)) + _ENTRY_BYTES


class Reuse(Generic[Model, Work, Picture]):
    """Knows which pictures are being drawn, and which were drawn lately.

    Args:
        key_of: what the picture of a work depends on, all of it: equal keys mean equal pictures. None is equal to
            nothing: such a picture is always drawn.
        capacity: the most bytes of finished pictures to keep; 0 for none.
        size_of: the bytes of a key and its picture.

    """

    def __init__(
        self,
        key_of: Callable[[Model, Work], Hashable] = lambda model, work: None,
        capacity: int = 0,
        size_of: Callable[[Hashable, Picture], int] = lambda key, picture: 0,
    ) -> None:
        self.key_of = key_of
        self._cache: PictureCache[Picture] = PictureCache(capacity, size_of)
        self._drawing: dict[Hashable, Ticket[Work, Picture]] = {}

    @property
    def bytes(self) -> int:
        """What the finished pictures that are kept take."""
        return self._cache.bytes

    def is_kept(self, ticket: Ticket[Work, Picture]) -> bool:
        """Gives the ticket its picture if that was drawn lately."""
        if ticket.key is not None:
            ticket.outcome = self._cache.find(ticket.key)
        return ticket.outcome is not None

    def must_draw(self, ticket: Ticket[Work, Picture]) -> bool:
        """Whether the turn of this ticket takes a seat of the batch: not if its picture is there or on its way."""
        if ticket.key is None:
            return True
        leader = self._drawing.get(ticket.key)
        # One that nobody wants any more may have been left out when its batch was drawn again.
        if leader is not None and leader.is_wanted:
            leader.twins.append(ticket)
            return False
        if self.is_kept(ticket):
            return False
        self._drawing[ticket.key] = ticket
        return True

    def drawn(self, tickets: Sequence[Ticket[Any, Picture]], outcomes: Sequence[Picture | Exception]) -> None:
        """These tickets, of which each had to be drawn, have got these outcomes; their twins share them."""
        for ticket, outcome in zip(tickets, outcomes, strict=True):
            ticket.outcome = outcome
            if ticket.key is None:
                continue
            if self._drawing.get(ticket.key) is ticket:
                del self._drawing[ticket.key]
            for twin in ticket.twins:
                twin.outcome = outcome
            if not isinstance(outcome, Exception):
                self._cache.keep(ticket.key, outcome)
