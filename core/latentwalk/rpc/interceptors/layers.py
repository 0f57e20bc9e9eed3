"""The one mechanism by which something is put around an rpc, whichever of the four kinds it is.

Handlers that are asynchronous generators become loops of `await context.write()`. So there is one way in which a
stream is written, one in which it ends, and one place at which a cancelled stream suspends.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from inspect import isasyncgenfunction
from typing import Any

import grpc

Context = grpc.aio.ServicerContext[Any, Any]
Behaviour = Callable[[Any, Context], Awaitable[Any]]
"""Takes the request, or the iterator of requests, and the context; returns the reply, or None if it writes replies."""

# These watch the service or describe it; they are open while it starts and drains, and not worth a line in a log.
_INFRASTRUCTURE = (
    "/grpc.health.",
    "/grpc.reflection.",
    "/inference.GRPCInferenceService/ServerLive",
    "/inference.GRPCInferenceService/ServerReady",
    "/inference.GRPCInferenceService/ModelReady",
)


@dataclass(frozen=True, slots=True)
class Method:
    """A method of a service. `kind` is unary, client_stream, server_stream or bidi_stream, as in the metrics."""

    service: str
    name: str
    kind: str
    is_infrastructure: bool
    """Whether it is a health check, also in the words of the Open Inference Protocol, or reflection."""

    @classmethod
    def at(cls, path: str, kind: str) -> "Method":
        """The method of gRPC's path, /service/name."""
        service, _, name = path.lstrip("/").rpartition("/")
        return cls(service, name, kind, path.startswith(_INFRASTRUCTURE))

    @property
    def is_request_stream(self) -> bool:
        """Whether its behaviour takes an iterator of requests."""
        return self.kind in ("client_stream", "bidi_stream")

    def __str__(self) -> str:
        return f"{self.service}/{self.name}"


@dataclass(frozen=True, slots=True)
class Call:
    """One rpc."""

    method: Method
    metadata: tuple[tuple[str, str | bytes], ...]


class Layer(ABC):
    """One concern, as one coroutine around the call."""

    @abstractmethod
    async def around(self, call: Call, request: Any, context: Context, proceed: Behaviour) -> Any:
        """Must await `proceed(request, context)` and return what it returns, or raise.

        What was raised must not be left in a variable: the frame would be held by the error, and the error by the
        frame, with the request, until the collector comes.
        """

    def deserializer(self, inner: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
        """What is put around the reading of a request; by default nothing."""
        return inner


_Wrapped = Callable[[Call, Any, Context], Awaitable[Any]]


class Layers(grpc.aio.ServerInterceptor):
    """Puts layers around every rpc, the first of them outermost. For gRPC they are one interceptor."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self._layers = layers
        # Each handler, and what it became, by the path of the method: made once, not at each call.
        self._known: dict[str, tuple[Any, Any]] = {}

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """Wraps the handler of a known method; an unknown one stays unknown."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        path: str = handler_call_details.method
        inner, outer = self._known.get(path, (None, None))
        if inner is not handler:
            outer = self._wrap(path, handler)
            self._known[path] = handler, outer
        return outer

    def _wrap(self, path: str, handler: Any) -> Any:
        kind, behaviour, rebuild = _taken_apart(handler)
        method = Method.at(path, kind)
        wrapped = self._around(behaviour if handler.response_streaming is False else _writing(behaviour))

        async def run(request: Any, context: Context) -> Any:
            call = Call(method, tuple(context.invocation_metadata() or ()))
            return await wrapped(call, request, context)

        read = handler.request_deserializer
        for layer in reversed(self._layers):
            read = layer.deserializer(read)
        return rebuild(run, request_deserializer=read, response_serializer=handler.response_serializer)

    def _around(self, behaviour: Behaviour) -> _Wrapped:
        wrapped: _Wrapped = partial(_innermost, behaviour)
        for layer in reversed(self._layers):
            wrapped = partial(_within, layer, wrapped)
        return wrapped


def _innermost(behaviour: Behaviour, call: Call, request: Any, context: Context) -> Awaitable[Any]:
    return behaviour(request, context)


def _within(layer: Layer, inner: _Wrapped, call: Call, request: Any, context: Context) -> Awaitable[Any]:
    return layer.around(call, request, context, partial(inner, call))


def _taken_apart(handler: Any) -> tuple[str, Any, Any]:
    """The kind of a handler, its behaviour, and the function that makes such a handler."""
    return {
        (False, False): ("unary", handler.unary_unary, grpc.unary_unary_rpc_method_handler),
        (False, True): ("server_stream", handler.unary_stream, grpc.unary_stream_rpc_method_handler),
        (True, False): ("client_stream", handler.stream_unary, grpc.stream_unary_rpc_method_handler),
        (True, True): ("bidi_stream", handler.stream_stream, grpc.stream_stream_rpc_method_handler),
    }[handler.request_streaming, handler.response_streaming]


def _writing(behaviour: Callable[[Any, Context], Any]) -> Behaviour:
    """`behaviour`, as a coroutine that writes its replies."""
    if not isasyncgenfunction(behaviour):
        return behaviour

    async def write_all(request: Any, context: Context) -> None:
        replies: AsyncIterator[Any] = behaviour(request, context)
        async with aclosing(replies):  # pyright: ignore[reportArgumentType]
            async for reply in replies:
                await context.write(reply)

    return write_all
