"""What of a request is in its trace."""

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import latent_pb2


@pytest.fixture
def exporter():
    return InMemorySpanExporter()


@pytest.fixture
async def traced(library, serve, exporter):
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    async with serve(library, tracer=provider.get_tracer("test")) as server:
        yield server
    provider.shutdown()


async def test_every_frame_is_drawn_and_encoded_within_the_span_of_its_call(traced, exporter):
    keyframes = [latent_pb2.Latent(seed=seed) for seed in (1, 2)]
    request = pb.InterpolateRequest(model="faces", keyframes=keyframes, frames_per_leg=3)
    frames = [reply async for reply in traced.generation.Interpolate(request)][1:]
    await traced.settles("grpc_server_handled_total", 1, grpc_method="Interpolate")
    *parts, call = exporter.get_finished_spans()
    assert call.name == "latentwalk.v1.GenerationService/Interpolate"
    assert [part.name for part in parts] == ["draw", "encode"] * len(frames)
    assert {part.parent.span_id for part in parts} == {call.context.span_id}
    begun = [event for part in parts[::2] for event in part.events]
    assert [event.name for event in begun] == ["the device begins"] * len(frames)
    assert all(call.start_time < event.timestamp < draw.end_time for event, draw in zip(begun, parts[::2], strict=True))


async def test_a_picture_that_was_kept_was_waited_for_and_not_drawn(traced, exporter):
    request = pb.GenerateRequest(model="faces", latents=[latent_pb2.Latent(seed=1)])
    for _ in range(2):
        await traced.generation.Generate(request)
    await traced.settles("grpc_server_handled_total", 2, grpc_method="Generate")
    first, second = (part for part in exporter.get_finished_spans() if part.name == "draw")
    assert (len(first.events), len(second.events)) == (1, 0)
