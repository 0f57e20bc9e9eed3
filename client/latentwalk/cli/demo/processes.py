"""The services as processes of the demo: started, awaited, and gone afterwards whatever happens."""

import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from latentwalk.cli.demo.tour import TOUR
from latentwalk.cli.failures import CommandFailed
from latentwalk.cli.interrupts import without_interrupts
from latentwalk.client import Client, DeadlineExceeded, Unavailable

START_SECONDS = 120
GRACE_SECONDS = 5
STOP_SECONDS = 20

_PORTS = range(20_000, 32_000)
_TRIES = 100


@dataclass(frozen=True)
class Service:
    """A running service: its module, its process and where it writes its log."""

    module: str
    process: subprocess.Popen[bytes]
    log: Path

    def check(self) -> None:
        """CommandFailed, with the end of the log, if the process has ended."""
        code = self.process.poll()
        if code is not None:
            last = (self.log.read_text(errors="replace").strip().splitlines() or ["nothing was said"])[-1]
            raise CommandFailed(f"{self.module} ended with exit code {code}: {last} (all of it in {self.log})")

    def stop(self) -> None:
        """Asks the process to end, and kills its group if it does not; at most STOP_SECONDS."""
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@contextmanager
def running_services(data: Path) -> Generator[tuple[str, str]]:
    """A server and a trainer on free ports of this machine, ready; gives their addresses, stops both in the end."""
    server, trainer = free_address(), free_address()
    store = ["--store", str(data / "store"), "--metrics-address=", f"--grace-seconds={GRACE_SECONDS}"]
    cache = ["--engine-cache", str(data / "engine")]
    jobs = [
        "--folder",
        str(data / "jobs"),
        "--database",
        f"sqlite:///{data / 'trainer.db'}",
        "--server-address",
        server,
    ]
    # As many as there are jobs, and cores for them; many cores may stand beside one CUDA device.
    speed = ["--concurrency", str(min(os.cpu_count() or 1, len(TOUR)))]
    with ExitStack() as stack:
        services = [
            stack.enter_context(service("latentwalk.server", ["--address", server, *store, *cache], data)),
            stack.enter_context(service("latentwalk.trainer", ["--address", trainer, *store, *jobs, *speed], data)),
        ]
        wait_until_ready(server, trainer, services)
        yield server, trainer


@contextmanager
def service(module: str, flags: list[str], data: Path) -> Generator[Service]:
    """`python -m module flags` in a process group of its own, so that Ctrl-C reaches it through us only."""
    log = data / "logs" / f"{module.rpartition('.')[2]}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    # What is configured for other services of the user must not configure these.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("LATENTWALK_")}
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *flags],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            env=environment,
            start_new_session=True,
        )
    started = Service(module, process, log)
    try:
        yield started
    finally:
        with without_interrupts():
            started.stop()


def wait_until_ready(server: str, trainer: str, services: list[Service]) -> None:
    """Waits until both serve; CommandFailed as soon as one has ended, or after START_SECONDS."""
    with Client(server, trainer_address=trainer) as client:
        for _ in range(START_SECONDS):
            for started in services:
                started.check()
            try:
                return client.wait_ready(timeout=1.0)
            except (DeadlineExceeded, Unavailable):
                continue
    raise CommandFailed(f"the services are not ready after {START_SECONDS} s; see {services[0].log.parent}")


def free_address() -> str:
    """An address of this machine that nobody listens on.

    Its port is none of those that systems give to whoever asks for any: it is still free when a service has started.
    """
    for port in random.sample(_PORTS, _TRIES):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return f"127.0.0.1:{port}"
    raise CommandFailed(f"of {_TRIES} ports of 127.0.0.1, none from {_PORTS[0]} to {_PORTS[-1]} is free")
