"""The little HTTP/2 that the benchmarks ask with, against real servers: it gets what grpc.aio gets."""

import asyncio
import re
import threading
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import grpc
import pytest
import uvloop

from benchmarks.load.call import CallFailed
from benchmarks.load.closed import walk_request
from benchmarks.load.codes import code_of
from benchmarks.load.http2 import (
    DATA,
    END_HEADERS,
    END_STREAM,
    FIRST_WINDOW,
    GOAWAY,
    HEADERS,
    PADDED,
    PING,
    RST_STREAM,
    WINDOW,
    Connection,
    connected,
    frame,
)
from benchmarks.load.wires import WIRES, generate, generate_request
from benchmarks.published import SPEC, publish
from latentwalk.server.assembly import serving
from latentwalk.server.settings import Settings
from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import latent_pb2

GENERATE, WALK = "/latentwalk.v1.GenerationService/Generate", "/latentwalk.v1.GenerationService/Walk"
LIGHT = replace(SPEC, resolution=128, config={"width": 2})
"""Pictures of 48 KiB that are soon drawn."""
ENDLESS = 1_000_000
"""So many frames that no test waits for the last one."""


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    publish(folder, LIGHT)
    return folder


@asynccontextmanager
async def served(store: Path, kind: type[Settings] = Settings, **options: object) -> AsyncIterator[str]:
    """A server in this process; its address."""
    plain = {"address": "127.0.0.1:0", "metrics_address": "", "engine_seconds": 0.0, "engine_cache": ""}
    bounds = {"torch_threads": 1, "max_queue_seconds": 60.0, "max_rows": 128, "max_frames": ENDLESS}
    settings = kind(**(plain | bounds | {"store": str(store)} | options))
    async with serving(settings) as doorway:
        yield f"127.0.0.1:{doorway.port}"


@pytest.fixture
async def address(store) -> AsyncIterator[str]:
    async with served(store) as address:
        yield address


@asynccontextmanager
async def grpc_aio(address: str) -> AsyncIterator[grpc.aio.Channel]:
    async with grpc.aio.insecure_channel(address, [("grpc.max_receive_message_length", -1)]) as channel:
        yield channel


async def test_a_reply_has_the_bytes_that_grpc_aio_gets(address):
    request = generate_request(range(3)).SerializeToString()
    async with connected(address) as connection, grpc_aio(address) as channel:
        assert await connection.unary(GENERATE, request) == await channel.unary_unary(GENERATE)(request)


async def test_a_reply_larger_than_the_window_arrives_whole(address):
    latents = [latent_pb2.Latent(seed=seed) for seed in range(96)]
    request = pb.GenerateRequest(model="bench", latents=latents).SerializeToString()
    async with connected(address) as connection, grpc_aio(address) as channel:
        reply = await connection.unary(GENERATE, request)
        assert len(reply) > WINDOW
        assert reply == await channel.unary_unary(GENERATE)(request)


async def test_a_stream_of_more_than_two_windows_arrives_whole_and_in_order(address):
    request = walk_request(0, 200).SerializeToString()
    async with connected(address) as connection, grpc_aio(address) as channel:
        replies = [reply async for reply in connection.stream(WALK, request)]
        assert sum(map(len, replies)) > 2 * WINDOW
        assert replies == [reply async for reply in channel.unary_stream(WALK)(request)]


async def test_calls_share_a_connection_without_being_mixed_up(address):
    requests = [generate_request([seed]).SerializeToString() for seed in range(8)]
    async with connected(address) as connection:
        together = await asyncio.gather(*(connection.unary(GENERATE, request) for request in requests))
        assert together == [await connection.unary(GENERATE, request) for request in requests]
        assert len(set(together)) == len(requests)


async def test_a_connection_lasts_for_more_requests_than_the_server_takes_at_once(address):
    refused = generate_request(range(24))
    refused.model = "missing"
    async with connected(address) as connection:
        for _ in range(3 * FIRST_WINDOW // refused.ByteSize()):
            with pytest.raises(CallFailed):
                await generate(connection, refused)
        assert (await generate(connection, generate_request([0]))).images


async def test_every_wire_of_grpc_brings_the_same_picture(address):
    pictures = []
    for wire in ("gRPC", "gRPC, Open Inference Protocol"):
        async with WIRES[wire](address) as ask:
            pictures.append(await ask(code_of(7)))
    assert pictures[0] == pictures[1]
    assert len(pictures[0]) == 128 * 128 * 3


@pytest.mark.parametrize(
    ("path", "model", "status"),
    [
        (GENERATE, "100% naïve", "NOT_FOUND"),
        (GENERATE, "bench", "INVALID_ARGUMENT"),
        (WALK, "missing", "NOT_FOUND"),
        ("/latentwalk.v1.GenerationService/Missing", "bench", "UNIMPLEMENTED"),
    ],
)
async def test_a_refusal_is_told_by_name_with_the_servers_words(address, path, model, status):
    request = pb.GenerateRequest(model=model).SerializeToString()
    async with connected(address) as connection, grpc_aio(address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as expected:
            await channel.unary_unary(path)(request)
        with pytest.raises(CallFailed) as refused:
            await connection.unary(path, request)
        assert refused.value.status == expected.value.code().name == status
        assert str(refused.value) == f"{status}: {expected.value.details()}"
        assert await connection.unary(GENERATE, generate_request([0]).SerializeToString())


async def test_a_request_too_large_to_be_sent_at_once_is_not_sent(address):
    async with connected(address) as connection:
        with pytest.raises(ValueError, match=r"a message of 20005 bytes, where .* takes 16384 at once"):
            await connection.unary(GENERATE, bytes(20_000))
        assert (await generate(connection, generate_request([0]))).images


async def test_a_stream_given_up_is_cancelled_at_the_server(store):
    async with served(store, max_streams=1) as address, connected(address) as connection:
        async with aclosing(connection.stream(WALK, walk_request(0, ENDLESS).SerializeToString())) as replies:
            await anext(replies)
            with pytest.raises(CallFailed, match="RESOURCE_EXHAUSTED"):
                await generate(connection, generate_request([0]))
        async with asyncio.timeout(30):
            while True:
                try:
                    assert (await generate(connection, generate_request([0]))).images
                    break
                except CallFailed:
                    await asyncio.sleep(0.02)


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
async def test_a_server_that_shuts_down_ends_its_calls_and_the_connection(store, run):
    under_way = threading.Event()

    async def read(replies):
        async for _ in replies:
            under_way.set()

    async def walk(address):
        async with connected(address) as connection:
            with pytest.raises(ConnectionError, match=f"{address}: the server says goodbye"):
                await read(connection.stream(WALK, walk_request(0, ENDLESS).SerializeToString()))
            with pytest.raises(ConnectionError, match=f"{address}: the server says goodbye"):
                await generate(connection, generate_request([0]))

    async with served(store, grace_seconds=2.0) as address:
        walking = asyncio.create_task(asyncio.to_thread(run, walk(address)))
        assert await asyncio.to_thread(under_way.wait, 60)
    await asyncio.wait_for(walking, 60)


async def test_it_does_the_same_on_uvloop(address):
    async def ask():
        async with connected(address) as connection:
            with pytest.raises(CallFailed, match="NOT_FOUND"):
                await connection.unary(GENERATE, pb.GenerateRequest(model="missing").SerializeToString())
            return [reply async for reply in connection.stream(WALK, walk_request(0, 200).SerializeToString())]

    assert await asyncio.to_thread(uvloop.run, ask()) == await ask()


class Pinging(Settings):
    """Of a server that looks several times a second whether its clients are still there."""

    def channel_arguments(self):
        ours = dict(super().channel_arguments())
        return list((ours | {"grpc.keepalive_time_ms": 200, "grpc.http2.ping_timeout_ms": 2000}).items())


class Mute(Connection):
    """A client that does not answer pings."""

    _TAKE: ClassVar = {kind: take for kind, take in Connection._TAKE.items() if kind != PING}


async def test_pings_are_answered_so_that_an_idle_connection_lasts(store):
    request = generate_request([0]).SerializeToString()

    async def ask_on(connection):
        while True:
            await connection.unary(GENERATE, request)
            await asyncio.sleep(0.1)

    async with served(store, Pinging) as address, connected(address) as connection:
        host, port = address.split(":")
        _, mute = await asyncio.get_running_loop().create_connection(lambda: Mute(address), host, int(port))
        assert await mute.unary(GENERATE, request) == await connection.unary(GENERATE, request)
        with pytest.raises(ConnectionError, match="ping_timeout"):
            await asyncio.wait_for(ask_on(mute), 60)
        assert await connection.unary(GENERATE, request)


@asynccontextmanager
async def saying(answer: bytes) -> AsyncIterator[str]:
    """Something that says just this to whoever says hello, one byte after the other, and hangs up; its address."""

    async def answer_and_leave(reader, writer):
        await reader.readuntil(b"hello")
        for byte in answer:
            writer.write(bytes([byte]))
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer_and_leave, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        yield f"{host}:{port}"


TRAILERS = b"\x00\x0bgrpc-status\x010"
MESSAGE = b"\x00\x00\x00\x00\x05hello"


async def test_padding_is_no_part_of_a_reply():
    data = frame(DATA, PADDED, 1, b"\x03" + MESSAGE + bytes(3))
    end = frame(HEADERS, END_HEADERS | END_STREAM | PADDED, 1, b"\x02" + TRAILERS + bytes(2))
    async with saying(data + end) as address, connected(address) as connection:
        assert await connection.unary("/any", b"hello") == b"hello"


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (b"", "the connection was closed"),
        (frame(DATA, 0, 1, MESSAGE)[:-1], "the connection was closed"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "the connection was closed"),
        (frame(DATA, END_STREAM, 1, MESSAGE), "a call ended without its status"),
        (frame(DATA, 0, 1, b"\x01" + MESSAGE[1:]), "a compressed reply"),
        (frame(HEADERS, END_STREAM, 1, TRAILERS), "headers that are continued"),
        (frame(HEADERS, END_STREAM | END_HEADERS, 1, b"\x88"), "no gRPC status in {':status': '200'}"),
        (frame(RST_STREAM, 0, 1, (11).to_bytes(4)), "a call was reset, code 11"),
        (frame(GOAWAY, 0, 0, bytes(7) + b"\x0btoo_many_pings"), "goodbye: code 11, b'too_many_pings'"),
    ],
)
@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
async def test_whatever_else_is_said_ends_the_call(run, answer, complaint):
    async def ask(address):
        async with connected(address) as connection:
            await connection.unary("/any", b"hello")

    async with saying(answer) as address:
        with pytest.raises(ConnectionError, match=f"{address}: .*{re.escape(complaint)}"):
            await asyncio.wait_for(asyncio.to_thread(run, ask(address)), 60)
