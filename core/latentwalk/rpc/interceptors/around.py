"""The one mechanism by which something is put around an rpc, whichever of the four kinds it is.

Handlers that are asynchronous generators become loops of `await context.write()`. So there is one way in which a
stream is written, one in which it ends, and one place at which a cancelled stream suspends.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from functools import cached_property
from inspect import isasyncgenfunction
from typing import Any

import grpc

Context = grpc.aio.ServicerContext[Any, Any]
Behaviour = Callable[[Any, Context], Awaitable[Any]]
"""Takes the request, or the iterator of requests, and the context; returns the reply, or None if it writes replies."""

# These watch the service or describe it; they are open while it starts and drains, and not worth a line in a log.
_INFRASTRUCTURE = (
    "grpc.health.",
    "grpc.reflection.",
    "inference.GRPCInferenceService/ServerLive",
    "inference.GRPCInferenceService/ServerReady",
    "inference.GRPCInferenceService/ModelReady",
)


@dataclass(frozen=True, slots=True)
class Call:
    """Which rpc it is. `kind` is unary, client_stream, server_stream or bidi_stream, as in the metrics."""

    service: str
    method: str
    kind: str
    metadata: tuple[tuple[str, str | bytes], ...]

    @property
    def is_request_stream(self) -> bool:
        """Whether its behaviour takes an iterator of requests."""
        return self.kind in ("client_stream", "bidi_stream")

    @property
    def is_infrastructure(self) -> bool:
        """Whether it is a health check, also in the words of the Open Inference Protocol, or reflection."""
        return f"{self.service}/{self.method}".startswith(_INFRASTRUCTURE)


@dataclass(frozen=True, slots=True)
class _Wrapped:
    """A handler, and what it became."""

    inner: Any
    outer: Any


class AroundInterceptor(grpc.aio.ServerInterceptor, ABC):
    """An interceptor that is one coroutine around the call."""

    @abstractmethod
    async def around(self, call: Call, request: Any, context: Context, proceed: Behaviour) -> Any:
        """Must await `proceed(request, context)` and return what it returns, or raise."""

    def deserializer(self, inner: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
        """What is put around the reading of a request; by default nothing."""
        return inner

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """Wraps the handler of a known method; an unknown one stays unknown."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        path: str = handler_call_details.method
        known = self._wrapped.get(path)
        if known is None or known.inner is not handler:
            known = self._wrapped[path] = _Wrapped(handler, self._wrap(path, handler))
        return known.outer

    @cached_property
    def _wrapped(self) -> dict[str, _Wrapped]:
        """By the path of the method. What is put around a handler is made once, not at each call."""
        return {}

    def _wrap(self, path: str, handler: Any) -> Any:
        service, _, method = path.lstrip("/").rpartition("/")
        kind, behaviour, rebuild = _taken_apart(handler)
        proceed = behaviour if handler.response_streaming is False else _writing(behaviour)

        async def wrapped(request: Any, context: Context) -> Any:
            call = Call(service, method, kind, tuple(context.invocation_metadata() or ()))
            return await self.around(call, request, context, proceed)

        return rebuild(
            wrapped,
            request_deserializer=self.deserializer(handler.request_deserializer),
            response_serializer=handler.response_serializer,
        )


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
