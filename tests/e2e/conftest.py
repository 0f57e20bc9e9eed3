"""Both services as a user starts them: processes of their own, one store, one tiny generator under the name "faces"."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import torch

from latentwalk.cli.demo.processes import free_address
from latentwalk.client import Client
from latentwalk.gan.artifacts import ArtifactStore, save_generator
from latentwalk.gan.families import build_generator
from latentwalk.gan.spec import GeneratorSpec

STOP_SECONDS = 120


@dataclass(frozen=True)
class Services:
    server: str
    trainer: str
    server_metrics: str
    trainer_metrics: str


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    data = tmp_path_factory.mktemp("data")
    store = str(data / "store")
    torch.manual_seed(0)
    generator = build_generator(GeneratorSpec("dcgan", 16, classes=0, resolution=16, channels=3, config={"width": 4}))
    save_generator(ArtifactStore(store), "faces", generator.freeze(), provenance={}, created="")
    found = Services(*(free_address() for _ in range(4)))
    flags = {
        "server": ["--address", found.server, "--metrics-address", found.server_metrics],
        "trainer": [
            *("--address", found.trainer, "--metrics-address", found.trainer_metrics),
            *("--server-address", found.server),
            *("--folder", str(data / "jobs"), "--database", f"sqlite:///{data / 'trainer.db'}"),
        ],
    }
    processes = [start(f"latentwalk.{name}", "--store", store, *flags[name]) for name in flags]
    try:
        with Client(found.server, trainer_address=found.trainer) as client:
            client.wait_ready(300)
        yield found
    finally:
        for process in processes:
            stop(process)
    assert [process.returncode for process in processes] == [0, 0]


def start(module: str, *flags: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", module, *flags], stderr=subprocess.DEVNULL)


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
