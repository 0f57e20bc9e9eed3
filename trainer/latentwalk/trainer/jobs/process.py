"""The process of a job, seen from the service: started, listened to, and stopped."""

import asyncio
import json
import logging
import os
import shutil
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeAlias

from latentwalk.trainer.jobs.folders import CHECKPOINTS, LOG, write_assignment
from latentwalk.trainer.jobs.records import Job
from latentwalk.trainer.materials import Sources
from latentwalk.trainer.reports import Ending, News, report_from_json

Listener: TypeAlias = Callable[[News], Awaitable[object]]

_LONGEST_LINE = 1 << 20
# By these, torchrun and its like tell a process of its fellows. The service's are none of its jobs'.
_FELLOWSHIP = frozenset({"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"})

_log = logging.getLogger("latentwalk.jobs")


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended."""

    code: int
    """Its exit code; -N if signal N killed it."""
    ending: Ending | None
    """What it said at last; None if it could not say anything."""


@dataclass(frozen=True, slots=True)
class Launcher:
    """Starts the processes of jobs."""

    folder: Path
    """Each job has a folder of its own in it."""
    sources: Sources
    """Where jobs find what they work with."""
    threads: int
    """CPU threads of torch in each process."""
    tensorboard: bool = True
    """Whether they write for it."""
    processes: int = 1
    """The most that train one job together."""

    def folder_of(self, job_id: str) -> Path:
        """Where the job keeps its spec, its checkpoints and its log."""
        return self.folder / job_id

    def forget(self, job_id: str) -> None:
        """Removes all that the job has kept."""
        shutil.rmtree(self.folder_of(job_id), ignore_errors=True)

    def forget_checkpoints(self, job_id: str) -> None:
        """Removes what a job that has succeeded does not need any more."""
        shutil.rmtree(self.folder_of(job_id) / CHECKPOINTS, ignore_errors=True)

    async def run(self, job: Job, device: str, stop: "asyncio.Future[float]", hear: Listener) -> Exit:
        """Runs the job's process on the device to its end; ``hear`` gets what it says.

        Once ``stop`` is there, the process has so many seconds to write a checkpoint and leave; then it is killed.

        Raises OSError if the process cannot be started.
        """
        process = await self._start(job, device)
        stopper = asyncio.create_task(self._stop_when_told(process, stop))
        try:
            ending = await _listen(process, hear)
            return Exit(await process.wait(), ending)
        finally:
            stopper.cancel()
            if process.returncode is None:
                _kill_group(process)

    async def _start(self, job: Job, device: str) -> asyncio.subprocess.Process:
        folder = self.folder_of(job.id)
        log = await asyncio.to_thread(_prepare, folder, job, self.sources)
        with log:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "latentwalk.trainer.runner"),
                *("--folder", str(folder), "--device", device),
                *("--threads", str(self.threads), "--processes", str(self.processes)),
                "--tensorboard" if self.tensorboard else "--no-tensorboard",
                # The process ends when this pipe does, so that it cannot outlive the service, however that ends.
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env={name: value for name, value in os.environ.items() if name not in _FELLOWSHIP},
                limit=_LONGEST_LINE,
                # Ctrl-C in the terminal of the service must not reach it.
                start_new_session=True,
            )

    async def _stop_when_told(self, process: asyncio.subprocess.Process, stop: "asyncio.Future[float]") -> None:
        patience = await asyncio.shield(stop)
        with suppress(ProcessLookupError):
            process.terminate()
        await asyncio.sleep(patience)
        _log.warning("process %d did not stop within %g s and is killed", process.pid, patience)
        _kill_group(process)


def _prepare(folder: Path, job: Job, sources: Sources) -> IO[bytes]:
    write_assignment(folder, job.id, job.spec, sources)
    return (folder / LOG).open("ab")


async def _listen(process: asyncio.subprocess.Process, hear: Listener) -> Ending | None:
    assert process.stdout is not None  # noqa: S101 - it was asked for
    ending = None
    async for line in process.stdout:
        try:
            report = report_from_json(json.loads(line))
        except (ValueError, TypeError, KeyError):
            _log.warning("process %d wrote no report: %.200r", process.pid, line)
            continue
        if isinstance(report, News):
            await hear(report)
        else:
            ending = report
    return ending


def _kill_group(process: asyncio.subprocess.Process) -> None:
    """Kills the process, and whatever it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
