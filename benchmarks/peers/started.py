"""A peer in processes of its own, of which none is left afterwards."""

import os
import signal
import subprocess
import time
from collections.abc import Generator as Iterating
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import LoadProcess, wait_for
from benchmarks.peers.environments import ROOT, python_of
from benchmarks.peers.model import PeerSettings
from benchmarks.served import free_port
from benchmarks.stage import Stage

START_SECONDS, LOOK_SECONDS, STOP_SECONDS = 120.0, 5.0, 20.0
LOGS = ROOT / "benchmarks" / "results"


@dataclass(frozen=True)
class Peer:
    """How a peer is asked."""

    name: str
    title: str
    wire: str


PEERS = {
    peer.name: peer
    for peer in (
        Peer("pytriton", "PyTriton (gRPC)", "gRPC, Open Inference Protocol"),
        Peer("ray", "Ray Serve (gRPC)", "gRPC"),
        Peer("mosec", "mosec (HTTP)", "HTTP, bytes"),
        Peer("litserve", "LitServe (HTTP)", "HTTP, JSON in"),
    )
}


@contextmanager
def started(peer: Peer, form: str, on: Stage, load: LoadProcess) -> Iterating[str]:
    """Start it, wait until it draws, and give its address; what it says goes to results/<peer>.log."""
    port, http_port, metrics_port = (free_port() for _ in range(3))
    settings = PeerSettings(str(on.store), str(on.cache), form, port, http_port, metrics_port)
    command = [python_of(peer.name), "-m", f"benchmarks.peers.{peer.name}_peer"]
    LOGS.mkdir(exist_ok=True)
    with (LOGS / f"{peer.name}.log").open("w") as log:
        environment = {**os.environ, **_variables(port), **settings.to_environment()}
        environment.pop("PYTHONPATH", None)
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        address = f"127.0.0.1:{port}"
        _wait(process, peer, address, load)
        yield address
    finally:
        _end(process)


def _wait(process: subprocess.Popen[bytes], peer: Peer, address: str, load: LoadProcess) -> None:
    """Until it draws. Raises TimeoutError if it does not, or has ended."""
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            return load.run(wait_for, peer.wire, address, seconds=LOOK_SECONDS, seed=0)
        except TimeoutError as error:
            if process.poll() is not None or time.monotonic() > until:
                raise TimeoutError(f"{peer.title} does not serve, see {LOGS / peer.name}.log: {error}") from error


def _variables(port: int) -> dict[str, str]:
    """What the peers' own code reads."""
    return {
        "MOSEC_ADDRESS": "127.0.0.1",
        "MOSEC_PORT": str(port),
        "MOSEC_TIMEOUT": "60000",
        "MOSEC_LOG_LEVEL": "warning",
        "RAY_USAGE_STATS_ENABLED": "0",
    }


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the process as its users would, and then whatever of its descendants is still there."""
    family = _descendants(process.pid)
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    process.kill()
    process.wait()
    until = time.monotonic() + STOP_SECONDS / 4
    while (left := [one for one in family if _is_same(one)]) and time.monotonic() < until:
        time.sleep(0.1)
    for process_id, _ in left:
        with suppress(ProcessLookupError):
            os.kill(process_id, signal.SIGKILL)


def _descendants(ancestor: int) -> list[tuple[int, str]]:
    """The process ids of those that the process has started, and they again, each with the time of its start."""
    parents = {int(folder.name): _stat(int(folder.name)) for folder in Path("/proc").glob("[0-9]*")}
    family = {ancestor}
    while new := {one for one, stat in parents.items() if stat and int(stat[1]) in family} - family:
        family |= new
    return [(one, stat[19]) for one in family - {ancestor} if (stat := parents[one])]


def _is_same(process: tuple[int, str]) -> bool:
    """Whether it is still running: a process id may be given to another."""
    stat = _stat(process[0])
    return bool(stat) and stat[0] != "Z" and stat[19] == process[1]


def _stat(process_id: int) -> list[str]:
    """The fields of /proc/<id>/stat from the state on; empty if there is no such process."""
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
