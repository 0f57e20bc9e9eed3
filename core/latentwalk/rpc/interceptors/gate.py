"""Who is let in while the service starts and drains, and how many are inside."""

import asyncio
from typing import Any

from latentwalk.rpc.errors import NotServing, QueueFull
from latentwalk.rpc.interceptors.layers import Behaviour, Call, Context, Layer

# When one of those inside will leave, nobody knows.
_RETRY_SECONDS = 0.5


class Gate(Layer):
    """Refuses calls unless it is open, or beyond `most` inside, and knows when the last of those it let in has left.

    Infrastructure, such as health checks and reflection, passes at any time and is not counted: a service that has as
    much to do as it may is not ill.
    """

    def __init__(self, most: int) -> None:
        self._most = most
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
            return await proceed(request, context)
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
