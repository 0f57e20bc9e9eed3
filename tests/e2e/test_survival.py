"""A server in a process of its own, and everything that callers can do to it: it serves on, and grows no fatter."""

import asyncio
import hashlib
import json
import random
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import grpc
import numpy as np
import pytest
import torch
from prometheus_client.parser import text_string_to_metric_families

from latentwalk.gan.artifacts import ArtifactStore, save_direction, save_generator
from latentwalk.gan.directions import LinearDirection, Slider
from latentwalk.gan.families import build_generator
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import generation_service_pb2_grpc, image_pb2, model_service_pb2_grpc
from latentwalk.v1 import model_service_pb2 as models_pb

pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="reads /proc")

Z = 8
MIB = 1 << 20
FORMATS = (image_pb2.IMAGE_FORMAT_RAW, image_pb2.IMAGE_FORMAT_PNG)
GONE = (asyncio.CancelledError, grpc.aio.AioRpcError, TimeoutError)


class Server:
    """The process, and what can be seen of it from outside."""

    def __init__(self, store: Path, log: Path, *flags: str) -> None:
        self.log = log
        command = [sys.executable, "-m", "latentwalk.server", "--store", str(store), "--torch-threads", "1"]
        # However slow the machine is meanwhile, nobody is to be refused for it.
        command += ["--max-queue-seconds", "600"]
        command += ["--address", "127.0.0.1:0", "--metrics-address", "127.0.0.1:0", *flags]
        with log.open("w") as stream:
            self.process = subprocess.Popen(command, stderr=stream)
        try:
            serving = self.logged("serving")
        except BaseException:
            self.end()
            raise
        self.address, self.metrics_port = serving["address"], serving["metrics_port"]

    def end(self) -> None:
        """Whatever it does."""
        self.process.kill()
        self.process.wait()

    def logged(self, message):
        """The first line of its log with that beginning; waits for it."""
        for _ in range(3000):
            for text in self.log.read_text().splitlines():
                if text.endswith("}") and (line := json.loads(text))["message"].startswith(message):
                    return line
            assert self.process.poll() is None or message == "stopped", self.log.read_text()
            time.sleep(0.1)
        raise AssertionError(f"nothing was logged of {message!r}")

    def metric(self, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics") as reply:
            families = text_string_to_metric_families(reply.read().decode())
        return sum(sample.value for family in families for sample in family.samples if sample.name == name)

    def settles(self):
        """Waits until no stream, no waiting picture and no rpc is left; fails if it does not come to that."""
        for _ in range(3000):
            left = self.metric("latentwalk_open_streams"), self.metric("latentwalk_queue_frames")
            running = self.metric("grpc_server_started_total") - self.metric("grpc_server_handled_total")
            if (*left, running) == (0, 0, 0):
                return
            time.sleep(0.1)
        raise AssertionError(f"left are streams and pictures {left}, and {running} rpcs")

    @property
    def memory(self) -> int:
        """Bytes that are resident, the device's among them."""
        return int(self.metric("process_resident_memory_bytes") + self.metric("device_process_resident_memory_bytes"))

    @property
    def files(self) -> int:
        """How many files and sockets are open, the device's among them."""
        return int(self.metric("process_open_fds") + self.metric("device_process_open_fds"))

    def faults(self):
        """The lines of its log that tell of something unexpected."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [line for line in lines if line["level"] in ("warning", "error")]


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    """A store with a generator that takes a millisecond or two, and its direction."""
    path = tmp_path_factory.mktemp("survival") / "store"
    torch.manual_seed(0)
    generator = build_generator(GeneratorSpec("dcgan", Z, 0, 64, 3, {"width": 8})).freeze()
    artifacts = ArtifactStore(str(path))
    save_generator(artifacts, "faces", generator, provenance={}, created="")
    slider = Slider("zoom", "", "", 1.0, (-1.0, 1.0), (-1.0, 1.0))
    direction = LinearDirection("zoom", generator.digest, (slider,), torch.randn(1, Z))
    save_direction(artifacts, "faces", direction, provenance={}, created="")
    return path


@pytest.fixture(scope="module")
def start(store, tmp_path_factory):
    """A function that starts a server."""
    started = []

    def begin(*flags):
        started.append(Server(store, tmp_path_factory.mktemp("log") / "log", *flags))
        return started[-1]

    yield begin
    for server in started:
        server.end()


@pytest.fixture(scope="module")
def lasting(start):
    """A server that is used by one test after the other; what it keeps of pictures is full within a second."""
    return start("--frame-cache-mib", "4")


def walk(frames, rows=1, format=image_pb2.IMAGE_FORMAT_RAW, seed=0):
    request = pb.WalkRequest(model="faces", encoding=image_pb2.ImageEncoding(format=format))
    for row in range(rows):
        request.starts.add(seed=seed + row)
    stretch = request.legs.add(frames=frames).stretches.add(direction="zoom", to=pb.Extent(alpha=1))
    getattr(stretch, "from").alpha = 0
    return request


def generate(rows, format=image_pb2.IMAGE_FORMAT_RAW):
    request = pb.GenerateRequest(model="faces", encoding=image_pb2.ImageEncoding(format=format))
    for seed in range(rows):
        request.latents.add(seed=seed)
    return request


async def positions(chance):
    """What somebody sends who drags a slider."""
    yield pb.SteerRequest(setup=pb.SteerSetup(model="faces"))
    for sequence in range(1, 30):
        position = pb.SteerPosition()
        position.latents.add(seed=sequence)
        yield pb.SteerRequest(sequence=sequence, position=position)
        await asyncio.sleep(chance.random() * 0.01)


def growth(samples):
    """By how many bytes the memory grows from the first to the last sample, along the straight line of least squares.

    The first third does not count: allocators and caches fill up.
    """
    settled = np.array(samples[len(samples) // 3 :], float)
    slope, _ = np.polyfit(np.arange(len(settled)), settled, 1)
    return slope * len(settled)


# -- callers that leave ----------------------------------------------------------------------------------------------


async def come_and_go(stub, chance):
    """One call of any kind, that is cancelled, or whose deadline passes, at any moment, or that is let be."""
    deadline = chance.choice([None, chance.random() * 0.2])
    rows, encoding = chance.randint(1, 4), chance.choice(FORMATS)
    call = {
        "walk": lambda: stub.Walk(walk(chance.randint(1, 60), rows, encoding), timeout=deadline),
        "generate": lambda: stub.Generate(generate(rows, encoding), timeout=deadline),
        "steer": lambda: stub.Steer(positions(chance), timeout=deadline),
    }[chance.choice(["walk", "walk", "generate", "steer"])]()
    try:
        async with asyncio.timeout(chance.random() * 0.2):
            if not hasattr(call, "read"):
                await call
                return
            for _ in range(chance.randint(0, 8)):
                await call.read()
                await asyncio.sleep(chance.choice([0, 0, chance.random() * 0.05]))
    except GONE:
        pass
    finally:
        call.cancel()


@pytest.mark.parametrize("calls", [200, pytest.param(10_000, marks=[pytest.mark.long, pytest.mark.timeout(3600)])])
async def test_callers_that_leave_at_any_moment_leave_nothing(lasting, calls):
    server = lasting
    chance = random.Random(1)
    at_once = 20
    async with grpc.aio.insecure_channel(server.address) as channel:
        stub = generation_service_pb2_grpc.GenerationServiceStub(channel)
        await stub.Generate(generate(1, image_pb2.IMAGE_FORMAT_PNG))
        files, memory = server.files, []
        for _ in range(calls // at_once):
            await asyncio.gather(*(come_and_go(stub, chance) for _ in range(at_once)))
            memory.append(server.memory)
        server.settles()
        assert server.files == files
        assert (await stub.Generate(generate(4))).images
    assert growth(memory) < 16 * MIB
    assert not server.faults()


CLIENT = """
import sys
import grpc
from latentwalk.v1 import generation_service_pb2 as pb, generation_service_pb2_grpc
request = pb.WalkRequest.FromString(sys.stdin.buffer.read())
with grpc.insecure_channel(sys.argv[1]) as channel:
    for count, _ in enumerate(generation_service_pb2_grpc.GenerationServiceStub(channel).Walk(request)):
        print(count, flush=True)
"""


def test_a_client_that_is_killed_in_the_middle_of_its_walk_leaves_nothing(lasting):
    server = lasting
    files = server.files
    command = [sys.executable, "-c", CLIENT, server.address]
    clients = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)]
    for client in clients:
        client.stdin.write(walk(10_000, rows=8).SerializeToString())
        client.stdin.close()
    for client in clients:
        for _ in range(5):
            assert client.stdout.readline()
    assert server.metric("latentwalk_open_streams") == 2
    for client in clients:
        client.kill()
        client.wait()
        client.stdout.close()
    server.settles()
    assert server.files <= files
    assert not server.faults()


# -- a long life -----------------------------------------------------------------------------------------------------


LOAD = models_pb.LoadModelRequest(model="faces")
USERS = 8


# Before memory counts: on a slow machine, what is filled once takes longer to be full, but no more rounds.
ROUNDS_BEFORE = 20


def rounds_until(end):
    """Any number of rounds, until the time has come."""
    while time.monotonic() < end:
        yield


async def use(stub, models, chance, rounds):
    """Asks for this and that in each round; nothing fails."""
    for _ in rounds:
        rows, encoding, seed = chance.randint(1, 4), chance.choice(FORMATS), chance.randrange(1 << 20)
        await stub.Generate(generate(rows, encoding))
        frames = [reply async for reply in stub.Walk(walk(20, rows, encoding, seed))]
        assert len(frames) == 21
        async for _ in stub.Steer(positions(chance)):
            pass
        if chance.random() < 0.1:
            await models.LoadModel(LOAD)


def pytest_generate_tests(metafunc):
    if "soak_seconds" in metafunc.fixturenames:
        seconds = metafunc.config.getoption("soak_seconds")
        patient = pytest.mark.timeout(seconds + 300)
        metafunc.parametrize("soak_seconds", [pytest.param(seconds, marks=patient)])


async def test_memory_stays_flat_however_long_it_is_used(lasting, soak_seconds):
    server = lasting
    memory = []
    async with grpc.aio.insecure_channel(server.address) as channel:
        stub = generation_service_pb2_grpc.GenerationServiceStub(channel)
        models = model_service_pb2_grpc.ModelServiceStub(channel)
        # What can come at once, comes at once before anything counts: allocators keep room for it from then on.
        await asyncio.gather(*(models.LoadModel(LOAD) for _ in range(USERS)))
        chances = [random.Random(seed) for seed in range(USERS)]
        await asyncio.gather(*(use(stub, models, chance, range(ROUNDS_BEFORE)) for chance in chances))
        end = time.monotonic() + soak_seconds
        users = [asyncio.create_task(use(stub, models, chance, rounds_until(end))) for chance in chances]
        while not all(user.done() for user in users):
            memory.append(server.memory)
            await asyncio.sleep(0.1)
        for user in users:
            await user
    server.settles()
    assert growth(memory) < 16 * MIB
    assert not server.faults()


# -- the end ---------------------------------------------------------------------------------------------------------


async def test_sigterm_in_the_middle_of_everything_loses_no_accepted_frame(start):
    server = start("--grace-seconds", "60")
    async with grpc.aio.insecure_channel(server.address) as channel:
        stub = generation_service_pb2_grpc.GenerationServiceStub(channel)
        accepted = [stub.Walk(walk(50, rows=2, format=FORMATS[seed % 2], seed=seed)) for seed in range(12)]
        for call in accepted:
            await call.read()
        pictures = [asyncio.ensure_future(stub.Generate(generate(32))) for _ in range(4)]
        await asyncio.sleep(0.05)
        server.process.send_signal(signal.SIGTERM)

        async def frames(call):
            indices = []
            while (reply := await call.read()) is not grpc.aio.EOF:
                indices.append(reply.frame.index)
            return indices

        assert await asyncio.gather(*map(frames, accepted)) == [list(range(50))] * 12
        for outcome in await asyncio.gather(*pictures, return_exceptions=True):
            if isinstance(outcome, grpc.aio.AioRpcError):
                assert outcome.code() is grpc.StatusCode.UNAVAILABLE
            else:
                assert len(outcome.images) == 32
    assert await asyncio.to_thread(server.process.wait, 120) == 0
    assert not server.faults()


# -- secrets ---------------------------------------------------------------------------------------------------------


def test_no_secret_comes_into_the_log_whatever_goes_wrong(start, tmp_path):
    secrets = {role: f"hush-{role}-d41d8cd98f00" for role in ("viewer", "operator", "nobody")}
    known = [(hashlib.sha256(secrets[role].encode()).hexdigest(), role) for role in ("viewer", "operator")]
    tokens = tmp_path / "tokens"
    tokens.write_text("".join(f"{sha256} {role} {role}-1\n" for sha256, role in known))
    server = start("--tokens", str(tokens), "--log-level", "debug", "--calls-per-second", "0.01", "--calls-burst", "5")
    told = []

    def call(rpc, request, *metadata):
        try:
            rpc(request, timeout=300, metadata=metadata)
        except grpc.RpcError as error:
            told.append((error.code().name, error.details(), str(error.trailing_metadata())))

    with grpc.insecure_channel(server.address) as channel:
        stub = generation_service_pb2_grpc.GenerationServiceStub(channel)
        models = model_service_pb2_grpc.ModelServiceStub(channel)
        for secret in secrets.values():
            for form in ("Bearer {}", "Basic {}", "{}", "Bearer  {} x"):
                authorization = ("authorization", form.format(secret))
                for more in (
                    (),
                    (("x-request-id", f"{secret}/"),),
                    (("cookie", secret),),
                    (("key-bin", secret.encode()),),
                ):
                    call(stub.Generate, generate(1), authorization, *more)
                    call(stub.Generate, pb.GenerateRequest(model="none"), authorization, *more)
            call(models.LoadModel, models_pb.LoadModelRequest(model="none"), ("authorization", f"Bearer {secret}"))
        tokens.write_text(f"{secrets['viewer']} viewer\n")
        time.sleep(1.1)
        call(stub.Generate, generate(1), ("authorization", f"Bearer {secrets['viewer']}"))
    assert {code for code, *_ in told} >= {"UNAUTHENTICATED", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "NOT_FOUND"}
    log = server.log.read_text()
    assert "viewer-1" in log
    assert "what was read from" in log
    for secret in (*secrets.values(), *(sha256 for sha256, _ in known)):
        assert secret not in log
        assert secret not in str(told)
