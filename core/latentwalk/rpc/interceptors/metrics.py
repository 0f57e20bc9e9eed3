"""The standard metrics of a gRPC server, under the names that go-grpc-middleware gave them."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import cache
from time import perf_counter
from typing import Any

import grpc
from prometheus_client import CollectorRegistry, Counter, Histogram

from latentwalk.rpc.interceptors.layers import Behaviour, Call, Context, Layer, Method
from latentwalk.rpc.interceptors.outcome import outcome

_METHOD = ("grpc_type", "grpc_service", "grpc_method")
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


@dataclass(frozen=True, slots=True)
class _Meter:
    """The metrics of one method."""

    started: Counter
    received: Counter
    sent: Counter
    seconds: Histogram
    handled: Callable[[grpc.StatusCode], Counter]

    def end(self, code: grpc.StatusCode, started: float) -> None:
        """A call has ended that began at that time of perf_counter."""
        self.seconds.observe(perf_counter() - started)
        self.handled(code).inc()


class MetricsLayer(Layer):
    """Counts calls and messages and measures seconds, for known methods only: strangers cannot make labels."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._started = Counter("grpc_server_started_total", "Calls begun.", _METHOD, registry=registry)
        self._handled = Counter(
            "grpc_server_handled_total", "Calls ended, by status.", (*_METHOD, "grpc_code"), registry=registry
        )
        self._received = Counter("grpc_server_msg_received_total", "Messages received.", _METHOD, registry=registry)
        self._sent = Counter("grpc_server_msg_sent_total", "Messages sent.", _METHOD, registry=registry)
        self._seconds = Histogram(
            "grpc_server_handling_seconds",
            "Seconds from the start of a call to its end.",
            _METHOD,
            buckets=_SECONDS,
            registry=registry,
        )
        # Labels are looked up once a method, not at each call.
        self._meter = cache(self._meter_of)

    async def around(self, call: Call, request: Any, context: Context, proceed: Behaviour) -> Any:
        """Runs the call and counts it, however it ends."""
        meter = self._meter(call.method)
        meter.started.inc()
        started = perf_counter()
        if call.method.is_request_stream:
            request = _counted(request, meter.received)
        else:
            meter.received.inc()
        try:
            counting: Any = _CountingContext(context, meter.sent)
            reply = await proceed(request, counting)
        except BaseException as error:
            meter.end(outcome(context, error), started)
            raise
        if reply is not None:
            meter.sent.inc()
        meter.end(outcome(context, None), started)
        return reply

    def _meter_of(self, method: Method) -> _Meter:
        labels = (method.kind, method.service, method.name)

        def handled(code: grpc.StatusCode) -> Counter:
            return self._handled.labels(*labels, code.name)

        return _Meter(
            self._started.labels(*labels),
            self._received.labels(*labels),
            self._sent.labels(*labels),
            self._seconds.labels(*labels),
            cache(handled),
        )


async def _counted(requests: AsyncIterator[Any], counter: Counter) -> AsyncIterator[Any]:
    async for request in requests:
        counter.inc()
        yield request


class _CountingContext:
    """A context that counts what is written to it; all else is the context's own."""

    def __init__(self, context: Context, counter: Counter) -> None:
        self._context = context
        self._counter = counter

    async def write(self, message: Any) -> None:
        await self._context.write(message)
        self._counter.inc()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)
