"""What happens around every rpc, one concern a module; the first in the list is the outermost."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from latentwalk.rpc.endpoint import Endpoint
from latentwalk.rpc.errors import ServiceError
from latentwalk.rpc.interceptors.access import AccessLayer
from latentwalk.rpc.interceptors.callers import CallerLayer
from latentwalk.rpc.interceptors.errors import ErrorLayer
from latentwalk.rpc.interceptors.gate import Gate
from latentwalk.rpc.interceptors.intake import IntakeLayer
from latentwalk.rpc.interceptors.layers import Layer, Layers
from latentwalk.rpc.interceptors.limits import LimitLayer
from latentwalk.rpc.interceptors.metrics import MetricsLayer
from latentwalk.rpc.reloading import Reloaded
from latentwalk.rpc.roles import Services
from latentwalk.rpc.tokens import read_tokens

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

__all__ = ["Gate", "layers_of"]


def layers_of(
    endpoint: Endpoint,
    services: Services,
    registry: CollectorRegistry,
    translate: Callable[[Exception], ServiceError | None],
    gate: Gate,
    tracer: "Tracer | None" = None,
) -> Layers:
    """What is put around every rpc of a service. Raises SettingsError for a token file that cannot be used."""
    path = Path(endpoint.tokens)
    tokens = Reloaded((path,), lambda: read_tokens(path)) if endpoint.tokens else None
    layers: list[Layer] = [
        AccessLayer(),
        *_tracing(tracer),
        MetricsLayer(registry),
        ErrorLayer(translate),
        CallerLayer(tokens, services),
        gate,
    ]
    if endpoint.calls_per_second or endpoint.calls_in_flight:
        layers.append(LimitLayer(endpoint.calls_per_second, endpoint.calls_burst, endpoint.calls_in_flight))
    layers.append(IntakeLayer(endpoint.max_request_bytes))
    return Layers(layers)


def _tracing(tracer: "Tracer | None") -> list[Layer]:
    """Nothing without a tracer; then, OpenTelemetry need not even be installed."""
    if tracer is None:
        return []
    from latentwalk.rpc.interceptors.tracing import TracingLayer

    return [TracingLayer(tracer)]
