"""A generation server of its own process, as a user would start it."""

import socket
import subprocess
import sys
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from latentwalk.client import Client

STOP_SECONDS = 15


@dataclass(frozen=True)
class Served:
    """A running server."""

    address: str
    metrics_address: str

    @property
    def memory(self) -> float:
        """How many MiB of memory it has, its device's among them; 0 where the system does not tell."""
        with urllib.request.urlopen(f"http://{self.metrics_address}/metrics") as reply:
            lines = reply.read().decode().splitlines()
        sizes = (line.split() for line in lines if "process_resident_memory_bytes " in line and line[0] != "#")
        return sum(float(size) for _, size in sizes) / (1 << 20)


@contextmanager
def served(*flags: str) -> Generator[Served]:
    """Start `python -m latentwalk.server` with these flags on a free port; end it afterwards.

    It keeps no pictures that it has drawn: what is measured is drawing them.
    """
    running = Served(*(f"127.0.0.1:{free_port()}" for _ in range(2)))
    command = [sys.executable, "-m", "latentwalk.server", "--address", running.address]
    command += ["--metrics-address", running.metrics_address, "--frame-cache-mib", "0", *flags]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        with Client(running.address) as client:
            client.wait_ready(60)
        yield running
    finally:
        end(process, STOP_SECONDS)


def end(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Ask a process to end, and kill it if it has not after so many seconds."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    """A port of the loopback address that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
