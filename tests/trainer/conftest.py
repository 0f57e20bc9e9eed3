"""Tiny real generators, real stores and databases, and trainers that run real processes."""

import asyncio
import os
import struct
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import torch
from dcgan import settled
from grpc_health.v1 import health_pb2, health_pb2_grpc
from sqlalchemy import create_engine, text

from latentwalk.gan.artifacts import ArtifactStore, save_generator
from latentwalk.gan.families import build_generator
from latentwalk.gan.generator import Generator
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.rpc.lifecycle import Doorway
from latentwalk.server import assembly as server
from latentwalk.trainer.assembly import serving
from latentwalk.trainer.servicer import SERVICE_NAME
from latentwalk.trainer.settings import Settings
from latentwalk.trainer.specs import EditDirectionSpec, EditTarget, JobSpec
from latentwalk.v1 import training_service_pb2 as pb
from latentwalk.v1 import training_service_pb2_grpc

torch.set_num_threads(1)

POSTGRES = os.environ.get("LATENTWALK_TEST_POSTGRES_URL", "")


def make_generator(classes: int = 0, channels: int = 3) -> Generator:
    """A generator of 16 x 16 px with random weights, of which half the features brighten every pixel."""
    torch.manual_seed(0)
    generator = build_generator(GeneratorSpec("dcgan", 8, classes, 16, channels, {"width": 4}))
    with torch.no_grad():
        last = generator.get_parameter("main.6.weight")
        last.copy_(10 * last.abs() * torch.tensor([1.0, 1.0, -1.0, -1.0])[:, None, None, None])
    return settled(generator)


def make_spec(edits: tuple[EditTarget, ...] = (EditTarget("brightness", -0.25, 0.25),), **settings) -> JobSpec:
    values = {"steps": 40, "batch_size": 6, "learning_rate": 0.1, "evaluation_size": 40, "walk_steps": 5}
    return JobSpec(
        model="tiny",
        model_version=1,
        direction="bright",
        seed=7,
        checkpoint_every=10,
        method="edit_direction",
        settings=EditDirectionSpec(edits=edits, **values | settings),
    )


def write_mnist(folder: Path, train: int = 40, test: int = 10) -> None:
    """A data set in the place and the form of MNIST: picture i is all of shade i, and of class i modulo 10."""
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for prefix, count in (("train", train), ("t10k", test)):
        shades = np.arange(count, dtype=np.uint8)
        images = shades[:, None, None].repeat(28, 1).repeat(28, 2)
        (raw / f"{prefix}-images-idx3-ubyte").write_bytes(struct.pack(">4I", 2051, count, 28, 28) + images.tobytes())
        (raw / f"{prefix}-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 2049, count) + (shades % 10).tobytes())


@pytest.fixture(scope="session")
def generator() -> Generator:
    return make_generator()


@pytest.fixture
def artifacts_url(tmp_path: Path, generator: Generator) -> str:
    """A store with the generators "tiny", "grey" (one channel), "digits" (10 classes) and "broken" (draws NaN)."""
    url = str(tmp_path / "store")
    store = ArtifactStore(url)
    broken = make_generator()
    with torch.no_grad():
        broken.get_parameter("main.6.weight")[0, 0, 0, 0] = float("nan")
    generators = {
        "tiny": generator,
        "grey": make_generator(channels=1),
        "digits": make_generator(classes=10),
        "broken": broken,
    }
    for name, one in generators.items():
        save_generator(store, name, one, provenance={}, created="2026-01-01T00:00:00Z")
    return url


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.skipif(not POSTGRES, reason="no PostgreSQL"))]
)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database: a SQLite file, or a schema of its own in the PostgreSQL of LATENTWALK_TEST_POSTGRES_URL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/new/trainer.db"
        return
    schema = f"test_{uuid.uuid4().hex}"
    engine = create_engine(POSTGRES.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    yield f"{POSTGRES}{'&' if '?' in POSTGRES else '?'}options=-csearch_path%3D{schema}"
    with engine.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    engine.dispose()


@dataclass(frozen=True)
class Trainer:
    """A trainer that serves, and a client's stub for it."""

    stub: training_service_pb2_grpc.TrainingServiceStub
    address: str
    metrics_port: int

    def create(self, spec: pb.JobSpec, request_id: str = "") -> pb.Job:
        return self.stub.CreateJob(pb.CreateJobRequest(request_id=request_id, spec=spec)).job

    def get(self, job_id: str) -> pb.Job:
        return self.stub.GetJob(pb.GetJobRequest(id=job_id)).job

    def watch(self, job_id: str, after: int = 0) -> Iterator[pb.JobEvent]:
        for response in self.stub.WatchJob(pb.WatchJobRequest(id=job_id, after_sequence=after)):
            yield response.event

    def wait_for_step(self, job_id: str, step: int) -> None:
        """Returns when the job has done this many steps; fails if it ends before."""
        assert any(event.progress.step >= step for event in self.watch(job_id)), "the job ended too early"

    def wait_for_end(self, job_id: str) -> pb.Job:
        for _ in self.watch(job_id):
            pass
        return self.get(job_id)


@contextmanager
def in_a_thread(serving: Callable[[Any], AbstractAsyncContextManager[Doorway]], settings: object) -> Iterator[Doorway]:
    """A service on an event loop in a thread of its own; it drains at the end of the context."""
    started, leave, doorways = threading.Event(), asyncio.Event(), list[Doorway]()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with serving(settings) as doorway:
            doorways.append(doorway)
            started.set()
            await leave.wait()

    def work() -> None:
        try:
            loop.run_until_complete(serve())
        finally:
            started.set()
            loop.close()

    thread = threading.Thread(target=work)
    thread.start()
    started.wait()
    assert doorways, "the service did not start"
    try:
        yield doorways[0]
    finally:
        loop.call_soon_threadsafe(leave.set)
        thread.join()


@contextmanager
def connected(address: str, metrics_port: int = 0) -> Iterator[Trainer]:
    """A client of the trainer at this address, which may still be starting."""
    with grpc.insecure_channel(address) as channel:
        grpc.channel_ready_future(channel).result(timeout=150)
        health = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service=SERVICE_NAME))
        next(state for state in health if state.status == health_pb2.HealthCheckResponse.SERVING)
        health.cancel()
        yield Trainer(training_service_pb2_grpc.TrainingServiceStub(channel), address, metrics_port)


@contextmanager
def trainer_serving(settings: Settings) -> Iterator[Trainer]:
    """A trainer in this process."""
    with (
        in_a_thread(serving, settings) as doorway,
        connected(f"127.0.0.1:{doorway.port}", doorway.metrics_port) as trainer,
    ):
        yield trainer


@pytest.fixture
def make_settings(tmp_path: Path, artifacts_url: str):
    """Makes settings for a trainer whose every file is in the test's own folder."""

    def make(**changes) -> Settings:
        values = {
            "address": "127.0.0.1:0",
            "metrics_address": "127.0.0.1:0",
            "store": artifacts_url,
            "folder": str(tmp_path / "jobs"),
            "database": f"sqlite:///{tmp_path}/trainer.db",
        }
        return Settings(**values | changes)

    return make


@pytest.fixture
def serve_trainer():
    """The context manager `trainer_serving`."""
    return trainer_serving


@pytest.fixture
def connect():
    """The context manager `connected`."""
    return connected


@pytest.fixture
def serve_server():
    """A context manager that runs the generation server in this process."""
    return partial(in_a_thread, server.serving)


@pytest.fixture
def mnist(tmp_path: Path) -> Path:
    """A data folder with a small data set in the form of MNIST."""
    write_mnist(tmp_path / "sets")
    return tmp_path / "sets"


@pytest.fixture(name="make_spec")
def _make_spec():
    return make_spec


@pytest.fixture(name="make_generator", scope="session")
def _make_generator():
    return make_generator
