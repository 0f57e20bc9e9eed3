"""A service of all four kinds of rpc behind the real doorway, on a port of its own."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from prometheus_client import CollectorRegistry

from latentwalk.rpc.endpoint import Endpoint
from latentwalk.rpc.errors import ServiceError
from latentwalk.rpc.lifecycle import Doorway
from latentwalk.rpc.roles import Role

SERVICE = "test.Echo"
# Written has no role: somebody has forgotten it.
ROLES = {
    "Unary": Role.VIEWER,
    "ServerStream": Role.OPERATOR,
    "ClientStream": Role.TRAINER,
    "BidiStream": Role.VIEWER,
}

Behaviour = Callable[[Any, Any], Awaitable[StringValue]]


@dataclass
class Echo:
    """Echoes, unless `behaviour` is set. `reached` is set when a call has come in, `left` when it has gone."""

    behaviour: Behaviour | None = None
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    async def unary(self, request, context):
        self.reached.set()
        try:
            return request if self.behaviour is None else await self.behaviour(request, context)
        finally:
            self.left.set()

    async def server_stream(self, request, context):
        """Writes with `yield`; `written` below does with `context.write`."""
        self.reached.set()
        try:
            for _ in range(3):
                yield request
            if self.behaviour is not None:
                yield await self.behaviour(request, context)
        finally:
            self.left.set()

    async def written(self, request, context):
        self.reached.set()
        try:
            for _ in range(3):
                await context.write(request)
            if self.behaviour is not None:
                await context.write(await self.behaviour(request, context))
        finally:
            self.left.set()

    async def client_stream(self, requests, context):
        return StringValue(value="".join([request.value async for request in requests]))

    async def bidi_stream(self, requests, context):
        async for request in requests:
            yield request

    def handler(self) -> grpc.GenericRpcHandler:
        def of(make, behaviour):
            return make(behaviour, StringValue.FromString, StringValue.SerializeToString)

        return grpc.method_handlers_generic_handler(
            SERVICE,
            {
                "Unary": of(grpc.unary_unary_rpc_method_handler, self.unary),
                "ServerStream": of(grpc.unary_stream_rpc_method_handler, self.server_stream),
                "Written": of(grpc.unary_stream_rpc_method_handler, self.written),
                "ClientStream": of(grpc.stream_unary_rpc_method_handler, self.client_stream),
                "BidiStream": of(grpc.stream_stream_rpc_method_handler, self.bidi_stream),
            },
        )


@dataclass
class Running:
    """A started doorway with its service, its registry and a client's channel."""

    doorway: Doorway
    echo: Echo
    registry: CollectorRegistry
    channel: grpc.aio.Channel

    def unary(self, text="hello", **options):
        return self._method("unary_unary", "Unary")(StringValue(value=text), **options)

    def server_stream(self, text="hello", method="ServerStream", **options):
        return self._method("unary_stream", method)(StringValue(value=text), **options)

    def client_stream(self, texts, **options):
        return self._method("stream_unary", "ClientStream")((StringValue(value=text) for text in texts), **options)

    def bidi_stream(self, texts, **options):
        return self._method("stream_stream", "BidiStream")((StringValue(value=text) for text in texts), **options)

    def unknown(self):
        return self._method("unary_unary", "Nothing")(StringValue())

    def sample(self, name, method="Unary", kind="unary", **labels):
        labels |= {"grpc_service": SERVICE, "grpc_method": method, "grpc_type": kind}
        return self.registry.get_sample_value(name, labels)

    def _method(self, kind, name):
        return getattr(self.channel, kind)(f"/{SERVICE}/{name}", StringValue.SerializeToString, StringValue.FromString)


def translate(error: Exception) -> ServiceError | None:
    return None


@asynccontextmanager
async def _running(translate=translate, is_ready=True, echo=None, tracer=None, **options) -> AsyncIterator[Running]:
    endpoint = replace(Endpoint("127.0.0.1:0", grace_seconds=2.0), **options)
    registry, echo = CollectorRegistry(), echo or Echo()
    doorway = Doorway(endpoint, {SERVICE: ROLES}, registry, translate, tracer)
    doorway.server.add_generic_rpc_handlers((echo.handler(),))
    await doorway.start()
    if is_ready:
        doorway.ready()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{doorway.port}") as channel:
            yield Running(doorway, echo, registry, channel)
    finally:
        await doorway.drain()


@pytest.fixture
def running():
    """A function that starts a doorway: `async with running(grace_seconds=1) as run`."""
    return _running


@pytest.fixture
def log(caplog):
    """What is logged from here on, of level info and above, as `log.records`."""
    caplog.set_level(logging.INFO)
    return caplog
