"""What happens around every rpc, one concern a module; the first in the list is the outermost."""

from collections.abc import Callable

import grpc
from prometheus_client import CollectorRegistry

from latentwalk.rpc.errors import ServiceError
from latentwalk.rpc.interceptors.access import AccessInterceptor
from latentwalk.rpc.interceptors.errors import ErrorInterceptor
from latentwalk.rpc.interceptors.gate import Gate
from latentwalk.rpc.interceptors.intake import IntakeInterceptor
from latentwalk.rpc.interceptors.metrics import MetricsInterceptor
from latentwalk.rpc.interceptors.tokens import TokenInterceptor, read_tokens

__all__ = ["Gate", "interceptor_chain", "read_tokens"]


def interceptor_chain(
    registry: CollectorRegistry,
    translate: Callable[[Exception], ServiceError | None],
    gate: Gate,
    tokens: frozenset[str] | None,
    max_message_bytes: int,
) -> list[grpc.aio.ServerInterceptor]:
    """The interceptors of a service, outermost first. `tokens` None means that none is asked for."""
    chain: list[grpc.aio.ServerInterceptor] = [
        AccessInterceptor(),
        MetricsInterceptor(registry),
        ErrorInterceptor(translate),
        gate,
    ]
    if tokens is not None:
        chain.append(TokenInterceptor(tokens))
    return [*chain, IntakeInterceptor(max_message_bytes)]
