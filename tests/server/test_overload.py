"""Overload is refused at once, slow readers cost nothing, and those who leave leave nothing behind."""

import asyncio
import multiprocessing
import os
import random
import signal
from collections import Counter
from contextlib import AsyncExitStack, suppress

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import generation_service_pb2_grpc, image_pb2


def generate(count, model="slow"):
    request = pb.GenerateRequest(model=model)
    for seed in range(count):
        request.latents.add(seed=seed)
    return request


def walk(frames, rows=1, model="slow", format=image_pb2.IMAGE_FORMAT_RAW):
    request = pb.WalkRequest(model=model, encoding=image_pb2.ImageEncoding(format=format))
    for seed in range(rows):
        request.starts.add(seed=seed)
    stretch = request.legs.add(frames=frames).stretches.add(direction="zoom", to=pb.Extent(alpha=1))
    getattr(stretch, "from").alpha = 0
    return request


async def drawn(server):
    return await server.metric("latentwalk_batch_size_sum")


async def assert_nothing_is_left(server):
    """No stream, no waiting picture, and a server that still serves."""
    await server.settles("latentwalk_open_streams", 0)
    assert await server.metric("latentwalk_queue_frames") == 0
    assert (await server.generation.Generate(generate(1))).images


async def test_what_does_not_fit_the_queue_is_refused_at_once_with_a_delay(slow_library, serve, described):
    async with serve(slow_library, max_batch=4, max_queued_frames=32, stream_credit=32) as server:
        ended = []

        async def ask():
            try:
                ended.append(await server.generation.Generate(generate(32)))
            except grpc.aio.AioRpcError as error:
                ended.append(described(error))

        await asyncio.gather(*(ask() for _ in range(4)))
        served = [reply for reply in ended if isinstance(reply, pb.GenerateResponse)]
        refused = [one for one in ended if one not in served]
        assert ended == refused + served, "those who are refused need not wait for those who are served"
        assert [len(reply.images) for reply in served] == [32] * len(served) != []
        for one in refused:
            assert (one.status, one.reason) == ("RESOURCE_EXHAUSTED", "QUEUE_FULL")
            assert one.retry_seconds > 0
        assert await server.metric("latentwalk_rejected_total", reason="queue_full") == len(refused) > 0
        assert (await server.generation.Generate(generate(32))).images


async def test_of_thousands_that_come_at_once_each_is_served_or_told_why_not(library, serve):
    async with serve(library) as server, AsyncExitStack() as stack:
        address = f"127.0.0.1:{server.doorway.port}"
        own = [("grpc.use_local_subchannel_pool", 1)]
        channels = [await stack.enter_async_context(grpc.aio.insecure_channel(address, own)) for _ in range(4)]
        stubs = [generation_service_pb2_grpc.GenerationServiceStub(channel) for channel in channels]
        calls = [stub.Generate(generate(1, "faces")) for _ in range(750) for stub in stubs]
        codes = Counter([await call.code() for call in calls])
        assert codes.keys() <= {grpc.StatusCode.OK, grpc.StatusCode.RESOURCE_EXHAUSTED}, codes


async def test_a_reader_that_stops_reading_stops_the_drawing(slow_library, serve):
    async with serve(slow_library, stream_credit=8) as server:
        # 16 rows of 48 KiB: transport takes some ten frames of its own accord, and no more.
        call = server.generation.Walk(walk(10_000, rows=16))
        await call.read()
        await call.read()
        before = -1
        async with asyncio.timeout(150):
            while before != (before := await drawn(server)):  # noqa: ASYNC110 - it is on the other side
                await asyncio.sleep(1.0)
        assert before < 16 * 40
        await server.settles("latentwalk_queue_frames", 0)
        assert (await server.generation.Generate(generate(1))).images
        call.cancel()
        await assert_nothing_is_left(server)


async def test_a_short_request_overtakes_a_long_one(slow_library, serve):
    async with serve(slow_library, max_batch=4) as server:
        call = server.generation.Walk(walk(2_000))
        await call.read()
        await server.generation.Generate(generate(1))
        assert await drawn(server) < 200
        call.cancel()


FORMATS = {"raw": image_pb2.IMAGE_FORMAT_RAW, "png": image_pb2.IMAGE_FORMAT_PNG}


@pytest.mark.parametrize("ending", ["cancel", "deadline"])
async def test_a_caller_that_leaves_while_the_device_draws_leaves_nothing(slow_library, serve, rest, ending):
    async with serve(slow_library, max_batch=2) as server:
        call = server.generation.Walk(walk(10_000, rows=64), timeout=4.0 if ending == "deadline" else None)

        async def read():
            await call.read()
            if ending == "cancel":
                call.cancel()
            await rest(call)

        with pytest.raises((asyncio.CancelledError, grpc.aio.AioRpcError)):
            await read()
        await assert_nothing_is_left(server)
        assert await server.metric("latentwalk_frames_cancelled_total") > 0


@pytest.mark.parametrize("ending", ["cancel", "deadline"])
@pytest.mark.parametrize("format", FORMATS)
async def test_a_caller_that_leaves_while_a_write_blocks_leaves_nothing(slow_library, serve, ending, format):
    async with serve(slow_library) as server:
        request = walk(10_000, rows=16, format=FORMATS[format])
        call = server.generation.Walk(request, timeout=3.0 if ending == "deadline" else None)
        with suppress(grpc.aio.AioRpcError):  # its deadline may have passed before
            await call.read()
        await asyncio.sleep(1.0)
        if ending == "cancel":
            call.cancel()
        await assert_nothing_is_left(server)
        call.cancel()


async def test_a_deadline_is_told_as_such(slow_library, serve, refusal):
    async with serve(slow_library) as server:
        refused = await refusal(server.generation.Walk(walk(10_000, rows=64), timeout=0.3))
        assert refused.status == "DEADLINE_EXCEEDED"


async def test_callers_that_leave_at_any_moment_leave_nothing(slow_library, serve):
    """Cancels at random, so that every place at which a handler can wait is met."""
    chance = random.Random(1)
    async with serve(slow_library, max_batch=4, stream_credit=6, max_queued_frames=64) as server:

        async def come_and_go():
            request = walk(100, rows=chance.randint(1, 3), format=chance.choice(list(FORMATS.values())))
            call = server.generation.Walk(request)
            for _ in range(chance.randint(0, 3)):
                try:
                    await asyncio.wait_for(call.read(), chance.random() * 0.2)
                except (TimeoutError, asyncio.CancelledError, grpc.aio.AioRpcError):
                    break
            call.cancel()

        for _ in range(8):
            await asyncio.gather(*(come_and_go() for _ in range(8)))
        await assert_nothing_is_left(server)


async def test_a_drain_serves_the_frames_of_a_running_walk_to_the_end(slow_library, serve, rest):
    async with serve(slow_library, grace_seconds=600.0) as server:
        call = server.generation.Walk(walk(100))
        await call.read()
        drain = asyncio.create_task(server.doorway.drain())
        await server.doorway.draining.wait()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await server.generation.Generate(generate(1))
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert len(await rest(call)) == 100
        await drain


async def serves_again(server, model):
    """Returns when health says so, and a picture is drawn."""
    health = health_pb2_grpc.HealthStub(server.channel)
    async with asyncio.timeout(150):
        while True:
            with suppress(grpc.aio.AioRpcError):
                reply = await health.Check(health_pb2.HealthCheckRequest())
                if reply.status == health_pb2.HealthCheckResponse.SERVING:
                    await server.generation.Generate(generate(1, model))
                    return
            await asyncio.sleep(0.1)


async def test_a_device_that_hangs_fails_its_requests_and_is_replaced(library, serve, refusal, device_process):
    async with serve(library, watchdog_seconds=0.3) as server:
        os.kill(device_process().pid, signal.SIGSTOP)
        refused = await refusal(server.generation.Generate(generate(1, "faces")))
        assert (refused.status, refused.reason) == ("UNAVAILABLE", "DEVICE_FAILED")
        assert "has not answered for 0.3 s" in refused.message
        await serves_again(server, "faces")
        await server.settles("latentwalk_open_streams", 0)


async def test_a_device_that_hangs_while_it_comes_back_is_replaced_again(slow_library, serve, refusal, device_process):
    async with serve(slow_library, watchdog_seconds=0.3) as server:
        device_process().kill()
        others = {process.pid for process in multiprocessing.active_children()}
        drawing = asyncio.create_task(refusal(server.generation.Generate(generate(1, "slow"))))
        async with asyncio.timeout(150):
            while not (new := [one for one in multiprocessing.active_children() if one.pid not in others]):  # noqa: ASYNC110
                await asyncio.sleep(0.001)  # it is on the other side
        os.kill(new[0].pid, signal.SIGSTOP)
        refused = await drawing
        assert (refused.status, refused.reason) == ("UNAVAILABLE", "DEVICE_FAILED")
        await serves_again(server, "slow")
        await server.settles("latentwalk_open_streams", 0)


async def test_a_device_that_dies_under_load_is_replaced_and_no_request_fails(library, serve, device_process):
    async with serve(library, max_batch=8) as server:

        async def walk_on():
            return len([reply async for reply in server.generation.Walk(walk(300, rows=2, model="faces"))])

        walks = [asyncio.create_task(walk_on()) for _ in range(4)]
        for _ in range(3):
            before = await drawn(server)
            while await drawn(server) < before + 50:  # noqa: ASYNC110 - it is on the other side
                await asyncio.sleep(0.01)
            device_process().kill()
        assert await asyncio.gather(*walks) == [301] * 4


async def test_a_device_that_died_while_nothing_was_drawn_is_replaced_for_the_next_request(
    library, serve, device_process
):
    async with serve(library, frame_cache_mib=0) as server:
        expected = await server.generation.Generate(generate(1, "faces"))
        for _ in range(2):
            process = device_process()
            process.kill()
            process.join()
            assert (await server.generation.Generate(generate(1, "faces"))).images == expected.images
