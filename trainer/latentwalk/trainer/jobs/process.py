"""The process of a job, seen from the service: started, listened to, and stopped."""

import asyncio
import json
import logging
import os
import shutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from latentwalk.trainer.jobs.folders import CHECKPOINTS, LOG, database_of, write_assignment
from latentwalk.trainer.jobs.forked import ForkedProcess
from latentwalk.trainer.jobs.records import Job
from latentwalk.trainer.materials import Sources
from latentwalk.trainer.reports import Ending, JobState, News, report_from_json

Listener: TypeAlias = Callable[[News], Awaitable[object]]

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
    database: str = ""
    """Which knows the jobs."""

    def folder_of(self, job_id: str) -> Path:
        """Where the job keeps its spec, its checkpoints and its log."""
        return self.folder / job_id

    def forget(self, job_id: str) -> None:
        """Removes all that the job has kept."""
        shutil.rmtree(self.folder_of(job_id), ignore_errors=True)

    def forget_checkpoints(self, job_id: str) -> None:
        """Removes what a job that has succeeded does not need any more."""
        shutil.rmtree(self.folder_of(job_id) / CHECKPOINTS, ignore_errors=True)

    def sweep(self, states: Mapping[str, JobState]) -> None:
        """Removes what a trainer that was killed had still to: all of forgotten jobs, checkpoints of successful ones.

        `states` are those of all jobs in the database. Folders of jobs of another one are left alone; and all of them
        if there are none: that is a new database, in the place of one that may come back.
        """
        for folder in self.folder.glob("*") if states else ():
            if database_of(folder) != self.database:
                continue
            if folder.name not in states:
                _log.warning("job %s is forgotten: what it has left in %s is removed", folder.name, folder)
                self.forget(folder.name)
            elif states[folder.name] is JobState.SUCCEEDED:
                self.forget_checkpoints(folder.name)

    async def run(self, job: Job, device: str, stop: "asyncio.Future[float]", hear: Listener) -> Exit:
        """Runs the job's process on the device to its end; ``hear`` gets what it says.

        Once ``stop`` is there, the process has so many seconds to write a checkpoint and leave; then it is killed.

        Raises OSError if the process cannot be started.
        """
        process = await asyncio.to_thread(self._start, job, device)
        stopper = asyncio.create_task(_stop_when_told(process, stop))
        try:
            ending = await _listen(process, hear)
            return Exit(await process.wait(), ending)
        finally:
            stopper.cancel()
            process.kill()

    def _start(self, job: Job, device: str) -> ForkedProcess:
        folder = self.folder_of(job.id)
        write_assignment(folder, job.id, job.spec, self.sources, self.database)
        arguments = ["--folder", str(folder), "--device", device]
        arguments += ["--threads", str(self.threads), "--processes", str(self.processes)]
        arguments += ["--tensorboard" if self.tensorboard else "--no-tensorboard"]
        environment = {name: value for name, value in os.environ.items() if name not in _FELLOWSHIP}
        return ForkedProcess(arguments, environment, folder / LOG)


async def _stop_when_told(process: ForkedProcess, stop: "asyncio.Future[float]") -> None:
    patience = await asyncio.shield(stop)
    process.terminate()
    await asyncio.sleep(patience)
    _log.warning("process %d did not stop within %g s and is killed", process.id, patience)
    process.kill()


async def _listen(process: ForkedProcess, hear: Listener) -> Ending | None:
    ending = None
    async for line in process.said():
        try:
            report = report_from_json(json.loads(line))
        except (ValueError, TypeError, KeyError):
            _log.warning("process %d wrote no report: %.200r", process.id, line)
            continue
        if isinstance(report, News):
            await hear(report)
        else:
            ending = report
    return ending
