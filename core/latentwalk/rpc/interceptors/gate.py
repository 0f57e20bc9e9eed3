"""Who is let in while the service starts and drains, and how many are inside."""

import asyncio
from collections import Counter
from typing import Any

from latentwalk.rpc.errors import NotServing, QueueFull
from latentwalk.rpc.interceptors.layers import Behaviour, Call, Context, Layer

# When one of those inside will leave, nobody knows.
_RETRY_SECONDS = 0.5
# A proxy may watch the health of several services for many clients through one connection.
_MOST_WATCHES_OF_ONE = 64


class Gate(Layer):
    """Refuses calls unless it is open, or beyond `most` inside, and knows when the last of those it let in has left.

    Infrastructure, such as health checks and reflection, passes at any time and is not counted: a service that has as
    much to do as it may is not ill. But of its streams, which last and need no token, there are at most `most_watches`,
    and few on one connection: else whoever opens many would leave no room for calls.
    """

    def __init__(self, most: int, most_watches: int) -> None:
        self._most, self._most_watches = most, most_watches
        self._watches = 0
        self._watches_of: Counter[str] = Counter()
        self._inside = 0
        self._refusal: str | None = "the service starts; try again soon"
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def is_open(self) -> bool:
        """Whether calls are let in."""
        return self._refusal is None

    def open(self) -> None:
        """Lets calls in."""
        self._refusal = None

    def close(self) -> None:
        """Lets no more calls in; those inside go on."""
        self._refusal = "the service is shutting down"

    async def wait_until_empty(self) -> None:
        """Returns when nobody is inside."""
        await self._empty.wait()

    async def around(self, call: Call, request: Any, context: Context, proceed: Behaviour) -> Any:
        """Counts the call in and out. Raises NotServing when the gate is closed, QueueFull when it is full."""
        if call.method.is_infrastructure:
            return await self._beside(call, request, context, proceed)
        if self._refusal is not None:
            raise NotServing(self._refusal)
        if self._inside >= self._most:
            raise QueueFull(f"{self._inside:,} calls are under way, which is the most (max_calls)", _RETRY_SECONDS)
        self._inside += 1
        self._empty.clear()
        try:
            return await proceed(request, context)
        finally:
            self._inside -= 1
            if self._inside == 0:
                self._empty.set()

    async def _beside(self, call: Call, request: Any, context: Context, proceed: Behaviour) -> Any:
        if call.method.kind == "unary":
            return await proceed(request, context)
        connection = context.peer()
        own = self._watches_of[connection]
        if self._watches >= self._most_watches or own >= _MOST_WATCHES_OF_ONE:
            raise QueueFull(
                f"{self._watches:,} streams of health checks and reflection are open, {own:,} of them on this "
                f"connection; the most are {self._most_watches:,} (max_connections) and {_MOST_WATCHES_OF_ONE}",
                _RETRY_SECONDS,
            )
        self._watches, self._watches_of[connection] = self._watches + 1, own + 1
        try:
            return await proceed(request, context)
        finally:
            self._watches -= 1
            self._watches_of[connection] -= 1
            if not self._watches_of[connection]:
                del self._watches_of[connection]
