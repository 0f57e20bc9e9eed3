"""A cache of bounded size: what was made lately, and may be asked for again."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Kept = TypeVar("Kept")

# What an entry takes besides its key and what it keeps, roughly.
_ENTRY_BYTES = 1024


class Cache(Generic[Kept]):
    """What is kept by key, at most `capacity` bytes of it; the least recently used goes first. 0 keeps nothing.

    `size_of` says the bytes of a key and of what is kept under it. Not for several threads at once.
    """

    def __init__(self, capacity: int, size_of: Callable[[Hashable, Kept], int]) -> None:
        self._capacity = capacity
        self._size_of = size_of
        self._kept: OrderedDict[Hashable, Kept] = OrderedDict()
        self.bytes = 0
        """How many are kept now, those of the keys included."""

    def find(self, key: Hashable) -> Kept | None:
        """What is kept under that key, if anything is."""
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
        return kept

    def keep(self, key: Hashable, kept: Kept) -> None:
        """Keeps it for as long as there is room, if it fits at all."""
        size = self._size_of(key, kept) + _ENTRY_BYTES
        if key in self._kept or size > self._capacity:
            return
        self._kept[key] = kept
        self.bytes += size
        while self.bytes > self._capacity:
            self.bytes -= self._size_of(*self._kept.popitem(last=False)) + _ENTRY_BYTES
