"""A generation server of its own process, as a user would start it."""

import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from latentwalk.client import Client

STOP_SECONDS = 15


@dataclass(frozen=True)
class Served:
    """A running server."""

    address: str
    process_id: int

    @property
    def memory(self) -> float:
        """How many MiB of memory it has; 0 where the system does not tell."""
        status = Path(f"/proc/{self.process_id}/status")
        lines = status.read_text().splitlines() if status.exists() else []
        return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:")), 0.0)


@contextmanager
def served(*flags: str) -> Generator[Served]:
    """Start `python -m latentwalk.server` with these flags on a free port; end it afterwards.

    It keeps no pictures that it has drawn: what is measured is drawing them.
    """
    address = f"127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "latentwalk.server", "--address", address, "--metrics-address", ""]
    command += ["--frame-cache-mib", "0", *flags]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        with Client(address) as client:
            client.wait_ready(60)
        yield Served(address, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """A port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
