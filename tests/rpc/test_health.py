"""Health follows the life of the service."""

import asyncio

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


async def check(run, service=""):
    reply = await health_pb2_grpc.HealthStub(run.channel).Check(health_pb2.HealthCheckRequest(service=service))
    return reply.status


@pytest.mark.parametrize("service", ["", "test.Echo"])
async def test_health_is_not_serving_until_the_service_is_ready(running, service):
    async with running(is_ready=False) as run:
        assert await check(run, service) == NOT_SERVING
        run.doorway.ready()
        assert await check(run, service) == SERVING


async def test_the_health_of_an_unknown_service_is_not_found(running):
    async with running() as run:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await check(run, "test.Other")
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_every_watcher_sees_every_change_though_another_leaves_and_all_end_with_the_service(running):
    async with running(is_ready=False) as run:
        stub = health_pb2_grpc.HealthStub(run.channel)
        watches = [stub.Watch(health_pb2.HealthCheckRequest(service="test.Echo")) for _ in range(3)]
        assert [(await watch.read()).status for watch in watches] == [NOT_SERVING] * 3
        watches[0].cancel()
        await asyncio.sleep(0.1)
        run.doorway.ready()
        assert [(await watch.read()).status for watch in watches[1:]] == [SERVING] * 2
        await run.doorway.drain()
        assert [(await watch.read()).status for watch in watches[1:]] == [NOT_SERVING] * 2
        assert [await watch.read() for watch in watches[1:]] == [grpc.aio.EOF] * 2


async def test_a_watch_of_an_unknown_service_says_so_and_waits(running):
    async with running() as run:
        watch = health_pb2_grpc.HealthStub(run.channel).Watch(health_pb2.HealthCheckRequest(service="x"))
        assert (await watch.read()).status == SERVICE_UNKNOWN
        watch.cancel()
