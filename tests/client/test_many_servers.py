"""Servers behind one address: calls are spread over those that serve, and go on while one of them leaves."""

import asyncio
import json
import re
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from prometheus_client import CollectorRegistry
from typer.testing import CliRunner

from latentwalk.cli.commands import app
from latentwalk.client import AsyncClient, Client, DeadlineExceeded, LoadState, Unavailable, Unimplemented
from latentwalk.client._options import SPREAD
from latentwalk.rpc.endpoint import Endpoint
from latentwalk.rpc.lifecycle import Doorway

SERVICES = "latentwalk.v1.GenerationService", "latentwalk.v1.TrainingService"
WORKERS = 3
CALLS_AFTER = 30
PATIENCE_SECONDS = 150.0
GRACE_SECONDS = 600.0


@dataclass(frozen=True)
class Server:
    """One of several."""

    address: str
    metrics: Callable[[], str]
    leave: Callable[[], None]
    """Has it drain, as SIGTERM does, and returns when it has."""

    def begun(self, method: str) -> float:
        """How many calls of a method it was sent."""
        lines = (line for line in self.metrics().splitlines() if line.startswith("grpc_server_started_total"))
        return sum(float(line.rpartition(" ")[2]) for line in lines if f'"{method}"' in line)


@pytest.fixture
def servers(serve) -> Iterator[tuple[Server, Server]]:
    """Two servers of the same store, which give the calls that run when they leave all the time they need."""
    with ExitStack() as both:

        def start() -> Server:
            own = both.enter_context(ExitStack())
            running = own.enter_context(serve(grace_seconds=GRACE_SECONDS))
            return Server(running.address, running.metrics, own.close)

        yield start(), start()


def address_of(servers: tuple[Server, ...]) -> str:
    """What a name stands for that has the addresses of all of them."""
    return "ipv4:" + ",".join(server.address for server in servers)


def until_each_has_begun(servers: tuple[Server, ...], method: str, call: Callable[[], object]) -> None:
    """Makes calls until each server was sent one: connections to them are not there at the same moment."""
    for _ in range(1_000):
        if all(server.begun(method) for server in servers):
            return
        call()
    pytest.fail(f"calls of {method} went to {[server.begun(method) for server in servers]}")


def test_calls_take_turns_over_all_servers_of_an_address(servers):
    with Client(address_of(servers)) as client:
        until_each_has_begun(servers, "Generate", lambda: client.generate("tiny", seeds=1))
        before = [server.begun("Generate") for server in servers]
        for seed in range(10):
            client.generate("tiny", seeds=seed)
        assert [server.begun("Generate") for server in servers] == [number + 5 for number in before]
        until_each_has_begun(servers, "Walk", lambda: client.walk("tiny", "zoom", seeds=1, frames=2).collect())


async def test_the_asyncio_client_does_the_same(servers):
    async with AsyncClient(address_of(servers)) as client:
        for _ in range(1_000):
            if all(server.begun("Generate") for server in servers):
                break
            await client.generate("tiny", seeds=1)
        before = [server.begun("Generate") for server in servers]
        await asyncio.gather(*(client.generate("tiny", seeds=seed) for seed in range(10)))
        assert [server.begun("Generate") for server in servers] == [number + 5 for number in before]


def loaded(server: Server) -> bool:
    with Client(server.address) as client:
        return client.direction("tiny", "zoom").state is LoadState.READY


async def test_each_server_of_an_address_is_told_by_itself(servers):
    with Client(address_of(servers)) as client:
        for one in client.each_server():
            with one:
                one.unload_direction("tiny", "zoom")
    assert [loaded(server) for server in servers] == [False, False]
    async with AsyncClient(address_of(servers)) as client:
        for one in await client.each_server():
            async with one:
                await one.load_direction("tiny", "zoom")
    assert [loaded(server) for server in servers] == [True, True]


def test_the_command_line_tells_each_server(servers):
    flags = ["--server", address_of(servers), "directions"]
    done = CliRunner().invoke(app, [*flags, "unload", "tiny", "zoom", "--everywhere"])
    assert done.stdout.splitlines() == [f"tiny/zoom is no longer loaded at ipv4:{one.address}" for one in servers]
    assert [loaded(server) for server in servers] == [False, False]
    done = CliRunner().invoke(app, [*flags, "load", "tiny", "zoom", "--everywhere", "--json"])
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(one["server"], one["state"]) for one in answers] == [(f"ipv4:{one.address}", "ready") for one in servers]


def test_a_server_that_refuses_keeps_the_command_line_from_none_of_the_others(servers):
    with Client(servers[0].address) as first:
        first.unload_direction("tiny", "zoom")
    unload = ["--server", address_of(servers), "directions", "unload", "tiny", "zoom", "--everywhere"]
    done = CliRunner().invoke(app, unload)
    assert done.exit_code == 1
    assert done.stdout == f"tiny/zoom is no longer loaded at ipv4:{servers[1].address}\n"
    assert done.stderr.startswith(f"error: ipv4:{servers[0].address}: ")
    assert [loaded(server) for server in servers] == [False, False]


def test_a_name_stands_for_the_servers_that_it_has_addresses_of(servers):
    port = servers[0].address.rpartition(":")[2]
    with Client(f"localhost:{port}", token="t") as client:
        (one,) = client.each_server()
    with one:
        assert str(one) == f"Client('ipv4:127.0.0.1:{port}')"
        assert one.connection.options.authority == f"localhost:{port}"
        assert one.connection.options.token == "t"
        assert one.model("tiny").name == "tiny"
    for nobody in ("no.such.host.invalid", "no..host"):
        with Client(nobody) as client, pytest.raises(Unavailable, match=f"known as {re.escape(nobody)}"):
            client.each_server()
    with Client("unix:/nowhere") as client:
        assert [str(one) for one in client.each_server()] == ["Client('unix:/nowhere')"]


def test_no_call_fails_while_one_of_two_servers_drains_and_when_it_is_gone(servers):
    staying, leaving = servers
    done, enough = list[int](), threading.Event()
    with Client(address_of(servers)) as client, ThreadPoolExecutor(WORKERS + 1) as pool:
        until_each_has_begun(servers, "Generate", lambda: client.generate("tiny", seeds=1))
        expected = client.generate("tiny", seeds=range(4)).array

        def work() -> None:
            """What every caller does meanwhile; whatever fails here fails the test."""
            while not enough.is_set():
                pictures = client.generate("tiny", seeds=range(4)).array
                assert np.abs(pictures.astype(int) - expected).max() <= 1
                walk = client.walk("tiny", "zoom", seeds=2, frames=5)
                assert [frame.index for frame in walk] == list(range(5))
                done.append(1)

        def wait_for_more() -> None:
            goal = len(done) + CALLS_AFTER
            while len(done) < goal:
                for worker in working:
                    assert not worker.done(), worker.exception()
                enough.wait(0.05)

        # A stream that runs there keeps the drain from its end.
        with Client(leaving.address) as viewer, viewer.walk("tiny", "zoom", seeds=range(16), frames=2_000) as held:
            frames = [next(held)]
            working = [pool.submit(work) for _ in range(WORKERS)]
            gone = pool.submit(leaving.leave)
            wait_for_more()
            sent = leaving.begun("Generate")
            wait_for_more()
            assert leaving.begun("Generate") == sent
            assert not gone.done()
            frames.extend(held)
        assert [frame.index for frame in frames] == list(range(2_000))
        gone.result(PATIENCE_SECONDS)
        wait_for_more()
        enough.set()
        for worker in working:
            worker.result(PATIENCE_SECONDS)
    assert staying.begun("Generate") > 0


def test_a_walk_goes_on_at_another_server_when_its_own_is_cut_off(serve, servers):
    staying, _ = servers
    with ExitStack() as hasty:
        leaving = hasty.enter_context(serve(grace_seconds=0.0))
        with Client(f"ipv4:{leaving.address},{staying.address}") as client:
            walks = [client.walk("tiny", "zoom", seeds=range(16), frames=300) for _ in range(2)]
            arrived = [[next(walk)] for walk in walks]
            hasty.close()
            for frames, walk in zip(arrived, walks, strict=True):
                frames.extend(walk)
                assert [frame.index for frame in frames] == list(range(300))


@asynccontextmanager
async def starting(registry: CollectorRegistry | None = None) -> AsyncIterator[Doorway]:
    """The doorway of a server whose models are being loaded: it listens, and lets nobody in before it is `ready`."""
    services = {service: {} for service in SERVICES}
    doorway = Doorway(Endpoint("127.0.0.1:0"), services, registry or CollectorRegistry(), no_error)
    await doorway.start()
    try:
        yield doorway
    finally:
        await doorway.drain()


def test_the_service_config_that_other_clients_are_told_is_ours():
    page = (Path(__file__).parents[2] / "docs" / "serving.md").read_text()
    (told,) = re.findall(r"^(\{.*round_robin.*\})$", page, flags=re.MULTILINE)
    assert json.loads(told) == SPREAD


def no_error(error: Exception) -> None:
    """The doorway's own errors need no translation."""


async def test_a_server_that_starts_is_sent_nothing_and_not_waited_for_while_another_serves(server):
    async with starting() as doorway:
        address = f"ipv4:127.0.0.1:{doorway.port},{server.address}"
        async with AsyncClient(address, retries=0) as client:
            await client.wait_ready(timeout=PATIENCE_SECONDS)
            for _ in range(20):
                assert await client.models()


async def test_while_no_server_serves_calls_fail_at_once_and_waiting_goes_on():
    async with starting() as doorway, AsyncClient(f"127.0.0.1:{doorway.port}", retries=0) as client:
        with pytest.raises(DeadlineExceeded):
            await client.wait_ready(timeout=0.3)
        with pytest.raises(Unavailable, match="starts, shuts down, or has lost its device") as caught:
            await client.models()
        assert caught.value.reason == "NOT_SERVING"  # it is there, and a search that it refuses is begun again
        waiting = asyncio.create_task(client.wait_ready(timeout=PATIENCE_SECONDS))
        doorway.ready()
        await waiting
        with pytest.raises(Unimplemented):  # it is let in, and there are no models behind this doorway
            await client.models()


async def test_a_trainer_that_shuts_down_is_not_waited_for(server):
    registry = CollectorRegistry()
    watches = {"grpc_type": "server_stream", "grpc_service": "grpc.health.v1.Health", "grpc_method": "Watch"}
    async with starting(registry) as doorway:
        trainer = f"127.0.0.1:{doorway.port}"
        async with AsyncClient(server.address, trainer_address=trainer) as client:
            waiting = asyncio.create_task(client.wait_ready(timeout=PATIENCE_SECONDS))
            while not registry.get_sample_value("grpc_server_started_total", watches):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            await doorway.drain()
            with pytest.raises(Unavailable, match="trainer"):
                await waiting
