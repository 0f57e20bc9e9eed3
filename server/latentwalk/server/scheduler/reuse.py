"""Pictures that need not be drawn again: those that are being drawn now, and those drawn lately."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Generic

from latentwalk.server.cache import Cache
from latentwalk.server.scheduler.lane import Model, Work
from latentwalk.server.scheduler.stream import Picture, Ticket


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
        self._cache: Cache[Picture] = Cache(capacity, size_of)
        self._drawing: dict[Hashable, Ticket[Work, Picture]] = {}

    @property
    def bytes(self) -> int:
        """How many bytes of finished pictures are kept now."""
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
