"""Who asks to be let in, and who was let in and has yet to begin."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass

from latentwalk.server.scheduler.lane import Family, Priority

# Who was let in this long ago and has yet to begin has work of its own to do first: the device does not wait for that,
# nor should others.
_SOON_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Who asks to be let in, and when: with so many pictures of a first frame, of use for so many `seconds`."""

    came: float
    pictures: int
    family: Family
    priority: Priority
    seconds: float


class Newcomers:
    """Those that were let in, and of which nothing waits yet: room in the backlog is kept for them."""

    def __init__(self) -> None:
        self._of: dict[Hashable, Newcomer] = {}
        self.pictures = 0
        """How many they were let in with."""

    def add(self, stream: Hashable, newcomer: Newcomer) -> None:
        """It was let in."""
        self._of[stream] = newcomer
        self.pictures += newcomer.pictures

    def remove(self, stream: Hashable) -> None:
        """From now on it waits, or has left; nothing changes if that was known."""
        if newcomer := self._of.pop(stream, None):
            self.pictures -= newcomer.pictures

    def pictures_of_others(self, stream: Hashable) -> int:
        """How many pictures those besides this one were let in with."""
        own = self._of.get(stream)
        return self.pictures - (own.pictures if own else 0)

    def soon(self, priority: Priority, now: float) -> Iterator[Newcomer]:
        """Those of that priority, or a higher one, that came a moment ago: they count as if they waited."""
        return (one for one in self._of.values() if one.priority <= priority and now - one.came < _SOON_SECONDS)
