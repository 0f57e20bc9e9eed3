"""What the scheduler hands to the device: works, of which some are settled only when the device comes to them."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from latentwalk.server.engine import Row


class Late(Protocol):
    """A work that is not settled yet."""

    def settle(self) -> Any:
        """What is to be done, from now on for good."""
        ...


Work = Row | Late


class Worker(Protocol):
    """What the scheduler calls a model: a RemoteEngine or a RemoteSearcher. No batch has works for two of them."""

    @property
    def seconds(self) -> Mapping[int, float]:
        """How long a batch takes, by batch size, as far as that is known before the first."""
        ...

    @property
    def longest_seconds(self) -> float:
        """Of a batch, while a smaller one can be had."""
        ...

    async def prepare(self) -> None:
        """Returns once it can draw, which takes no time unless the device's process has ended; before each `draw`."""
        ...

    async def draw(self, works: Sequence[Any], /) -> Sequence[Any]:
        """What becomes of each of the works, which are of its own kind: a result or an exception."""
        ...


async def draw(worker: Worker, works: Sequence[Work]) -> Sequence[Any]:
    """What the worker makes of the works."""
    return await worker.draw([work if isinstance(work, Row) else work.settle() for work in works])
