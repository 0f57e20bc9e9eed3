"""What happens around every rpc, one concern a module; the first in the list is the outermost."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
from prometheus_client import CollectorRegistry

from latentwalk.rpc.endpoint import Endpoint
from latentwalk.rpc.errors import ServiceError
from latentwalk.rpc.interceptors.access import AccessInterceptor
from latentwalk.rpc.interceptors.callers import CallerInterceptor
from latentwalk.rpc.interceptors.errors import ErrorInterceptor
from latentwalk.rpc.interceptors.gate import Gate
from latentwalk.rpc.interceptors.intake import IntakeInterceptor
from latentwalk.rpc.interceptors.limits import LimitInterceptor
from latentwalk.rpc.interceptors.metrics import MetricsInterceptor
from latentwalk.rpc.reloading import Reloaded
from latentwalk.rpc.roles import Services
from latentwalk.rpc.tokens import read_tokens

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

__all__ = ["Gate", "interceptor_chain"]


def interceptor_chain(
    endpoint: Endpoint,
    services: Services,
    registry: CollectorRegistry,
    translate: Callable[[Exception], ServiceError | None],
    gate: Gate,
    tracer: "Tracer | None" = None,
) -> list[grpc.aio.ServerInterceptor]:
    """The interceptors of a service, outermost first. Raises SettingsError for a token file that cannot be used."""
    path = Path(endpoint.tokens)
    tokens = Reloaded((path,), lambda: read_tokens(path)) if endpoint.tokens else None
    chain: list[grpc.aio.ServerInterceptor] = [
        AccessInterceptor(),
        *_tracing(tracer),
        MetricsInterceptor(registry),
        ErrorInterceptor(translate),
        CallerInterceptor(tokens, services),
        gate,
    ]
    if endpoint.calls_per_second or endpoint.calls_in_flight:
        chain.append(LimitInterceptor(endpoint.calls_per_second, endpoint.calls_burst, endpoint.calls_in_flight))
    return [*chain, IntakeInterceptor(endpoint.max_message_bytes)]


def _tracing(tracer: "Tracer | None") -> list[grpc.aio.ServerInterceptor]:
    """Nothing without a tracer; then, OpenTelemetry need not even be installed."""
    if tracer is None:
        return []
    from latentwalk.rpc.interceptors.tracing import TracingInterceptor

    return [TracingInterceptor(tracer)]
