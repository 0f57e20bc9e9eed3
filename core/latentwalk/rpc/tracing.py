"""Traces, where OpenTelemetry is installed and asked for by its own environment variables; else nothing, at no cost."""

import logging
import time
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

# A stream may have any number of frames; its trace must not.
_MOST_SPANS = 64

_NOTHING = nullcontext()
_log = logging.getLogger("latentwalk.tracing")


class Spans:
    """The spans within one rpc, of which there may be so many."""

    def __init__(self, tracer: "Tracer") -> None:
        self._tracer = tracer
        self._begun = 0

    @property
    def left_out(self) -> int:
        """How many were too many."""
        return max(0, self._begun - _MOST_SPANS)

    def begin(self, name: str) -> AbstractContextManager[object]:
        """A span of that name, unless it is one too many."""
        self._begun += 1
        return _NOTHING if self.left_out else self._tracer.start_as_current_span(name, record_exception=False)

    def mark(self, name: str, at: float) -> None:
        """An event of the innermost span, if that was not left out."""
        from opentelemetry.trace import get_current_span

        if not self.left_out:
            ago = time.monotonic() - at
            get_current_span().add_event(name, timestamp=time.time_ns() - round(1e9 * ago))


spans: ContextVar[Spans | None] = ContextVar("spans", default=None)
"""Those of the rpc whose task runs; None if it is not traced."""


def span(name: str) -> AbstractContextManager[object]:
    """Within the context runs a part of an rpc, of that name. It costs nothing if the rpc is not traced."""
    current = spans.get()
    return _NOTHING if current is None else current.begin(name)


def mark(name: str, at: float | None) -> None:
    """Marks a moment of the part that runs; `at` is on the clock of time.monotonic, None if it never came."""
    current = spans.get()
    if current is not None and at is not None:
        current.mark(name, at)


@contextmanager
def exporting(service: str, environ: Mapping[str, str]) -> Generator["Tracer | None"]:
    """Within the context, spans of the tracer go to the OTLP collector that `environ` names; no tracer without one.

    OpenTelemetry reads its other variables (sampler, headers, OTEL_SERVICE_NAME, ...) itself, and from the process.
    """
    if not any(environ.get(name) for name in _ENDPOINTS):
        yield None
        return
    try:
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        _log.warning("no traces: %s is set, but OpenTelemetry is missing; install latentwalk[tracing]", _ENDPOINTS[0])
        yield None
        return
    resource = Resource.create({SERVICE_NAME: environ.get("OTEL_SERVICE_NAME") or service})
    # Not OpenTelemetry's own hook at exit: spans are flushed when the context ends.
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    try:
        yield provider.get_tracer("latentwalk")
    finally:
        provider.shutdown()
