"""The Open Inference Protocol v2: its messages as they come, good and bad."""

import asyncio

import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from latentwalk.oip import open_inference_service_pb2 as oip
from latentwalk.oip import open_inference_service_pb2_grpc as oip_grpc
from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import latent_pb2
from latentwalk.v1 import model_service_pb2 as model_pb


def infer(*tensors, model="faces", **options):
    """A request with typed contents: (name, datatype, shape, field of the contents, numbers)."""
    request = oip.ModelInferRequest(model_name=model, **options)
    for name, datatype, shape, field, numbers in tensors:
        request.inputs.add(name=name, datatype=datatype, shape=shape, contents={field: numbers} if field else None)
    return request


def seeds(*values):
    return ("seed", "UINT64", [len(values)], "uint64_contents", values)


def raw(name, array, datatype, model="faces"):
    request = infer((name, datatype, array.shape, None, None), model=model)
    request.raw_input_contents.append(array.tobytes())
    return request


@pytest.fixture
def stub(server):
    return oip_grpc.GRPCInferenceServiceStub(server.channel)


async def test_typed_contents_draw_what_generate_draws(server, stub):
    reply = await stub.ModelInfer(infer(seeds(1, 2), id="mine"))
    latents = [latent_pb2.Latent(seed=seed) for seed in (1, 2)]
    expected = await server.generation.Generate(pb.GenerateRequest(model="faces", latents=latents))
    assert (reply.id, reply.model_name, reply.model_version) == ("mine", "faces", "1")
    (output,) = reply.outputs
    assert (output.name, output.datatype, list(output.shape)) == ("images", "UINT8", [2, 16, 16, 3])
    assert not output.HasField("contents")
    drawn = np.frombuffer(reply.raw_output_contents[0], np.uint8).astype(int)
    np.testing.assert_allclose(drawn, np.frombuffer(b"".join(one.data for one in expected.images), np.uint8), atol=1)


@pytest.mark.parametrize(
    "request_",
    [
        infer(("z", "FP32", [1, 6], "fp32_contents", [0.5] * 6)),
        infer(seeds(1), ("class_id", "INT64", [1], "int64_contents", [2]), model="digits"),
        infer(seeds(1), ("class_id", "UINT32", [1, 1], "uint_contents", [2]), model="digits"),
        infer(seeds(1), parameters={"direction": {"string_param": "zoom"}, "alpha": {"int64_param": 1}}),
        infer(
            seeds(1),
            parameters={
                "direction": {"string_param": "zoom"},
                "alpha": {"int64_param": 1},
                "any_class": {"bool_param": True},
            },
        ),
        infer(seeds(1), outputs=[{"name": "images"}], model_version="1"),
    ],
)
async def test_every_type_that_is_promised_is_taken(stub, request_):
    reply = await stub.ModelInfer(request_)
    assert len(reply.raw_output_contents[0]) == np.prod(reply.outputs[0].shape)


ZOOM = {"direction": {"string_param": "zoom"}}
REFUSED = {
    "no input": (infer(), "inputs", "seed or z"),
    "both codes": (infer(seeds(1), ("z", "FP32", [1, 6], "fp32_contents", [0] * 6)), "inputs", "seed or z"),
    "unknown input": (infer(("noise", "FP32", [1], "fp32_contents", [0])), "inputs[0].name", "'noise' is none of"),
    "twice": (infer(seeds(1), seeds(1)), "inputs[1].name", "twice"),
    "datatype": (infer(("seed", "INT64", [1], "int64_contents", [1])), "inputs.seed.datatype", "must be UINT64"),
    "rank": (infer(("z", "FP32", [6], "fp32_contents", [0] * 6)), "inputs.z.shape", "[6] must be [-1, 6]"),
    "no shape": (infer(("seed", "UINT64", [], "uint64_contents", [1])), "inputs.seed.shape", "[] must be [-1]"),
    "latent size": (infer(("z", "FP32", [1, 7], "fp32_contents", [0] * 7)), "inputs.z.shape", "[1, 7] must be [-1, 6]"),
    "no rows": (infer(("seed", "UINT64", [0], None, None)), "inputs.seed.shape", "0 pictures"),
    "negative": (infer(("seed", "UINT64", [-1], None, None)), "inputs.seed.shape", "-1 pictures"),
    "too many": (infer(("seed", "UINT64", [2**62], None, None)), "inputs.seed.shape", "from 1 to 64"),
    "unequal": (
        infer(seeds(1, 2), ("class_id", "INT64", [1], "int64_contents", [1]), model="digits"),
        "inputs",
        "seed 2, class_id 1",
    ),
    "too few numbers": (
        infer(("seed", "UINT64", [2], "uint64_contents", [1])),
        "inputs.seed.contents.uint64_contents",
        "1 numbers; this shape needs 2",
    ),
    "no contents": (infer(("seed", "UINT64", [1], None, None)), "inputs.seed.contents", "nothing"),
    "other contents": (infer(("seed", "UINT64", [1], "int64_contents", [1])), "inputs.seed.contents", "int64_contents"),
    "typed half floats": (
        infer(("z", "FP16", [1, 6], "fp32_contents", [0] * 6)),
        "inputs.z.contents",
        "use raw_input_contents",
    ),
    "raw and typed": (infer(seeds(1), raw_input_contents=[bytes(8)]), "inputs.seed.contents", "left out"),
    "raw count": (infer(seeds(1), raw_input_contents=[b"", b""]), "raw_input_contents", "2 entries for 1 inputs"),
    "raw size": (
        infer(("seed", "UINT64", [1], None, None), raw_input_contents=[bytes(7)]),
        "inputs.seed",
        "7 bytes of raw_input_contents; this shape and datatype need 8",
    ),
    "NaN": (raw("z", np.full((1, 6), np.nan, np.float32), "FP32"), "inputs.z[0]", "nan"),
    "class": (
        infer(seeds(1, 2), ("class_id", "INT64", [2], "int64_contents", [1, 3]), model="digits"),
        "inputs.class_id[1]",
        "class 3 is not one of 0 to 2",
    ),
    "negative class": (
        infer(seeds(1), ("class_id", "INT64", [1], "int64_contents", [-1]), model="digits"),
        "inputs.class_id[0]",
        "-1 is no class",
    ),
    "no class": (infer(seeds(1), model="digits"), "inputs.class_id[0]", "is required"),
    "unknown output": (infer(seeds(1), outputs=[{"name": "depth"}]), "outputs[0].name", "'depth' is none of images"),
    "output twice": (infer(seeds(1), outputs=[{"name": "images"}] * 2), "outputs", "2 tensors; there are 1"),
    "shared memory": (
        infer(seeds(1), outputs=[{"name": "images", "parameters": {"shared_memory_region": {"string_param": "x"}}}]),
        "outputs[0].parameters",
        "none are known",
    ),
    "unknown parameter": (infer(seeds(1), parameters={"psi": {"double_param": 1}}), "parameters", "'psi' is none of"),
    "parameter of another kind": (
        infer(seeds(1), parameters=ZOOM | {"alpha": {"string_param": "1"}}),
        "parameters.alpha",
        "has string_param; must be double_param",
    ),
    "parameter without value": (infer(seeds(1), parameters={"direction": {}}), "parameters.direction", "no value"),
    "no direction": (infer(seeds(1), parameters={"alpha": {"double_param": 1}}), "parameters.direction", "is needed"),
    "no extent": (infer(seeds(1), parameters=ZOOM), "parameters", "alpha or amount"),
    "slider": (
        infer(seeds(1), parameters=ZOOM | {"alpha": {"double_param": 1}, "slider": {"string_param": "age"}}),
        "parameters.slider",
        "'age' is none of zoom",
    ),
    "beyond": (infer(seeds(1), parameters=ZOOM | {"amount": {"double_param": 9}}), "parameters.amount", "beyond"),
}


def floats(name, *shape, value=0.0):
    return name, "FP32", list(shape), "fp32_contents", [value] * int(np.prod(shape))


STYLED = {
    "no input": ((), "inputs", "seed or z or w or w_plus, and only one"),
    "two codes": ((floats("w", 1, 5), floats("w_plus", 1, 6, 5)), "inputs", "only one of them"),
    "w of another size": ((floats("w", 1, 6),), "inputs.w.shape", "[1, 6] must be [-1, 5]"),
    "w of too few layers": ((floats("w_plus", 1, 5, 5),), "inputs.w_plus.shape", "[1, 5, 5] must be [-1, 6, 5]"),
    "w that is none": ((floats("w", 1, 5, value=float("nan")),), "inputs.w[0]", "nan"),
    "truncation": ((floats("w", 1, 5), floats("truncation", 1, value=3)), "inputs.truncation[0]", "from -2 to 2"),
}


@pytest.mark.parametrize(("inputs", "field", "words"), STYLED.values(), ids=STYLED.keys())
async def test_what_is_wrong_in_w_is_named_too(styled_server, refusal, inputs, field, words):
    stub = oip_grpc.GRPCInferenceServiceStub(styled_server.channel)
    refused = await refusal(stub.ModelInfer(infer(*inputs, model="styled")))
    assert (refused.status, refused.fields) == ("INVALID_ARGUMENT", [field])
    assert words in refused.message


@pytest.mark.parametrize(("request_", "field", "words"), REFUSED.values(), ids=REFUSED.keys())
async def test_what_is_wrong_is_named_in_the_words_of_the_protocol(stub, refusal, request_, field, words):
    refused = await refusal(stub.ModelInfer(request_))
    assert (refused.status, refused.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
    assert refused.fields == [field]
    assert words in refused.message


async def test_a_picture_that_is_none_is_named_by_its_place(server, stub, library, wild, refusal):
    library.put_generator("wild", wild)
    await server.models.LoadModel(model_pb.LoadModelRequest(model="wild"))
    codes = np.stack([np.zeros(6, np.float32), np.full(6, 1e20, np.float32)])
    refused = await refusal(stub.ModelInfer(raw("z", codes, "FP32", model="wild")))
    assert (refused.status, refused.fields) == ("INVALID_ARGUMENT", ["images[1]"])


async def test_what_does_not_serve_is_not_found_and_not_ready(stub, refusal):
    for name, version in (("nobody", ""), ("faces", "2")):
        assert not (await stub.ModelReady(oip.ModelReadyRequest(name=name, version=version))).ready
        for call in (
            stub.ModelMetadata(oip.ModelMetadataRequest(name=name, version=version)),
            stub.ModelInfer(infer(seeds(1), model=name, model_version=version)),
        ):
            refused = await refusal(call)
            assert (refused.status, refused.reason) == ("NOT_FOUND", "UNKNOWN_MODEL")


async def test_a_model_is_described_with_what_the_specification_leaves_room_for(stub, faces):
    properties = (await stub.ModelMetadata(oip.ModelMetadataRequest(name="faces"))).properties
    assert properties == {"digest": faces.digest, "max_batch": "64", "directions": "style,zoom"}


async def test_while_it_starts_and_drains_it_is_live_and_not_ready(slow_library, serve, refusal):
    async with serve(slow_library) as server:
        stub = oip_grpc.GRPCInferenceServiceStub(server.channel)
        assert (await stub.ServerReady(oip.ServerReadyRequest())).ready
        request = infer(seeds(*range(64)), model="slow")
        running = asyncio.ensure_future(stub.ModelInfer(request))
        await server.settles("latentwalk_open_streams", 1)
        draining = asyncio.create_task(server.doorway.drain())
        await server.doorway.draining.wait()
        assert (await stub.ServerLive(oip.ServerLiveRequest())).live
        assert not (await stub.ServerReady(oip.ServerReadyRequest())).ready
        assert not (await stub.ModelReady(oip.ModelReadyRequest(name="slow"))).ready
        assert (await refusal(stub.ModelInfer(request))).status == "UNAVAILABLE"
        assert len((await running).raw_output_contents[0]) == 64 * 128 * 128 * 3
        await draining


async def test_its_health_is_told_by_service_name_too(server):
    health = health_pb2_grpc.HealthStub(server.channel)
    reply = await health.Check(health_pb2.HealthCheckRequest(service="inference.GRPCInferenceService"))
    assert reply.status == health_pb2.HealthCheckResponse.SERVING


async def test_overload_deadline_and_cancel_are_those_of_generate(slow_library, serve, refusal):
    async with serve(slow_library, max_queued_frames=64, max_batch=1, stream_credit=64) as server:
        stub = oip_grpc.GRPCInferenceServiceStub(server.channel)
        request = infer(seeds(*range(64)), model="slow")
        first = stub.ModelInfer(request)
        await server.settles("latentwalk_open_streams", 1)
        refused = await refusal(stub.ModelInfer(request))
        assert (refused.status, refused.reason) == ("RESOURCE_EXHAUSTED", "QUEUE_FULL")
        assert refused.retry_seconds > 0
        first.cancel()
        await server.settles("latentwalk_open_streams", 0)
        assert await server.metric("latentwalk_frames_cancelled_total") > 0
        assert (await refusal(stub.ModelInfer(request, timeout=0.05))).status == "DEADLINE_EXCEEDED"
        await server.settles("latentwalk_queue_frames", 0)
