"""Health follows the life of the service."""

import asyncio
from contextlib import AsyncExitStack

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from latentwalk.rpc.version import own_version

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
        assert run.registry.get_sample_value("latentwalk_serving") == 0
        run.doorway.ready()
        assert await check(run, service) == SERVING
        assert run.registry.get_sample_value("latentwalk_serving") == 1
        assert run.registry.get_sample_value("latentwalk_build_info", {"version": own_version()}) == 1


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


async def test_a_watch_goes_on_while_the_service_drains(running):
    async with running() as run:
        go_on = asyncio.Event()

        async def wait(request, context):
            await go_on.wait()
            return request

        run.echo.behaviour = wait
        call = asyncio.ensure_future(run.unary())
        await run.echo.reached.wait()
        watch = health_pb2_grpc.HealthStub(run.channel).Watch(health_pb2.HealthCheckRequest())
        assert (await watch.read()).status == SERVING
        draining = asyncio.create_task(run.doorway.drain())
        assert (await watch.read()).status == NOT_SERVING
        ended = asyncio.ensure_future(watch.read())
        await asyncio.wait({ended}, timeout=0.2)
        assert not ended.done()
        go_on.set()
        await call
        await draining
        assert await ended == grpc.aio.EOF


async def test_clients_that_balance_are_told_once_each_and_take_no_places_of_those_who_call(running):
    """gRPC begins another watch as soon as one ends: a drain that ended them would answer them all the time."""
    config = '{"loadBalancingConfig": [{"round_robin": {}}], "healthCheckConfig": {"serviceName": "test.Echo"}}'
    clients = 80
    async with (
        running(max_calls=2, max_connections=clients + 1, grace_seconds=0.5) as run,
        AsyncExitStack() as channels,
    ):
        for _ in range(clients):
            options = [("grpc.service_config", config), ("grpc.use_local_subchannel_pool", 1)]
            channel = grpc.aio.insecure_channel(f"127.0.0.1:{run.doorway.port}", options)
            await channels.enter_async_context(channel)
            await asyncio.wait_for(channel.channel_ready(), 60)
        assert (await run.unary()).value == "hello"

        async def forever(request, context):
            await asyncio.Event().wait()

        run.echo.behaviour = forever
        run.echo.reached.clear()
        call = asyncio.ensure_future(run.unary())
        await run.echo.reached.wait()
        await run.doorway.drain()
        with pytest.raises(grpc.aio.AioRpcError):
            await call
        labels = {"grpc_service": "grpc.health.v1.Health", "grpc_method": "Watch", "grpc_type": "server_stream"}
        assert clients <= run.registry.get_sample_value("grpc_server_started_total", labels) <= 3 * clients


def watch(channel):
    return health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())


async def is_refused(watched):
    try:
        return (await watched.read()).status != SERVING
    except grpc.aio.AioRpcError as error:
        return error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_who_watches_again_and_again_takes_no_places_of_those_who_call(running):
    async with running(max_calls=1, max_connections=3) as run:
        watches = [watch(run.channel) for _ in range(80)]
        assert [await is_refused(one) for one in watches].count(False) == 3
        assert (await run.unary()).value == "hello"
        assert await check(run) == SERVING
        for one in watches:
            one.cancel()
        async with asyncio.timeout(60):
            while await is_refused(watch(run.channel)):
                pass


async def test_who_watches_again_and_again_leaves_others_their_watches(running):
    options = [("grpc.use_local_subchannel_pool", 1)]
    async with running() as run, grpc.aio.insecure_channel(f"127.0.0.1:{run.doorway.port}", options) as greedy:
        watches = [watch(greedy) for _ in range(80)]
        assert [await is_refused(one) for one in watches].count(False) == 64
        assert not await is_refused(watch(run.channel))
