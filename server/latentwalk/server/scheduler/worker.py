"""What draws for the scheduler, and works that are settled only when it comes to them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class Worker(Protocol):
    """All that the scheduler knows of a model. No batch has works for two of them."""

    @property
    def seconds(self) -> Mapping[int, float]:
        """How long a batch takes, by batch size, as far as that is known before the first."""
        ...

    @property
    def longest_seconds(self) -> float:
        """How long a batch may take, while a smaller one can be had."""
        ...

    async def prepare(self) -> None:
        """Returns once it can draw; called before each `draw`, and no part of what batches cost.

        Raises DeviceFailed, DeviceLost.
        """
        ...

    async def draw(self, works: Sequence[Any], /) -> Sequence[Any]:
        """A picture or an exception for each of the works, in order; all of them are strict, or none.

        Called again shortly before it returns: what it is given then, it draws afterwards. If it raises, the works are
        drawn again in halves, so that only the guilty one fails. DeviceOutOfMemory means smaller batches of this model
        from now on; NeverBegun, that nobody among them can be guilty.
        """
        ...


class Late(ABC):
    """A work that is still open while it waits."""

    __slots__ = ()

    @abstractmethod
    def settle(self) -> Any:
        """What is to be drawn, from now on for good; called when it is the turn of its batch."""


def settled(work: Any) -> Any:
    """What a worker is given for a work."""
    return work.settle() if isinstance(work, Late) else work
