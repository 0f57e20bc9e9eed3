"""The forked process of a job: its standard streams, its end, and what it may not have inherited."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from latentwalk.trainer.jobs.forked import ForkedProcess

IMPORTS_ALONE = """
import torch
def touched(): raise AssertionError("CUDA was asked for")
torch._C._cuda_getDeviceCount = torch._C._cuda_init = touched
from latentwalk.rpc import forkserver
from latentwalk.trainer import preloaded
preloaded.preload()
for module in forkserver._modules:
    __import__(module)
"""

KILLED_WITHOUT_ITS_FORK_SERVER = """
import os, signal, sys
from multiprocessing import forkserver
from pathlib import Path
from latentwalk.trainer.jobs.forked import ForkedProcess
log = Path(sys.argv[2])
stuck = ForkedProcess(["--folder", sys.argv[1]], dict(os.environ), log)
os.kill(stuck.id, signal.SIGSTOP)
server = forkserver._forkserver._forkserver_pid
os.kill(server, signal.SIGKILL)
os.waitid(os.P_PID, server, os.WEXITED | os.WNOWAIT)
ForkedProcess(["--help"], dict(os.environ), log)
stuck.kill()
print(stuck.id)
"""


@pytest.fixture
def fork(tmp_path):
    """Forks a process with these arguments, whose log is `tmp_path / "log"`."""

    async def forked(*arguments: str, **environment: str) -> ForkedProcess:
        return await asyncio.to_thread(ForkedProcess, arguments, os.environ | environment, tmp_path / "log")

    return forked


async def test_its_output_is_heard_its_errors_are_in_the_log_and_its_exit_code_is_told(fork, tmp_path):
    helpful = await fork("--help", COLUMNS="200")
    said = [line async for line in helpful.said()]
    assert said[0].startswith(b"usage: python -m latentwalk.trainer.runner [-h] --folder FOLDER")
    assert await helpful.wait() == 0
    refused = await fork("--no-such-flag")
    assert [line async for line in refused.said()] == []
    assert await refused.wait() == 2
    assert "the following arguments are required: --folder" in (tmp_path / "log").read_text()


async def test_it_can_be_killed_at_any_time_and_once_more(fork):
    process = await fork("--help")
    process.kill()
    await process.wait()
    process.kill()
    process.terminate()


async def test_a_killed_one_is_told_by_its_signal(fork, tmp_path):
    (tmp_path / "job").mkdir()
    os.mkfifo(tmp_path / "job" / "job.json")  # it waits for somebody to write that
    process = await fork("--folder", str(tmp_path / "job"))
    os.kill(process.id, signal.SIGKILL)
    assert await process.wait() == -signal.SIGKILL


def test_what_is_imported_before_the_fork_leaves_cuda_alone():
    """After a fork, CUDA does not work if the process before has touched it."""
    subprocess.run([sys.executable, "-c", IMPORTS_ALONE], check=True)


def test_one_that_hangs_is_killed_also_when_its_fork_server_has_gone(tmp_path):
    command = [sys.executable, "-c", KILLED_WITHOUT_ITS_FORK_SERVER, str(tmp_path / "job"), str(tmp_path / "log")]
    process = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    try:
        assert not is_running(process)
    finally:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def is_running(process: int) -> bool:
    """Whether it is there, and no zombie that nobody has taken leave of."""
    try:
        return "State:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False
