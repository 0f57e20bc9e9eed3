"""One OpenTelemetry span for each rpc. Loaded only where traces are asked for."""

from typing import Any

import grpc
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from latentwalk.rpc import logs
from latentwalk.rpc.interceptors.layers import Behaviour, Call, Context, Layer
from latentwalk.rpc.interceptors.outcome import outcome
from latentwalk.rpc.tracing import Spans, spans

# OpenTelemetry's semantic conventions for gRPC: the other codes are the caller's doing.
_FAULTS = frozenset(
    {
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    }
)


class TracingLayer(Layer):
    """Goes on with the trace of the caller's `traceparent`, or begins one. Must come after the id of the request."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._propagator = TraceContextTextMapPropagator()

    async def around(self, call: Call, request: Any, context: Context, proceed: Behaviour) -> Any:
        """Runs the call within its span."""
        if call.method.is_infrastructure:
            return await proceed(request, context)
        carrier = {key: value for key, value in call.metadata if isinstance(value, str)}
        attributes = {
            "rpc.system": "grpc",
            "rpc.service": call.method.service,
            "rpc.method": call.method.name,
            "latentwalk.request_id": logs.request_id.get(),
        }
        # What went wrong is told by the status alone: the text of an exception may be a secret.
        with self._tracer.start_as_current_span(
            str(call.method),
            self._propagator.extract(carrier),
            SpanKind.SERVER,
            attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            parts = Spans(self._tracer)
            spans.set(parts if span.is_recording() else None)
            try:
                reply = await proceed(request, context)
            except BaseException as error:
                _tell(span, outcome(context, error), parts.left_out)
                raise
            _tell(span, outcome(context, None), parts.left_out)
            return reply


def _tell(span: Span, code: grpc.StatusCode, left_out: int) -> None:
    """How the call of a span has ended, and how many spans within were too many."""
    span.set_attribute("rpc.grpc.status_code", code.value[0])
    if left_out:
        span.set_attribute("latentwalk.spans_left_out", left_out)
    if code in _FAULTS:
        span.set_status(Status(StatusCode.ERROR, code.name))
