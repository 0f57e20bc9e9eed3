"""Traces, as OpenTelemetry's own exporters see them."""

import subprocess
import sys
from concurrent import futures

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from latentwalk.rpc import tracing
from latentwalk.rpc.errors import InvalidRequest

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = (("traceparent", f"00-{TRACE}-{PARENT}-01"),)


@pytest.fixture
def exporter():
    return InMemorySpanExporter()


@pytest.fixture
def tracer(exporter):
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield provider.get_tracer("test")
    provider.shutdown()


def behaviour_of(names, error=None):
    """A handler whose parts have these names, and which may raise."""

    async def behave(request, context):
        for name in names:
            with tracing.span(name):
                pass
        if error is not None:
            raise error
        return StringValue(value="done")

    return behave


async def test_a_call_is_a_span_of_the_callers_trace_and_its_parts_are_spans_within(running, tracer, exporter):
    async with running(tracer=tracer) as run:
        run.echo.behaviour = behaviour_of(["draw", "encode"])
        await run.unary(metadata=(*TRACEPARENT, ("x-request-id", "mine")))
        await run.unary()
    draw, encode, call, *_, other = exporter.get_finished_spans()
    assert (draw.name, encode.name, call.name) == ("draw", "encode", "test.Echo/Unary")
    assert call.kind is SpanKind.SERVER
    assert draw.parent.span_id == encode.parent.span_id == call.context.span_id
    assert f"{call.context.trace_id:032x}" == TRACE
    assert f"{call.parent.span_id:016x}" == PARENT
    assert other.context.trace_id != call.context.trace_id
    assert other.parent is None
    assert call.attributes == {
        "rpc.system": "grpc",
        "rpc.service": "test.Echo",
        "rpc.method": "Unary",
        "rpc.grpc.status_code": 0,
        "latentwalk.request_id": "mine",
    }


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [(InvalidRequest("seed", "is wrong"), 3, StatusCode.UNSET), (RuntimeError("secret"), 13, StatusCode.ERROR)],
)
async def test_a_span_tells_how_the_call_ended_and_no_text_of_an_error(running, tracer, exporter, error, code, status):
    async with running(tracer=tracer) as run:
        run.echo.behaviour = behaviour_of([], error)
        with pytest.raises(grpc.aio.AioRpcError):
            await run.unary()
    (call,) = exporter.get_finished_spans()
    assert call.attributes["rpc.grpc.status_code"] == code
    assert call.status.status_code is status
    assert call.events == ()
    assert "secret" not in call.to_json()


@pytest.mark.parametrize("method", ["ServerStream", "Written"])
async def test_the_spans_of_a_stream_are_bounded_and_those_left_out_are_counted(running, tracer, exporter, method):
    async with running(tracer=tracer) as run:
        run.echo.behaviour = behaviour_of(["frame"] * 100)
        assert [reply async for reply in run.server_stream(method=method)]
    *parts, call = exporter.get_finished_spans()
    assert len(parts) == 64
    assert call.attributes["latentwalk.spans_left_out"] == 36


async def test_health_checks_make_no_spans(running, tracer, exporter):
    async with running(tracer=tracer) as run:
        check = run.channel.unary_unary("/grpc.health.v1.Health/Check")
        await check(b"")
    assert exporter.get_finished_spans() == ()


async def test_without_a_tracer_a_part_is_nothing_at_all(running):
    seen = []

    async def behave(request, context):
        seen.extend(tracing.span(name) for name in ("draw", "encode"))
        return request

    async with running() as run:
        run.echo.behaviour = behave
        await run.unary(metadata=TRACEPARENT)
    assert seen[0] is seen[1]


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """What listens at the other end of OTLP."""

    def __init__(self):
        self.spans = {}

    def Export(self, request, context):  # noqa: N802
        for resource in request.resource_spans:
            (service,) = (one.value.string_value for one in resource.resource.attributes if one.key == "service.name")
            for scope in resource.scope_spans:
                self.spans |= {span.name: service for span in scope.spans}
        return trace_service_pb2.ExportTraceServiceResponse()


async def test_spans_reach_the_collector_that_the_environment_names(running, monkeypatch):
    collector, server = Collector(), grpc.server(futures.ThreadPoolExecutor(1))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(collector, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}"}
    for name, value in endpoint.items():
        monkeypatch.setenv(name, value)
    with tracing.exporting("latentwalk-test", endpoint) as tracer:
        async with running(tracer=tracer) as run:
            run.echo.behaviour = behaviour_of(["draw"])
            await run.unary()
    server.stop(None)
    assert collector.spans == dict.fromkeys(["draw", "test.Echo/Unary"], "latentwalk-test")


def test_nothing_is_traced_unless_a_collector_is_named():
    with tracing.exporting("latentwalk-test", {"OTEL_SERVICE_NAME": "any"}) as tracer:
        assert tracer is None


def test_without_opentelemetry_the_log_says_what_is_missing_and_the_service_runs_on():
    program = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "import latentwalk.rpc.lifecycle\n"
        "from latentwalk.rpc import tracing\n"
        "with tracing.exporting('x', {'OTEL_EXPORTER_OTLP_ENDPOINT': 'http://127.0.0.1:4317'}) as tracer:\n"
        "    print(tracer)"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "None\n"
    assert "install latentwalk[tracing]" in done.stderr
