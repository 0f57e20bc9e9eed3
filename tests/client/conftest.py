"""A real server and a real trainer in this process, with tiny generators of random weights, and clients of them."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import grpc
import pytest
import torch
from dcgan import make_dcgan

from latentwalk.client import Client
from latentwalk.gan.artifacts import ArtifactStore, save_direction, save_generator
from latentwalk.gan.directions import LinearDirection, Slider
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.server import assembly as server_main
from latentwalk.server.settings import Settings as ServerSettings
from latentwalk.trainer import assembly as trainer_assembly
from latentwalk.trainer.settings import Settings as TrainerSettings

torch.set_num_threads(1)

LATENT_SIZE = 6
CREATED = "2026-01-01T00:00:00+00:00"
PROVENANCES = {
    "bank": {
        "method": "discovery",
        "job": "a1b2",
        "measures": {"rca_class10": 0.5, "rca_class9": 0.25, "accuracy.left": 0.75, "accuracy.right": 1},
    }
}


def make_direction(name: str, digest: str, *sliders: Slider) -> LinearDirection:
    torch.manual_seed(len(name))
    vectors = torch.randn(len(sliders), LATENT_SIZE)
    return LinearDirection(name=name, generator_digest=digest, sliders=sliders, vectors=vectors)


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models `tiny` (colour) and `digits` (grey, three classes); directions `zoom` and `bank` (two sliders) of `tiny`,
    and `foreign`, which says that it belongs to another generator; direction `loops` of `digits`, found for class 2."""
    folder = tmp_path_factory.mktemp("store")
    store = ArtifactStore(str(folder))
    tiny = make_dcgan(GeneratorSpec("dcgan", LATENT_SIZE, 0, 16, 3, {"width": 4}), contrast=0.3)
    save_generator(store, "tiny", tiny, provenance={}, created=CREATED)
    digits = make_dcgan(GeneratorSpec("dcgan", LATENT_SIZE, 3, 16, 1, {"width": 4}), seed=1, contrast=0.3)
    save_generator(store, "digits", digits, provenance={}, created=CREATED)
    # ln 4 is zoom's linear coordinate at the far end of its range, four times the size.
    zoom = Slider("zoom", "zoom", "x", scale=1.3862943611198906, trained=(-1, 1), limit=(-2, 2))
    left = Slider("left", "", "", scale=1, trained=(-1, 1), limit=(-3, 3))
    right = Slider("right", "", "", scale=1, trained=(-1, 2), limit=(-3, 3))
    for name, digest, sliders in (
        ("zoom", tiny.digest, (zoom,)),
        ("bank", tiny.digest, (left, right)),
        ("foreign", "sha256:" + "0" * 64, (left,)),
    ):
        direction, provenance = make_direction(name, digest, *sliders), PROVENANCES.get(name, {})
        save_direction(store, "tiny", direction, provenance=provenance, created=CREATED)
    loop = Slider("loop", "", "", scale=1, trained=(-1, 1), limit=(-3, 3), class_id=2)
    save_direction(store, "digits", make_direction("loops", digits.digest, loop), provenance={}, created=CREATED)
    return folder


@dataclass(frozen=True)
class Running:
    """A service that runs in this process."""

    address: str
    metrics_url: str

    def metrics(self) -> str:
        with urlopen(self.metrics_url) as reply:
            return reply.read().decode()


class ServiceThread:
    """An event loop in a thread of its own, with one service on it: blocking clients must not block it."""

    def __init__(self, context: AbstractAsyncContextManager[Any]) -> None:
        self._context = context
        self._started: Future[Running] = Future()
        # A service that never starts must not keep the run from its end.
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self) -> Running:
        self._thread.start()
        return self._started.result()  # the limit of the test is limit enough

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        try:
            async with self._context as doorway:
                metrics_url = f"http://127.0.0.1:{doorway.metrics_port}/metrics"
                self._started.set_result(Running(f"127.0.0.1:{doorway.port}", metrics_url))
                await self._stop.wait()
        except BaseException as error:
            if self._started.done():
                raise
            self._started.set_exception(error)


StartServer = Callable[..., Running]
ENDPOINT = {"address": "127.0.0.1:0", "metrics_address": "127.0.0.1:0", "grace_seconds": 1.0}


@pytest.fixture(scope="session")
def serve(store: Path) -> Callable[..., ServiceThread]:
    """A server on the store with some settings of its own, for a `with` statement, at the end of which it drains."""
    ours = ENDPOINT | {"store": str(store), "torch_threads": 1, "engine_cache": "", "engine_seconds": 0.0}
    # However slow the machine is meanwhile, nobody is to be refused for it.
    ours["max_queue_seconds"] = 600.0
    return lambda **settings: ServiceThread(server_main.serving(ServerSettings(**ours | settings)))


@pytest.fixture(scope="session")
def start_server(serve: Callable[..., ServiceThread]) -> Iterator[StartServer]:
    """Starts a server on the store with some settings of its own."""
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(serve(**settings))


@pytest.fixture(scope="session")
def server(start_server: StartServer) -> Running:
    return start_server()


@pytest.fixture
def client(server: Running) -> Iterator[Client]:
    with Client(server.address) as client:
        client.load_direction("tiny", "zoom")
        client.load_direction("tiny", "bank")
        yield client


@pytest.fixture(scope="session")
def serve_trainer(store: Path) -> Callable[..., ServiceThread]:
    """A trainer on the store with some settings of its own, for a `with` statement, at the end of which it drains."""
    ours = ENDPOINT | {"store": str(store)}
    return lambda **settings: ServiceThread(trainer_assembly.serving(TrainerSettings(**ours | settings)))


@pytest.fixture(scope="session")
def start_trainer(
    serve_trainer: Callable[..., ServiceThread], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StartServer]:
    """Starts a trainer on the store with some settings of its own."""
    with ExitStack() as stack:

        def start(**settings: Any) -> Running:
            folder = tmp_path_factory.mktemp("trainer")
            files = {"folder": str(folder / "jobs"), "database": f"sqlite:///{folder / 'trainer.db'}"}
            return stack.enter_context(serve_trainer(**files | settings))

        yield start


@pytest.fixture(scope="session")
def trainer(start_trainer: StartServer, server: Running) -> Running:
    return start_trainer(server_address=(server.address,))


@dataclass(frozen=True)
class Asked:
    """What a scripted peer was asked."""

    method: str
    metadata: dict[str, str]
    request: bytes
    seconds_left: float | None


class ScriptedPeer(grpc.GenericRpcHandler):
    """A peer that fails as a test wants, and remembers what it was asked: for faults that no healthy service has.

    It gives the failures one after the other, then the reply, which is empty unless a test wants another. It knows no
    health checks, and is taken for healthy.
    """

    address: str

    def __init__(self) -> None:
        self.failures: list[grpc.Status] = []
        self.reply = b""
        self.asked: list[Asked] = []

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        if details.method.startswith("/grpc.health."):
            return None
        method = details.method.rpartition("/")[2]
        metadata = dict(details.invocation_metadata)

        def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
            self.asked.append(Asked(method, metadata, request, context.time_remaining()))
            if self.failures:
                context.abort_with_status(self.failures.pop(0))
            return self.reply

        def stream(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
            yield answer(request, context)

        if method in ("Walk", "Interpolate", "WatchJob"):
            return grpc.unary_stream_rpc_method_handler(stream)
        return grpc.unary_unary_rpc_method_handler(answer)


@pytest.fixture
def peer() -> Iterator[ScriptedPeer]:
    scripted = ScriptedPeer()
    options = [("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", -1)]
    host = grpc.server(ThreadPoolExecutor(4), [scripted], options=options)
    scripted.address = f"127.0.0.1:{host.add_insecure_port('127.0.0.1:0')}"
    host.start()
    yield scripted
    host.stop(0).wait()
