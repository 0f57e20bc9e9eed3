"""Who runs the jobs: takes them from the queue, attends their processes, and records what becomes of them."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from latentwalk.rpc.errors import JobStateConflict
from latentwalk.trainer.jobs.book import JobBook
from latentwalk.trainer.jobs.folders import LOG
from latentwalk.trainer.jobs.placement import freest
from latentwalk.trainer.jobs.process import Exit, Launcher
from latentwalk.trainer.jobs.records import Job
from latentwalk.trainer.jobs.store import JobStore
from latentwalk.trainer.metrics import Metrics
from latentwalk.trainer.reports import Failure, JobState, News, Result, Stopped

Announce: TypeAlias = Callable[[Job, Result], Awaitable[Result]]
"""Tells the generation server of a published direction; the result says whether it has loaded it."""

_EVERYTHING = 1_000_000
_TRAINER_KILLED = "the trainer was killed while the job ran"
PATIENCE_SECONDS = 1.0
"""For a process whose job a caller has stopped. It is killed if it is in the middle of something long: that costs the
steps since its checkpoint, and nothing else."""
_WRITING_SECONDS = 2.0
"""For the database, when the service shuts down and the processes have left, to take down what became of their jobs."""

_log = logging.getLogger("latentwalk.jobs")


@dataclass(eq=False)
class _Attendance:
    """A job that runs now."""

    job: Job
    device: str
    stop: "asyncio.Future[float]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    """Has the process leave, within so many seconds."""
    wish: Callable[[JobStore, str], Job] | None = None
    """What a caller who had it stopped wants it to become; None if the service shuts down."""
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def leave(self, seconds: float) -> None:
        """Has the process leave, unless it was told before."""
        if not self.stop.done():
            self.stop.set_result(seconds)


class Dispatcher:
    """Runs at most ``concurrency`` jobs at a time on each device, each in a process of its own.

    A process that a signal killed, alone or with the service, is started again from its checkpoint, ``max_restarts``
    times; then the job fails.
    """

    def __init__(
        self,
        book: JobBook,
        launcher: Launcher,
        announce: Announce,
        metrics: Metrics,
        *,
        devices: Sequence[str],
        concurrency: int,
        max_restarts: int,
        grace_seconds: float,
    ) -> None:
        self._book = book
        self._launcher = launcher
        self._announce = announce
        self._metrics = metrics
        self._devices = devices
        self._concurrency = concurrency
        self._max_restarts = max_restarts
        self._grace_seconds = grace_seconds
        self._attended: dict[str, _Attendance] = {}
        self._draining = False
        self._wake = asyncio.Event()
        # Between a job's being taken from the queue and its being attended nobody may look at either.
        self._hand_over = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Puts the jobs back in line that ran when the service was killed, and begins to run jobs.

        That counts as a restart: it may be the job that the service does not survive.
        """
        await self._tidy()
        await asyncio.to_thread(self._launcher.sweep, await self._book.read(JobStore.states))
        for job in await self._book.read(JobStore.page, {JobState.RUNNING}, None, _EVERYTHING):
            if job.restarts < self._max_restarts:
                await self._book.change(JobStore.put_back, job.id, _TRAINER_KILLED, killed=True)
            else:
                await self._book.change(JobStore.fail, job.id, self._given_up(job, _TRAINER_KILLED))
        self._begin(self._dispatch())
        self.wake()

    async def drain(self) -> None:
        """Starts no more jobs, and tells those that run to write a checkpoint and leave; they are put back in line.

        A database that does not answer is given up after ``grace_seconds`` and a little: the next start puts them back.
        """
        self._draining = True
        self.wake()
        for attendance in self._attended.values():
            attendance.leave(self._grace_seconds)
        try:
            async with asyncio.timeout(self._grace_seconds + _WRITING_SECONDS):
                while self._tasks:
                    await asyncio.wait(self._tasks)
        except TimeoutError:
            left = ", ".join(self._attended) or "none"
            _log.error("the job database did not take down in time that jobs were stopped: %s", left)
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _tidy(self) -> None:
        for job_id in await self._book.insist(JobStore.prune):
            await asyncio.to_thread(self._launcher.forget, job_id)

    # -- what callers ask for -----------------------------------------------------------------------------------------

    async def queue(self, put: Callable[[JobStore], Job]) -> Job:
        """Has the store put a job in line, and begins it in its turn; a caller that hangs up has still queued it."""
        return await asyncio.shield(self._queue(put))

    async def _queue(self, put: Callable[[JobStore], Job]) -> Job:
        try:
            return await self._book.change(put)
        finally:
            self.wake()

    async def cancel(self, job_id: str) -> Job:
        """Stops a job; returns when its process has left. Raises UnknownJob, JobStateConflict if it has ended."""
        return await self._stop(job_id, JobStore.cancel, JobState.CANCELLED)

    async def pause(self, job_id: str) -> Job:
        """Sets a job aside; returns when its process has left. Raises UnknownJob, JobStateConflict."""
        return await self._stop(job_id, JobStore.pause, JobState.PAUSED)

    async def _stop(self, job_id: str, wish: Callable[[JobStore, str], Job], state: JobState) -> Job:
        async with self._hand_over:
            attendance = self._attended.get(job_id)
            if attendance is None:
                return await self._book.change(wish, job_id)
            attendance.wish = wish
            attendance.leave(PATIENCE_SECONDS)
        await attendance.done.wait()
        job = await self._book.read(JobStore.find, job_id)
        if job.state != state:
            raise JobStateConflict(f"job {job_id} is {job.state}: it left before it could be stopped", state=job.state)
        return job

    # -- which job is next --------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Looks into the queue: a job was put there."""
        self._wake.set()

    def _begin(self, coroutine: Awaitable[None]) -> None:
        task = asyncio.ensure_future(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _dispatch(self) -> None:
        while not self._draining:
            await self._wake.wait()
            self._wake.clear()
            while await self._start_next():
                pass

    async def _start_next(self) -> bool:
        async with self._hand_over:
            taken = (attendance.device for attendance in self._attended.values())
            device = freest(self._devices, taken, self._concurrency)
            if self._draining or device is None:
                return False
            job = await self._book.insist(JobStore.take, device, list(self._attended))
            if job is None:
                return False
            if job.state is not JobState.RUNNING:
                return True
            attendance = self._attended[job.id] = _Attendance(job, device)
            if self._draining:
                attendance.leave(self._grace_seconds)
        self._begin(self._attend(attendance))
        return True

    # -- one job ------------------------------------------------------------------------------------------------------

    async def _attend(self, attendance: _Attendance) -> None:
        job_id = attendance.job.id
        try:
            ended = await self._run(attendance)
        except JobStateConflict:  # the database had taken down what became of the job, and its answer was lost
            ended = await self._book.insist(JobStore.find, job_id)
        except Exception as error:  # noqa: BLE001 - a job that cannot be run fails; the trainer goes on
            _log.exception("job %s could not be run", job_id)
            ended = await self._book.insist(JobStore.fail, job_id, f"the trainer could not run the job: {error}")
        finally:
            # With nothing awaited since the store has changed: a caller may resume the job, and it may run again.
            del self._attended[job_id]
            attendance.done.set()
            self.wake()
        self._metrics.ended(ended)
        if ended.state is JobState.SUCCEEDED:
            await asyncio.to_thread(self._launcher.forget_checkpoints, job_id)
        await self._tidy()

    async def _run(self, attendance: _Attendance) -> Job:
        """One process after the other, until one of them was not killed: the job that has left."""
        job = attendance.job
        while True:
            exit_ = await self._launcher.run(job, attendance.device, attendance.stop, self._listener(job))
            ended = await self._conclude(attendance, job, exit_)
            if ended is not None:
                return ended
            job = await self._book.insist(JobStore.restart, job.id, _what_happened(exit_))
            self._metrics.restarts.inc()

    def _listener(self, job: Job) -> Callable[[News], Awaitable[object]]:
        count_steps = self._metrics.step_counter(job)

        async def hear(report: News) -> None:
            count_steps(report)
            await self._book.insist(JobStore.record, job.id, report)

        return hear

    async def _conclude(self, attendance: _Attendance, job: Job, exit_: Exit) -> Job | None:
        """Records what became of the job; None if it has to be started again."""
        match exit_.ending:
            case Result() as result:
                announced = await self._announce_in_time(attendance, result)
                return await self._book.insist(JobStore.succeed, job.id, announced)
            case Failure(reason):
                return await self._book.insist(JobStore.fail, job.id, reason)
            case _ if attendance.wish is not None:
                return await self._book.insist(attendance.wish, job.id)
            case _ if attendance.stop.done():
                return await self._book.insist(JobStore.put_back, job.id, "the trainer shuts down")
            case _ if exit_.code > 0 or job.restarts >= self._max_restarts:
                return await self._book.insist(JobStore.fail, job.id, self._given_up(job, _what_happened(exit_)))
            case _:
                return None

    async def _announce_in_time(self, attendance: _Attendance, result: Result) -> Result:
        """As announced; or, when the job is stopped meanwhile, and the servers take longer than a process may, not."""
        announcing = asyncio.ensure_future(self._announce(attendance.job, result))
        await asyncio.wait([announcing, attendance.stop], return_when=asyncio.FIRST_COMPLETED)
        if attendance.stop.done():
            await asyncio.wait([announcing], timeout=attendance.stop.result())
        if announcing.done():
            return announcing.result()
        announcing.cancel()
        problem = "the job was stopped before the servers had answered"
        return replace(result, artifacts=tuple(replace(one, load_error=problem) for one in result.artifacts))

    def _given_up(self, job: Job, what_happened: str) -> str:
        log = self._launcher.folder_of(job.id) / LOG
        restarts = f", after {job.restarts} restarts" if job.restarts else ""
        return f"{what_happened}{restarts}; its log is {log}"


def _what_happened(exit_: Exit) -> str:
    if exit_.code < 0:
        return f"the job's process was killed by {signal.Signals(-exit_.code).name}"
    if isinstance(exit_.ending, Stopped):
        return "the job's process was told to stop by somebody else"
    return f"the job's process ended with code {exit_.code} and no word"
