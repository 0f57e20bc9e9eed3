"""A session of the real tritonclient, run as a program by test_tritonclient: it and our stubs cannot share a process.

Takes the address; writes one JSON object of what it was told and an .npy, as hexadecimal digits, of each picture drawn.
"""

import asyncio
import io
import json
import sys

import numpy as np
import tritonclient.grpc as triton
import tritonclient.grpc.aio

import latentwalk.client  # noqa: F401 - the SDK and tritonclient can: the SDK has none of the protocol's messages


def tensor(name, array, datatype):
    made = triton.InferInput(name, array.shape, datatype)
    made.set_data_from_numpy(array)
    return made


def saved(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue().hex()


def failure(call, *arguments, **options):
    try:
        call(*arguments, **options)
    except triton.InferenceServerException as error:
        return [error.status(), error.message()]
    raise AssertionError("it was not refused")


async def drawn_by_asyncio(address, seeds):
    async with tritonclient.grpc.aio.InferenceServerClient(address) as client:
        replies = await asyncio.gather(*(client.infer("faces", [seeds]) for _ in range(3)))
        return [saved(reply.as_numpy("images")) for reply in replies]


def main(address):
    client = triton.InferenceServerClient(address)
    seeds = tensor("seed", np.array([1, 2**64 - 1], np.uint64), "UINT64")
    column = tensor("seed", np.array([[1], [2**64 - 1]], np.uint64), "UINT64")
    codes = np.linspace(-1, 1, 12, dtype=np.float32).reshape(2, 6)
    classes = tensor("class_id", np.array([2, 0], np.int64), "INT64")
    zoom = {"direction": "zoom", "slider": "zoom", "amount": 2.0}
    images = triton.InferRequestedOutput("images")
    reply = client.infer("faces", [seeds], model_version="1", outputs=[images], request_id="mine")
    lively = np.linspace(-1, 1, 60, dtype=np.float32).reshape(2, 6, 5)
    half = tensor("truncation", np.array([0.5, -0.5], np.float32), "FP32")
    told = {
        "live": client.is_server_live(),
        "ready": client.is_server_ready(),
        "models_ready": [client.is_model_ready(name) for name in ("faces", "nobody")],
        "versions_ready": [client.is_model_ready("faces", version) for version in ("1", "2")],
        "server": client.get_server_metadata(as_json=True),
        "model": client.get_model_metadata("digits", as_json=True),
        "reply": [reply.get_response().id, reply.get_response().model_version, reply.get_output("images").datatype],
        "seeds": saved(reply.as_numpy("images")),
        "column": saved(client.infer("faces", [column]).as_numpy("images")),
        "fp32": saved(client.infer("faces", [tensor("z", codes, "FP32")]).as_numpy("images")),
        "fp16": saved(client.infer("faces", [tensor("z", codes.astype(np.float16), "FP16")]).as_numpy("images")),
        "classes": saved(client.infer("digits", [seeds, classes]).as_numpy("images")),
        "styled": client.get_model_metadata("styled", as_json=True)["inputs"],
        "w": saved(client.infer("styled", [tensor("w", lively[:, 0], "FP32")]).as_numpy("images")),
        "w_plus": saved(client.infer("styled", [tensor("w_plus", lively, "FP32"), half]).as_numpy("images")),
        "truncated": saved(client.infer("styled", [seeds, classes, half]).as_numpy("images")),
        "zoomed": saved(client.infer("faces", [seeds], parameters=zoom).as_numpy("images")),
        "asyncio": asyncio.run(drawn_by_asyncio(address, seeds)),
        "unknown_model": failure(client.infer, "nobody", [seeds]),
        "unknown_input": failure(client.infer, "faces", [classes]),
        "no_w": failure(client.infer, "faces", [tensor("w", lively[:, 0], "FP32")]),
        "no_truncation": failure(client.infer, "faces", [seeds, half]),
        "deadline": failure(client.infer, "faces", [seeds], client_timeout=1e-6)[0],
    }
    client.close()
    sys.stdout.write(json.dumps(told))


main(sys.argv[1])
