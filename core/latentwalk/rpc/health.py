"""The standard health service, by service name.

grpc_health's own servicer forgets the other watchers of a service when one of them leaves, and never ends a watch, so
that a drain waits for it in vain; hence this one.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

SERVICE_NAME = "grpc.health.v1.Health"

_States = health_pb2.HealthCheckResponse


class HealthServicer(health_pb2_grpc.HealthServicer):
    """SERVING or NOT_SERVING for each of `services` and for "", the whole; NOT_SERVING at first."""

    def __init__(self, services: tuple[str, ...]) -> None:
        self._services = frozenset(("", *services))
        self._serving = False
        self._leaving = False
        self._ended = False
        self._changed = asyncio.Event()

    def set_serving(self, serving: bool) -> None:
        """Sets the state of every service and tells all watchers; after `leave`, it stays NOT_SERVING."""
        self._serving = serving and not self._leaving
        self._changed.set()
        self._changed = asyncio.Event()

    @property
    def is_serving(self) -> bool:
        """Whether it says SERVING."""
        return self._serving

    def leave(self) -> None:
        """NOT_SERVING from now on. Watches go on: clients that balance would begin another at once, again and again."""
        self._leaving = True
        self.set_serving(False)

    def end(self) -> None:
        """Ends all watches; for when no new one can come."""
        self._ended = True
        self.leave()

    async def Check(self, request: Any, context: Any) -> Any:  # noqa: N802 - the wire's own name
        """The state of one service. NOT_FOUND for a name that is not served here."""
        if request.service not in self._services:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such service")
        return _States(status=self._status(request.service))

    async def Watch(self, request: Any, context: Any) -> AsyncIterator[Any]:  # noqa: N802
        """The state of one service, now and whenever it changes."""
        last = None
        while True:
            changed, status = self._changed, self._status(request.service)
            if status != last:
                yield _States(status=status)
                last = status
            elif self._ended:
                return
            else:
                await changed.wait()

    def _status(self, service: str) -> Any:
        if service not in self._services:
            return _States.SERVICE_UNKNOWN
        return _States.SERVING if self._serving else _States.NOT_SERVING
