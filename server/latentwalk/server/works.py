"""What the scheduler hands to the device: works, of which some are settled only when the device comes to them."""

from collections.abc import Sequence
from typing import Any, Protocol

from latentwalk.server.engine import Row


class Late(Protocol):
    """A work that is not settled yet."""

    def settle(self) -> Any:
        """What is to be done, from now on for good."""
        ...


Work = Row | Late


async def draw(drawer: Any, works: Sequence[Work]) -> Sequence[Any]:
    """What a RemoteEngine or a RemoteSearcher makes of the works, which must be its own kind of works."""
    return await drawer.draw([work if isinstance(work, Row) else work.settle() for work in works])
