"""How a picture is asked for, by wire: each client has a connection of its own."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager

import numpy as np
import numpy.typing as npt

from benchmarks.load.codes import code_of
from benchmarks.load.http2 import Connection, connected
from latentwalk.oip import open_inference_service_pb2 as oip
from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import latent_pb2, tensor_pb2

MODEL = "bench"
Code = npt.NDArray[np.float32]
Ask = Callable[[Code], Awaitable[bytes]]
"""A latent z [Z] in, the bytes of its pixels out."""


def latent(code: Code) -> latent_pb2.Latent:
    """The latent as a message."""
    tensor = tensor_pb2.Tensor(dtype=tensor_pb2.DATA_TYPE_FLOAT32, shape=code.shape, data=code.tobytes())
    return latent_pb2.Latent(z=tensor)


def generate_request(seeds: Iterable[int]) -> pb.GenerateRequest:
    """One picture for each seed."""
    return pb.GenerateRequest(model=MODEL, latents=[latent(code_of(seed)) for seed in seeds])


async def generate(connection: Connection, request: pb.GenerateRequest) -> pb.GenerateResponse:
    """Generate of our own service."""
    reply = await connection.unary("/latentwalk.v1.GenerationService/Generate", request.SerializeToString())
    return pb.GenerateResponse.FromString(reply)


async def walk(connection: Connection, request: pb.WalkRequest) -> AsyncGenerator[pb.Frame]:
    """The frames of a Walk of our own service."""
    path = "/latentwalk.v1.GenerationService/Walk"
    async with aclosing(connection.stream(path, request.SerializeToString())) as replies:
        async for reply in replies:
            response = pb.WalkResponse.FromString(reply)
            if response.HasField("frame"):
                yield response.frame
            for frame in response.bundle.frames:
                yield frame


@asynccontextmanager
async def generation(address: str) -> AsyncGenerator[Ask]:
    """Over gRPC, in the words of latentwalk.v1."""
    async with connected(address) as connection:

        async def ask(code: Code) -> bytes:
            reply = await generate(connection, pb.GenerateRequest(model=MODEL, latents=[latent(code)]))
            return reply.images[0].data

        yield ask


@asynccontextmanager
async def open_inference(address: str) -> AsyncGenerator[Ask]:
    """Over gRPC, in the words of the Open Inference Protocol, with raw tensors."""
    async with connected(address) as connection:
        path, tensor = "/inference.GRPCInferenceService/ModelInfer", oip.ModelInferRequest.InferInputTensor

        async def ask(code: Code) -> bytes:
            named = tensor(name="z", datatype="FP32", shape=(1, *code.shape))
            request = oip.ModelInferRequest(model_name=MODEL, inputs=[named], raw_input_contents=[code.tobytes()])
            reply = oip.ModelInferResponse.FromString(await connection.unary(path, request.SerializeToString()))
            return reply.raw_output_contents[0]

        yield ask


@asynccontextmanager
async def http_bytes(address: str) -> AsyncGenerator[Ask]:
    """Over HTTP/1.1, bytes in and bytes out."""
    async with _posting(address, "/inference", "application/octet-stream") as post:
        yield lambda code: post(code.tobytes())


@asynccontextmanager
async def http_json(address: str) -> AsyncGenerator[Ask]:
    """Over HTTP/1.1, JSON in and bytes out."""
    async with _posting(address, "/predict", "application/json") as post:
        yield lambda code: post(json.dumps({"z": code.tolist()}).encode())


WIRES: dict[str, Callable[[str], AbstractAsyncContextManager[Ask]]] = {
    "gRPC": generation,
    "gRPC, Open Inference Protocol": open_inference,
    "HTTP, bytes": http_bytes,
    "HTTP, JSON in": http_json,
}


@asynccontextmanager
async def _posting(address: str, path: str, kind: str) -> AsyncGenerator[Callable[[bytes], Awaitable[bytes]]]:
    """As little HTTP as these services need: one connection that stays open, and replies that say how long they are."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: {kind}\r\nContent-Length: "

    async def post(body: bytes) -> bytes:
        writer.write(f"{head}{len(body)}\r\n\r\n".encode() + body)
        status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().lower().splitlines()
        lengths = [line.partition(":")[2] for line in lines if line.startswith("content-length:")]
        content = await reader.readexactly(int(lengths[0]))
        if " 200 " not in f"{status} ":
            raise ConnectionError(f"{address}{path}: {status}: {content[:200]!r}")
        return content

    try:
        yield post
    finally:
        writer.close()
