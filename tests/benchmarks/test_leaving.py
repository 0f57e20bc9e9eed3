"""A script that is ended leaves no server behind."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest


def servers_of(process_id: int) -> list[int]:
    """The children of the process that are generation servers."""
    listed = Path(f"/proc/{process_id}/task/{process_id}/children")
    children = [int(one) for one in listed.read_text().split()] if listed.exists() else []
    return [one for one in children if b"latentwalk.server" in Path(f"/proc/{one}/cmdline").read_bytes()]


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to see the children of a process")
def test_sigterm_ends_the_server_of_a_benchmark_too():
    benchmark = subprocess.Popen([sys.executable, "-m", "benchmarks", "steering"])
    servers: list[int] = []
    until = time.monotonic() + 300
    try:
        while not (servers := servers_of(benchmark.pid)):
            assert benchmark.poll() is None
            assert time.monotonic() < until
            time.sleep(0.1)
        benchmark.send_signal(signal.SIGTERM)
        assert benchmark.wait(120) == 128 + signal.SIGTERM
        assert [one for one in servers if Path(f"/proc/{one}").exists()] == []
    finally:
        benchmark.kill()
        benchmark.wait()
        for one in servers:
            with suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
