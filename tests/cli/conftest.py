"""Real services as processes, with a tiny generator of random weights, and the command line in front of them."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from dcgan import make_dcgan
from styled import make_styled
from typer.testing import CliRunner

from latentwalk.cli.commands import app
from latentwalk.cli.demo.processes import START_SECONDS, free_address, running_services, service
from latentwalk.cli.look.looking import Looking
from latentwalk.cli.look.web import LookServer
from latentwalk.client import Client
from latentwalk.gan.artifacts import ArtifactStore, save_direction, save_generator
from latentwalk.gan.directions import LinearDirection, Slider
from latentwalk.gan.generator import Generator
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.server.builtin import BUILTIN

torch.set_num_threads(1)

CREATED = "2026-01-01T00:00:00+00:00"


@pytest.fixture(scope="session")
def generator() -> Generator:
    spec = GeneratorSpec("dcgan", 6, 0, 64, 3, {"width": 2})
    return make_dcgan(spec, contrast=0.2, batches=10, rows=16)


@pytest.fixture(scope="session")
def publish_faces(generator: Generator) -> Callable[[Path], None]:
    """Publishes the tiny generator as `faces` in the store of a data folder."""

    def publish(data: Path) -> None:
        save_generator(ArtifactStore(str(data / "store")), "faces", generator, provenance={}, created=CREATED)

    return publish


@dataclass(frozen=True)
class Services:
    server: str
    trainer: str

    @property
    def flags(self) -> list[str]:
        return ["--server", self.server, "--trainer", self.trainer]


@pytest.fixture(scope="session")
def services(publish_faces, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    data = tmp_path_factory.mktemp("data")
    publish_faces(data)
    with running_services(data) as (server, trainer):
        yield Services(server, trainer)


@pytest.fixture
def latentwalk(services: Services) -> Callable[..., Any]:
    """Runs the command line in this process, against the services."""

    def run(*arguments: object, **options: Any):
        return CliRunner().invoke(app, [*services.flags, *map(str, arguments)], **options)

    return run


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of a server, without a trainer, with the digits that come with the package, a small StyleGAN without directions,
    `styled`, and `banked`, whose only direction is a bank of 8 sliders."""
    data = tmp_path_factory.mktemp("data")
    store = data / "store"
    shutil.copytree(BUILTIN, store)
    save_generator(ArtifactStore(str(store)), "styled", make_styled(), provenance={}, created=CREATED)
    banked = make_dcgan(GeneratorSpec("dcgan", 6, 0, 16, 3, {"width": 2}))
    save_generator(ArtifactStore(str(store)), "banked", banked, provenance={}, created=CREATED)
    sliders = tuple(Slider(str(index), "", "", 1, trained=(-1, 1), limit=(-2, 2)) for index in range(8))
    bank = LinearDirection(name="bank", generator_digest=banked.digest, sliders=sliders, vectors=torch.eye(8, 6))
    save_direction(ArtifactStore(str(store)), "banked", bank, provenance={}, created=CREATED)
    address = free_address()
    flags = ["--address", address, "--store", str(store), "--metrics-address=", "--engine-cache="]
    with service("latentwalk.server", flags, data), Client(address) as client:
        client.wait_ready(START_SECONDS)
        yield address


@pytest.fixture(scope="session")
def client(address: str) -> Iterator[Client]:
    """Of that server."""
    with Client(address) as client:
        yield client


@pytest.fixture
def look_at() -> Iterator[Callable[[Client, str], LookServer]]:
    """Serves the page of a model in this process."""
    with ExitStack() as stack:

        def start(client: Client, model: str) -> LookServer:
            server = stack.enter_context(LookServer(0, Looking(client, model)))
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            thread.start()
            return server

        yield start


@pytest.fixture
def start_latentwalk() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts the command line as a process of its own."""
    started: list[subprocess.Popen[str]] = []
    # A suite that a shell has put into the background ignores Ctrl-C, and so would whatever it starts.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def start(*arguments: object, **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "latentwalk.cli.main", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | environment,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def start_looking(start_latentwalk) -> Callable[..., tuple[subprocess.Popen[str], str]]:
    """Starts `latentwalk look` as a process of its own, and reads the address that it prints."""

    def start(*arguments: object, **environment: str) -> tuple[subprocess.Popen[str], str]:
        process = start_latentwalk(*arguments, **environment)
        url = process.stdout.readline().strip()
        assert url, process.communicate()[1]
        return process, url

    return start


@pytest.fixture
def wait_until() -> Callable[..., None]:
    def wait(true: Callable[[], object], seconds: float = 240) -> None:
        ends = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < ends
            time.sleep(0.05)

    return wait
