"""From z to w+, with what was mapped lately at hand."""

from collections.abc import Callable, Hashable, Sequence
from threading import Lock

import torch
from torch import Tensor

from latentwalk.gan.generator import Generator
from latentwalk.gan.styles import map_rows
from latentwalk.server.cache import Cache
from latentwalk.server.keys import bytes_of


class Mapper:
    """Maps rows for all models, and keeps what became of those mapped lately. For any thread.

    What is kept of a model that went is pushed out by that of others, or found again when the model comes back.

    Args:
        capacity: the most bytes to keep; 0 for none.
        on_mapped: told, in the thread of the call, how many rows were kept from earlier and how many were mapped.

    """

    def __init__(self, capacity: int = 0, on_mapped: Callable[[int, int], object] = lambda kept, mapped: None) -> None:
        self._cache: Cache[Tensor] = Cache(capacity, _entry_bytes)
        self._on_mapped = on_mapped
        self._turn = Lock()  # held for look-ups only: two threads may map at once, though it be the same row

    @property
    def bytes(self) -> int:
        """How many bytes are kept now."""
        return self._cache.bytes

    def __call__(self, generator: Generator, z: Tensor, condition: Tensor | None) -> Tensor:
        """The w+ [R, L, W] of z [R, Z] and a condition [R, K] or None, bit for bit as `map_rows` has it."""
        keys = _keys(generator, z, condition)
        with self._turn:
            found = [self._cache.find(key) for key in keys]
        missing = [index for index, row in enumerate(found) if row is None]
        self._on_mapped(len(keys) - len(missing), len(missing))
        if missing:
            mapped = map_rows(generator, z[missing], None if condition is None else condition[missing])
            with self._turn:
                for index, row in zip(missing, mapped, strict=True):
                    found[index] = row
                    self._cache.keep(keys[index], row)
        return torch.stack([row for row in found if row is not None])


def _keys(generator: Generator, z: Tensor, condition: Tensor | None) -> Sequence[Hashable]:
    """What the w+ of each row depends on, to the last bit: the weights, z and condition."""
    conditions = [b""] * len(z) if condition is None else [one.tobytes() for one in condition.numpy()]
    return [(generator.digest, one.tobytes(), given) for one, given in zip(z.numpy(), conditions, strict=True)]


def _entry_bytes(key: Hashable, row: Tensor) -> int:
    """A w+ of equal layers has the memory of one."""
    return bytes_of(key) + row.untyped_storage().nbytes()
