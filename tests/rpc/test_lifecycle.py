"""A service is born, drains and dies; real ports, real processes, real signals."""

import asyncio
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from prometheus_client import CollectorRegistry

from latentwalk.rpc import exposition
from latentwalk.rpc.endpoint import Endpoint
from latentwalk.rpc.lifecycle import AddressInUse, Doorway
from latentwalk.rpc.settings import SettingsError, load_settings


def nothing(error):
    return None


async def test_calls_are_refused_until_the_service_is_ready(running):
    async with running(is_ready=False) as run:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await run.unary()
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        run.doorway.ready()
        assert (await run.unary()).value == "hello"


@pytest.mark.parametrize(
    "greatest", [{"max_request_mib": 1024, "max_reply_mib": 1024}, {"max_connection_age_seconds": 2_000_000}]
)
async def test_the_greatest_limits_that_settings_allow_are_limits_of_grpc(running, greatest):
    async with running(**greatest) as run:
        assert (await run.unary()).value == "hello"


@pytest.mark.parametrize("seconds", ["inf", "2000001"])
def test_an_age_that_grpc_cannot_count_is_refused_by_name(seconds):
    with pytest.raises(SettingsError, match="max_connection_age_seconds"):
        load_settings(Endpoint, ["--max-connection-age-seconds", seconds], {}, program="service")


async def test_a_drain_lets_running_calls_end_and_refuses_new_ones(running):
    async with running(grace_seconds=600.0) as run:
        go_on = asyncio.Event()

        async def wait(request, context):
            await go_on.wait()
            return StringValue(value="done")

        run.echo.behaviour = wait
        call = run.server_stream()
        await run.echo.reached.wait()
        drain = asyncio.create_task(run.doorway.drain())
        await asyncio.wait_for(run.doorway.draining.wait(), 60)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await run.unary()
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert not drain.done()
        go_on.set()
        assert [reply.value async for reply in call] == ["hello", "hello", "hello", "done"]
        await asyncio.wait_for(drain, 30)


async def test_a_drain_cuts_off_what_outlasts_its_grace(running):
    async with running(grace_seconds=0.2) as run:

        async def forever(request, context):
            await asyncio.Event().wait()

        run.echo.behaviour = forever
        call = run.unary()
        await run.echo.reached.wait()
        await asyncio.wait_for(run.doorway.drain(), 60)
        assert run.echo.left.is_set()
        with pytest.raises((grpc.aio.AioRpcError, asyncio.CancelledError)):
            await call


async def test_two_services_cannot_share_a_port(running):
    async with running() as run:
        address = f"127.0.0.1:{run.doorway.port}"
        second = Doorway(Endpoint(address), {}, CollectorRegistry(), nothing)
        with pytest.raises(AddressInUse, match=f"cannot listen on {address}: Address already in use"):
            await second.start()


async def test_a_taken_metrics_port_is_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        doorway = Doorway(Endpoint("127.0.0.1:0", address), {}, CollectorRegistry(), nothing)
        with pytest.raises(AddressInUse, match=rf"cannot listen on {address} \(metrics\): Address already in use"):
            await doorway.start()
        await doorway.drain()


async def test_metrics_are_served_over_http(running):
    async with running(metrics_address="127.0.0.1:0") as run:
        await run.unary()
        url = f"http://127.0.0.1:{run.doorway.metrics_port}/metrics"
        text = await asyncio.to_thread(lambda: urllib.request.urlopen(url).read().decode())
        assert 'grpc_server_started_total{grpc_method="Unary"' in text


async def test_who_asks_for_metrics_slowly_keeps_nobody_out_and_holds_few_threads(running):
    async with running(metrics_address="127.0.0.1:0") as run:
        address, threads = ("127.0.0.1", run.doorway.metrics_port), threading.active_count()
        with ExitStack() as stack:
            slow = [stack.enter_context(socket.create_connection(address)) for _ in range(50)]
            for _ in range(3):
                for connection in slow:
                    with suppress(OSError):  # of one that had to make room
                        connection.sendall(b"G")
                url = f"http://127.0.0.1:{run.doorway.metrics_port}/metrics"
                assert (await asyncio.to_thread(urllib.request.urlopen, url)).status == 200
            assert threading.active_count() <= threads + 40


class Stuck:
    """A collector that is long about it."""

    def __init__(self):
        self.asked, self.let_go = threading.Semaphore(0), threading.Event()

    def collect(self):
        self.asked.release()
        self.let_go.wait(60)
        return []


def test_nobody_who_asks_for_metrics_waits_for_those_whose_answers_take_long():
    registry, stuck = CollectorRegistry(auto_describe=False), Stuck()
    registry.register(stuck)
    served = exposition.Exposition("127.0.0.1:0", registry)
    try:
        with ExitStack() as stack:
            for _ in range(16):
                asker = stack.enter_context(socket.create_connection(("127.0.0.1", served.port)))
                asker.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
                stuck.asked.acquire()
            # For which no metrics are collected.
            assert urllib.request.urlopen(f"http://127.0.0.1:{served.port}/favicon.ico").status == 200
    finally:
        stuck.let_go.set()
        served.close()


async def test_a_connection_for_metrics_on_which_nothing_happens_is_closed(running, monkeypatch):
    monkeypatch.setattr(exposition._SilentHandler, "timeout", 0.1)
    async with running(metrics_address="127.0.0.1:0") as run:
        reader, writer = await asyncio.open_connection("127.0.0.1", run.doorway.metrics_port)
        async with asyncio.timeout(60):
            assert not await reader.read()
        writer.close()


async def test_a_connection_for_metrics_that_the_system_has_no_thread_for_takes_no_room(running, monkeypatch):
    async with running(metrics_address="127.0.0.1:0") as run:
        url = f"http://127.0.0.1:{run.doorway.metrics_port}/metrics"

        def none_left(thread):
            raise RuntimeError("can't start new thread")

        with monkeypatch.context() as patch, ThreadPoolExecutor(1) as threads:
            threads.submit(int).result()  # before there are none left
            patch.setattr(threading.Thread, "start", none_left)
            for _ in range(20):
                with pytest.raises(OSError, match=r"."):
                    await asyncio.get_running_loop().run_in_executor(threads, urllib.request.urlopen, url)
        assert (await asyncio.to_thread(urllib.request.urlopen, url)).status == 200


async def test_reflection_lists_the_services_also_before_they_are_ready(running):
    async with running(is_ready=False) as run:
        stub = reflection_pb2_grpc.ServerReflectionStub(run.channel)
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        call = stub.ServerReflectionInfo(iter([request]))
        names = {service.name for service in (await call.read()).list_services_response.service}
        assert {"test.Echo", "grpc.health.v1.Health"} <= names
        call.cancel()


async def test_reflection_can_be_closed(running):
    async with running(reflection=False) as run:
        call = reflection_pb2_grpc.ServerReflectionStub(run.channel).ServerReflectionInfo(iter([]))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_grpc_waits_for_calls_of_all_methods_at_once(running):
    """It would look at one wait for each registered method with every call."""
    async with running() as run:
        await run.unary()
        waiting = [task.get_coro().__qualname__ for task in asyncio.all_tasks()]
        assert [name for name in waiting if "_request_" in name] == ["AioServer._request_call"], waiting


PROGRAM = """
import asyncio, sys
import grpc
from google.protobuf.wrappers_pb2 import StringValue
from prometheus_client import CollectorRegistry
from latentwalk.rpc.endpoint import Endpoint
from latentwalk.rpc.lifecycle import Doorway, run

async def sleep(request, context):
    print("called", flush=True)
    await asyncio.sleep(float(request.value))
    return request

async def tell(draining):
    await draining.wait()
    print("draining", flush=True)

async def main():
    doorway = Doorway(Endpoint("127.0.0.1:0", grace_seconds=60), {}, CollectorRegistry(), lambda error: None)
    handler = grpc.unary_unary_rpc_method_handler(sleep, StringValue.FromString, StringValue.SerializeToString)
    doorway.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Echo", {"Unary": handler}),))
    await doorway.start()
    doorway.ready()
    print(doorway.port, flush=True)
    asyncio.create_task(tell(doorway.draining))
    return await doorway.run_until_signal()

sys.exit(run(main()))
"""


NO_WAY_OUT = """
import os, signal
from latentwalk.rpc import signals

class Finalized:
    def __del__(self):
        os.kill(os.getpid(), signal.{name})

signal.signal(signal.SIGINT, signal.default_int_handler)
signals.end_at_once()
one = Finalized()
del one
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_a_start_also_where_the_interpreter_lets_no_exception_out(number):
    done = subprocess.run([sys.executable, "-c", NO_WAY_OUT.format(name=number.name)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (128 + number, "")


@pytest.fixture
def process():
    """A service in a process of its own, whose one rpc sleeps; its first line of output is its port."""
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True) as started:
        yield started
        started.kill()


def sleeping(process, seconds):
    """A call that the process has taken up."""
    channel = grpc.insecure_channel(f"127.0.0.1:{process.stdout.readline().strip()}")
    unary = channel.unary_unary("/test.Echo/Unary", StringValue.SerializeToString, StringValue.FromString)
    future = unary.future(StringValue(value=str(seconds)), wait_for_ready=True)
    assert process.stdout.readline() == "called\n"
    return channel, future


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_and_the_process_ends_with_0(process, number):
    channel, future = sleeping(process, 0.5)
    with channel:
        process.send_signal(number)
        assert future.result(timeout=120).value == "0.5"
        assert process.wait(120) == 0


def test_a_second_signal_ends_the_process_at_once(process):
    channel, future = sleeping(process, 50)
    with channel:
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "draining\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 128 + signal.SIGTERM
        with pytest.raises(grpc.RpcError):
            future.result(timeout=120)
