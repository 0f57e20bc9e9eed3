"""Every metric that the server has is told something by real work."""

import asyncio

import grpc

from latentwalk.oip import open_inference_service_pb2 as oip
from latentwalk.oip import open_inference_service_pb2_grpc as oip_grpc
from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import latent_pb2

MOVED = {
    "latentwalk_frames_total": {"model": "slow", "kind": "walk"},
    "latentwalk_first_frame_seconds_count": {"model": "slow", "kind": "generate"},
    "latentwalk_frame_gap_seconds_count": {"model": "slow", "kind": "walk"},
    "latentwalk_batch_size_count": {},
    "latentwalk_batch_seconds_sum": {},
    "latentwalk_frames_cancelled_total": {},
    "latentwalk_rejected_total": {"reason": "queue_full"},
    "latentwalk_cache_hits_total": {"cache": "frames"},
    "latentwalk_cache_misses_total": {"cache": "frames"},
    "latentwalk_model_loaded": {"model": "slow", "version": "1"},
    "latentwalk_engine_variant_info": {"model": "slow", "bucket": "2", "variant": "fp32"},
    "grpc_server_started_total": {"grpc_type": "unary", "grpc_method": "Generate"},
    "grpc_server_handled_total": {"grpc_method": "Generate", "grpc_code": "RESOURCE_EXHAUSTED"},
    "grpc_server_msg_received_total": {"grpc_service": "inference.GRPCInferenceService"},
    "grpc_server_msg_sent_total": {"grpc_type": "server_stream", "grpc_method": "Walk"},
    "grpc_server_handling_seconds_count": {"grpc_method": "Walk"},
    "process_resident_memory_bytes": {},
}
"""What has grown after `work`."""

BUSY = ("latentwalk_queue_frames", "latentwalk_open_streams")
"""What is above 0 only while something waits."""


def generate(*seeds):
    return pb.GenerateRequest(model="slow", latents=[latent_pb2.Latent(seed=seed) for seed in seeds])


async def work(server):
    """A call of each kind; one is cancelled while its pictures wait, one refused, and one asks for what was drawn."""
    walk = pb.WalkRequest(model="slow", starts=[latent_pb2.Latent(seed=1)])
    stretch = walk.legs.add(frames=4).stretches.add(direction="zoom", to=pb.Extent(alpha=1))
    getattr(stretch, "from").alpha = 0
    assert len([reply async for reply in server.generation.Walk(walk)]) > 1
    for _ in range(2):
        await server.generation.Generate(generate(1))
    tensor = oip.ModelInferRequest.InferInputTensor(name="seed", datatype="UINT64", shape=[1])
    tensor.contents.uint64_contents.append(2)
    await oip_grpc.GRPCInferenceServiceStub(server.channel).ModelInfer(
        oip.ModelInferRequest(model_name="slow", inputs=[tensor])
    )
    calls = [server.generation.Generate(generate(*range(64 * one, 64 * one + 64))) for one in range(8)]
    busy = dict.fromkeys(BUSY, 0.0)
    async with asyncio.timeout(120):
        while not all(busy.values()):
            busy = {name: max(value, await server.metric(name)) for name, value in busy.items()}
    for call in calls:
        call.cancel()
    ends = [await call.code() for call in calls]
    assert {grpc.StatusCode.CANCELLED, grpc.StatusCode.RESOURCE_EXHAUSTED} <= set(ends)
    await server.settles("latentwalk_open_streams", 0)


async def test_every_metric_grows_where_it_should(slow_library, serve):
    async with serve(slow_library, max_batch=2, max_queued_frames=128, stream_credit=64) as server:
        before = {name: await server.metric(name, **labels) for name, labels in MOVED.items()}
        await work(server)
        after = {name: await server.metric(name, **labels) for name, labels in MOVED.items()}
    gauges = {"latentwalk_model_loaded", "latentwalk_engine_variant_info", "process_resident_memory_bytes"}
    assert {name for name in MOVED if name not in gauges and not after[name] > before[name]} == set()
    assert {name for name in gauges if after[name] <= 0} == set()
