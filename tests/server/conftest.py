"""Real servers on ports of their own, over stores of real generators, small enough to draw in a millisecond."""

import asyncio
import multiprocessing
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import grpc
import pytest
import torch
from dcgan import make_dcgan
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from grpc_status import rpc_status
from prometheus_client.parser import text_string_to_metric_families
from styled import make_lively
from styled_requests import directions_of

from latentwalk.gan.artifacts import ArtifactStore, save_direction, save_generator
from latentwalk.gan.directions import Direction, LinearDirection, Slider
from latentwalk.gan.generator import Generator
from latentwalk.gan.spec import SPACES, GeneratorSpec, JsonObject
from latentwalk.rpc.lifecycle import Doorway
from latentwalk.server.assembly import serving
from latentwalk.server.engine import Engine, use_threads
from latentwalk.server.served import ServedDirection, ServedModel
from latentwalk.server.settings import Settings
from latentwalk.v1 import generation_service_pb2_grpc, model_service_pb2_grpc

CREATED = "2026-01-01T00:00:00Z"
FACES = GeneratorSpec("dcgan", 6, 0, 16, 3, {"width": 4})
DIGITS = GeneratorSpec("dcgan", 6, 3, 16, 1, {"width": 4})
STYLED = GeneratorSpec(
    "stylegan", 6, 3, 16, 3, {"width": 4, "max_width": 8, "mapping_layers": 2}, spaces=SPACES, layers=6, w_size=5
)
# Some milliseconds for a picture: long enough to be overtaken by a cancel.
SLOW = GeneratorSpec("dcgan", 6, 0, 128, 3, {"width": 24})

use_threads(1)


def make_generator(spec: GeneratorSpec, seed: int = 0) -> Generator:
    """A small one, also of pictures that take long."""
    return make_dcgan(spec, seed, batches=5, rows=8)


def zoom_of(digest: str) -> LinearDirection:
    """A direction with one slider that imitates zoom: alpha -1 to 1 is 1/4 to 4 x."""
    slider = Slider("zoom", "zoom", "x", 1.3862943611198906, (-1.0, 1.0), (-1.0, 1.0))
    return LinearDirection("zoom", digest, (slider,), torch.tensor([[1.0, -1.0, 0.5, 0.0, 0.25, -0.5]]))


def style_of(digest: str) -> LinearDirection:
    """A direction with two sliders that imitate nothing."""
    sliders = tuple(Slider(name, "", "", 1.0, (-2.0, 2.0), (-3.0, 3.0)) for name in ("age", "light"))
    return LinearDirection("style", digest, sliders, torch.eye(6)[:2].contiguous())


@dataclass
class Library:
    """A store, and what was put into it."""

    path: Path
    store: ArtifactStore

    def put_generator(self, name: str, generator: Generator) -> None:
        save_generator(self.store, name, generator, provenance={}, created=CREATED)

    def put_direction(self, model: str, direction: Direction, provenance: JsonObject | None = None) -> None:
        save_direction(self.store, model, direction, provenance=provenance or {}, created=CREATED)


@pytest.fixture
def empty_library(tmp_path) -> Library:
    """A store with nothing in it."""
    path = tmp_path / "store"
    return Library(path, ArtifactStore(str(path)))


@pytest.fixture(scope="session")
def faces() -> Generator:
    """An unconditional generator of colour pictures, 16 x 16."""
    return make_generator(FACES)


@pytest.fixture(scope="session")
def digits() -> Generator:
    """A generator of grey pictures, 16 x 16, with three classes."""
    return make_generator(DIGITS)


@pytest.fixture(scope="session", params=["stylegan", "stylegan2"])
def styled(request) -> Generator:
    """A generator of each family with a mapping network: colour pictures, 16 x 16, three classes."""
    return make_lively(replace(STYLED, family=request.param))


@pytest.fixture(scope="session")
def generator_of():
    """A function that makes a generator from a spec and a seed."""
    return make_generator


@pytest.fixture(scope="session")
def direction_of():
    """A function that makes a direction with one slider that imitates zoom, for a digest."""

    def make(digest: str, name: str = "zoom", size: int = 6) -> LinearDirection:
        slider = Slider(name, "zoom", "x", 1.0, (-1.0, 1.0), (-1.0, 1.0))
        return LinearDirection(name, digest, (slider,), torch.ones(1, size))

    return make


@pytest.fixture(scope="session")
def other(generator_of) -> Generator:
    """Another generator of the kind of faces."""
    return generator_of(FACES, seed=9)


@pytest.fixture(scope="session")
def wild(generator_of) -> Generator:
    """A generator whose pictures are finite for common latents, and not for far ones."""
    generator = generator_of(FACES)
    with torch.no_grad():
        next(generator.parameters()).mul_(1e30)
    return generator.freeze()


@pytest.fixture
def library(empty_library, faces, digits) -> Library:
    """A store with faces, its directions zoom and style, and digits."""
    empty_library.put_generator("faces", faces)
    empty_library.put_generator("digits", digits)
    empty_library.put_direction("faces", zoom_of(faces.digest))
    empty_library.put_direction("faces", style_of(faces.digest))
    return empty_library


@pytest.fixture
def slow_library(empty_library) -> Library:
    """A store with a generator that takes its time."""
    generator = make_generator(SLOW)
    empty_library.put_generator("slow", generator)
    empty_library.put_direction("slow", zoom_of(generator.digest))
    return empty_library


@pytest.fixture
def model(faces) -> ServedModel:
    """faces with its directions, as the server holds it."""
    directions = {
        "zoom": ServedDirection(zoom_of(faces.digest), 1),
        "style": ServedDirection(style_of(faces.digest), 1),
    }
    engine = Engine(faces, torch.device("cpu"))
    return ServedModel("faces", 1, engine, engine.searcher, 64, 10_000, directions)


@pytest.fixture
def grey_model(digits) -> ServedModel:
    """digits, as the server holds it."""
    engine = Engine(digits, torch.device("cpu"))
    return ServedModel("digits", 1, engine, engine.searcher, 64, 10_000)


@dataclass
class Server:
    """A running server and a client's stubs."""

    doorway: Doorway
    channel: grpc.aio.Channel
    generation: generation_service_pb2_grpc.GenerationServiceStub
    models: model_service_pb2_grpc.ModelServiceStub

    async def metric(self, name: str, **labels: str) -> float:
        """The value of a sample, as Prometheus reads it; 0 if there is none."""
        url = f"http://127.0.0.1:{self.doorway.metrics_port}/metrics"
        text = await asyncio.to_thread(lambda: urllib.request.urlopen(url).read().decode())
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        return sum(
            sample.value for sample in samples if sample.name == name and labels.items() <= sample.labels.items()
        )

    async def settles(self, name: str, value: float, **labels: str) -> None:
        """Waits until a sample has that value; fails if it does not within minutes."""
        async with asyncio.timeout(120):
            while await self.metric(name, **labels) != value:  # noqa: ASYNC110 - it is on the other side
                await asyncio.sleep(0.02)


@asynccontextmanager
async def _serve(library: Library, tracer: object = None, **options: object) -> AsyncIterator[Server]:
    defaults = {
        "address": "127.0.0.1:0",
        "metrics_address": "127.0.0.1:0",
        "store": str(library.path),
        "torch_threads": 1,
        "engine_seconds": 0.0,
        "grace_seconds": 5.0,
        # However slow the machine is meanwhile, nobody is to be refused for it.
        "max_queue_seconds": 600.0,
    }
    settings = Settings(**(defaults | options))
    async with serving(settings, tracer) as doorway:
        options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        async with grpc.aio.insecure_channel(f"127.0.0.1:{doorway.port}", options=options) as channel:
            yield Server(
                doorway,
                channel,
                generation_service_pb2_grpc.GenerationServiceStub(channel),
                model_service_pb2_grpc.ModelServiceStub(channel),
            )


@pytest.fixture
def serve():
    """A function that serves a library: `async with serve(library, max_batch=4) as server`."""
    return _serve


def _started(process: multiprocessing.Process) -> int:
    """When it was started, on the clock of the system; its number does not tell, since numbers begin again."""
    return int(Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[19])


@pytest.fixture
def device_process():
    """A function that finds the process that draws for the newest server of this test."""

    def newest():
        return max((one for one in multiprocessing.active_children() if one.name == "device"), key=_started)

    return newest


@pytest.fixture
async def server(library) -> AsyncIterator[Server]:
    """A server of the library, with settings as they come."""
    async with _serve(library) as running:
        yield running


@pytest.fixture
def styled_library(empty_library, faces, styled) -> Library:
    """A store with a styled generator and a direction in each space, and with one without a mapping network."""
    empty_library.put_generator("styled", styled)
    empty_library.put_generator("faces", faces)
    for direction in directions_of(styled).values():
        empty_library.put_direction("styled", direction)
    return empty_library


@pytest.fixture
async def styled_server(styled_library) -> AsyncIterator[Server]:
    """A server of that library, with settings as they come."""
    async with _serve(styled_library) as running:
        yield running


@dataclass
class Refusal:
    """How a call failed, as a program sees it."""

    status: str
    reason: str
    message: str
    fields: list[str]
    metadata: dict[str, str]
    retry_seconds: float | None


async def _refusal(call) -> Refusal:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await _replies(call)
    return _described(caught.value)


def _described(error: grpc.aio.AioRpcError) -> Refusal:
    info, bad, retry = ErrorInfo(), BadRequest(), RetryInfo()
    status = rpc_status.from_call(error)
    details = status.details if status else []
    has_retry = any(detail.Unpack(retry) for detail in details)
    assert not details or any(detail.Unpack(info) for detail in details)
    assert any(detail.Unpack(bad) for detail in details) == (info.reason == "INVALID_REQUEST")
    return Refusal(
        error.code().name,
        info.reason,
        error.details(),
        [violation.field for violation in bad.field_violations],
        dict(info.metadata),
        retry.retry_delay.ToMilliseconds() / 1000 if has_retry else None,
    )


async def _replies(call):
    return [reply async for reply in call] if hasattr(call, "__aiter__") else [await call]


async def _rest(call):
    replies = []
    while (reply := await call.read()) is not grpc.aio.EOF:
        replies.append(reply)
    return replies


@pytest.fixture
def rest():
    """A function that reads what is left of a stream from which `read` was called."""
    return _rest


@pytest.fixture
def described():
    """A function that tells how a call failed, from its error."""
    return _described


@pytest.fixture
def refusal():
    """A function that awaits a call, which must fail, and tells how."""
    return _refusal
