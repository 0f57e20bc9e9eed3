"""The Open Inference Protocol, as the real tritonclient of PyPI speaks it."""

import asyncio
import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from styled_requests import latent, tensor

from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import latent_pb2, tensor_pb2

SESSION = Path(__file__).parent / "triton_session.py"
SEEDS = (1, 2**64 - 1)


@pytest.fixture
def library(library, styled):
    """The common one, and a StyleGAN."""
    library.put_generator("styled", styled)
    return library


@pytest.fixture
async def told(server):
    """What tritonclient was told, with its pictures as arrays."""
    session = await asyncio.create_subprocess_exec(
        sys.executable, SESSION, f"127.0.0.1:{server.doorway.port}", stdout=asyncio.subprocess.PIPE
    )
    output, _ = await session.communicate()
    assert session.returncode == 0
    return json.loads(output)


def array(digits):
    return np.load(io.BytesIO(bytes.fromhex(digits)))


async def generated(server, model, latents, **options):
    reply = await server.generation.Generate(pb.GenerateRequest(model=model, latents=latents, **options))
    (size,) = {(image.height, image.width, image.channels) for image in reply.images}
    return np.stack([np.frombuffer(image.data, np.uint8).reshape(size) for image in reply.images])


async def test_tritonclient_makes_all_six_calls(server, told, digits):
    assert (told["live"], told["ready"]) == (True, True)
    assert told["models_ready"] == told["versions_ready"] == [True, False]
    assert told["server"]["name"] == "latentwalk"
    assert told["model"] == {
        "name": "digits",
        "versions": ["1"],
        "platform": "latentwalk_dcgan",
        "inputs": [
            {"name": "seed", "datatype": "UINT64", "shape": ["-1"]},
            {"name": "z", "datatype": "FP32", "shape": ["-1", "6"]},
            {"name": "threshold", "datatype": "FP32", "shape": ["-1"]},
            {"name": "class_id", "datatype": "INT64", "shape": ["-1"]},
        ],
        "outputs": [{"name": "images", "datatype": "UINT8", "shape": ["-1", "16", "16", "1"]}],
    }
    assert told["reply"] == ["mine", "1", "UINT8"]

    expected = await generated(server, "faces", [latent_pb2.Latent(seed=seed) for seed in SEEDS])
    assert expected.shape == (2, 16, 16, 3)
    for drawn in (told["seeds"], told["column"], *told["asyncio"]):
        np.testing.assert_allclose(array(drawn), expected, atol=1)

    for kind, name in (("fp32", "<f4"), ("fp16", "<f2")):
        codes = np.linspace(-1, 1, 12, dtype=np.float32).reshape(2, 6).astype(name)
        dtype = getattr(tensor_pb2, "DATA_TYPE_FLOAT32" if kind == "fp32" else "DATA_TYPE_FLOAT16")
        tensors = [tensor_pb2.Tensor(dtype=dtype, shape=[6], data=code.tobytes()) for code in codes]
        expected = await generated(server, "faces", [latent_pb2.Latent(z=tensor) for tensor in tensors])
        np.testing.assert_allclose(array(told[kind]), expected, atol=1)

    conditions = [latent_pb2.Condition(class_id=class_id) for class_id in (2, 0)]
    latents = [latent_pb2.Latent(seed=seed, condition=one) for seed, one in zip(SEEDS, conditions, strict=True)]
    np.testing.assert_allclose(array(told["classes"]), await generated(server, "digits", latents), atol=1)

    zoom = pb.Displacement(direction="zoom", slider="zoom", extent=pb.Extent(amount=2.0))
    latents = [latent_pb2.Latent(seed=seed) for seed in SEEDS]
    zoomed = array(told["zoomed"])
    np.testing.assert_allclose(zoomed, await generated(server, "faces", latents, displacements=[zoom]), atol=1)
    assert (zoomed != array(told["seeds"])).any()

    assert told["unknown_model"] == ["StatusCode.NOT_FOUND", "no model 'nobody'; there are: digits, faces, styled"]
    has = "is none of seed, z, threshold"
    assert told["unknown_input"] == ["StatusCode.INVALID_ARGUMENT", f"inputs[0].name: 'class_id' {has}"]
    assert told["no_w"] == ["StatusCode.INVALID_ARGUMENT", f"inputs[0].name: 'w' {has}"]
    assert told["no_truncation"] == ["StatusCode.INVALID_ARGUMENT", f"inputs[1].name: 'truncation' {has}"]
    assert told["deadline"] == "StatusCode.DEADLINE_EXCEEDED"


async def test_tritonclient_gives_w_and_truncation_to_a_stylegan(server, told):
    assert told["styled"] == [
        {"name": "seed", "datatype": "UINT64", "shape": ["-1"]},
        {"name": "z", "datatype": "FP32", "shape": ["-1", "6"]},
        {"name": "w", "datatype": "FP32", "shape": ["-1", "5"]},
        {"name": "w_plus", "datatype": "FP32", "shape": ["-1", "6", "5"]},
        {"name": "truncation", "datatype": "FP32", "shape": ["-1"]},
        {"name": "class_id", "datatype": "INT64", "shape": ["-1"]},
    ]
    codes = torch.linspace(-1, 1, 60).reshape(2, 6, 5)
    halves = [latent_pb2.Truncation(psi=psi) for psi in (0.5, -0.5)]
    in_w = [latent_pb2.Latent(w=tensor(code[0])) for code in codes]
    in_w_plus = [latent_pb2.Latent(w_plus=tensor(code)) for code in codes]
    seeded = [latent(seed, class_id) for seed, class_id in zip(SEEDS, (2, 0), strict=True)]
    for one, other, half in zip(in_w_plus, seeded, halves, strict=True):
        one.truncation.CopyFrom(half)
        other.truncation.CopyFrom(half)
    for kind, latents in (("w", in_w), ("w_plus", in_w_plus), ("truncated", seeded)):
        np.testing.assert_allclose(array(told[kind]), await generated(server, "styled", latents), atol=1)
