"""The job store: every change of a job and the event that tells of it, in one transaction.

It blocks, so the event loop must not call it; jobs.book does so from a thread.
"""

import logging
import time
import uuid
from collections.abc import Callable, Collection
from dataclasses import asdict

from sqlalchemy import and_, event, false, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from latentwalk.rpc.errors import QueueFull, RequestIdReused
from latentwalk.trainer import reports
from latentwalk.trainer.jobs.database import Claim, open_database
from latentwalk.trainer.jobs.records import Event, Job, Request
from latentwalk.trainer.jobs.retention import Retention
from latentwalk.trainer.jobs.rows import find_row, find_row_in, forget, job_of, next_end, next_ticket
from latentwalk.trainer.jobs.tables import JobRow
from latentwalk.trainer.jobs.timeline import Timeline
from latentwalk.trainer.reports import (
    ENDED,
    RESUMABLE,
    JobState,
    Message,
    News,
    Progress,
    Result,
    StateChange,
)
from latentwalk.trainer.specs import AnyJobSpec, Unreadable, spec_to_json

# How long a caller should wait before it tries a full queue again: jobs take minutes.
RETRY_SECONDS = 15.0

_log = logging.getLogger("latentwalk.jobs")


class JobStore:
    """Jobs in a database."""

    def __init__(
        self,
        url: str,
        max_queued: int,
        retention: Retention = Retention(),  # noqa: B008 - it is a constant
        clock: Callable[[], float] = time.time,
        claim: Claim | None = None,
    ) -> None:
        """``claim`` is what `claimed` yields; None where nobody else could work with the database."""
        self._engine = open_database(url, claim)
        self._session = sessionmaker(self._engine)
        self._max_queued = max_queued
        self._retention = retention
        self._clock = clock
        self._timeline = Timeline(retention, clock)

    @property
    def name(self) -> str:
        """Of the database; a password is left out."""
        return self._engine.url.render_as_string(hide_password=True)

    def close(self) -> None:
        """Closes the connections."""
        self._engine.dispose()

    # -- what callers ask for ----------------------------------------------------------------------------------------

    def requested(self, request: Request) -> Job | None:
        """The job of this request if it was made before. Raises RequestIdReused if it asked for something else."""
        if not request.id:
            return None
        with self._session() as session:
            row = session.scalar(select(JobRow).where(JobRow.request_id == request.id))
            if row is None:
                return None
            if row.request_digest != request.digest:
                raise RequestIdReused(
                    f"request_id {request.id!r} was used for another spec, that of job {row.id}: choose a new one",
                    request_id=request.id,
                    job=row.id,
                )
            return job_of(row)

    def create(self, request: Request, spec: AnyJobSpec) -> Job:
        """Queues a new job, or answers with the one of the same request. Raises QueueFull, RequestIdReused."""
        if job := self.requested(request):
            return job
        try:
            with self._session.begin() as session:
                self._check_room(session)
                row = self._new_row(session, request, spec)
                self._enter(session, row, JobState.QUEUED)
                return job_of(row)
        except IntegrityError:
            # Another trainer on the same database was faster with this request.
            if job := self.requested(request):
                return job
            raise

    def find(self, job_id: str) -> Job:
        """The job of this id. Raises UnknownJob."""
        with self._session() as session:
            return job_of(find_row(session, job_id))

    def page(self, states: Collection[JobState], before: int | None, size: int) -> list[Job]:
        """At most ``size`` jobs, newest first: those in ``states`` (all if empty) with a number below ``before``."""
        query = select(JobRow).order_by(JobRow.number.desc()).limit(size)
        if states:
            query = query.where(JobRow.state.in_(states))
        if before is not None:
            query = query.where(JobRow.number < before)
        with self._session() as session:
            return [job_of(row) for row in session.scalars(query)]

    def resume(self, job_id: str) -> Job:
        """Queues a paused job again at its old place in line, a failed or cancelled one last in line.

        Raises UnknownJob, JobStateConflict, QueueFull.
        """
        with self._session.begin() as session:
            row = find_row_in(session, job_id, RESUMABLE, "resumed")
            if row.state != JobState.PAUSED:
                self._check_room(session)
                row.ticket = next_ticket(session)
            row.restarts = 0
            row.error, row.end_time = "", None
            self._enter(session, row, JobState.QUEUED, "resumed by a caller")
            return job_of(row)

    def delete(self, job_id: str) -> Job:
        """Forgets an ended job and its events. Raises UnknownJob, JobStateConflict."""
        with self._session.begin() as session:
            row = find_row_in(session, job_id, ENDED, "deleted")
            job = job_of(row)
            forget(session, row)
            return job

    def prune(self) -> list[str]:
        """Forgets the jobs that ended first, beyond those that are to be kept; returns their ids."""
        surplus = (
            select(JobRow)
            .where(JobRow.state.in_(ENDED))
            # The time, for those of an older trainer, which has counted none.
            .order_by(JobRow.ended.desc(), JobRow.end_time.desc())
            .offset(self._retention.ended_jobs)
        )
        with self._session.begin() as session:
            rows = session.scalars(surplus.with_for_update()).all()
            for row in rows:
                forget(session, row)
            return [row.id for row in rows]

    def events(self, job_id: str, after: int, size: int) -> tuple[Job, list[Event]]:
        """The job, and at most ``size`` of its events with a greater sequence number. Raises UnknownJob."""
        with self._session() as session:
            row = find_row(session, job_id)
            # No database takes a number as large as callers may send.
            return job_of(row), self._timeline.since(session, row, min(after, row.last_sequence), size)

    def counts(self) -> dict[JobState, int]:
        """How many jobs there are in each state."""
        with self._session() as session:
            counted = session.execute(select(JobRow.state, func.count()).group_by(JobRow.state))
            found = {state: count for state, count in counted}  # noqa: C416 - rows are no pairs to the type checker
        return {state: found.get(state, 0) for state in JobState}

    def states(self) -> dict[str, JobState]:
        """The state of every job, by its id."""
        with self._session() as session:
            return {job_id: JobState(state) for job_id, state in session.execute(select(JobRow.id, JobRow.state))}

    # -- what becomes of a job ---------------------------------------------------------------------------------------

    def take(self, device: str, attended: Collection[str] | None = None) -> Job | None:
        """The next job in line, now RUNNING on that device, or FAILED if it cannot be read; None if none waits.

        One that is RUNNING, but not among those that are ``attended``, by default all, is in line: it was taken, and
        the database's answer was lost.
        """
        forgotten = false() if attended is None else and_(JobRow.state == JobState.RUNNING, JobRow.id.not_in(attended))
        waiting = (
            select(JobRow)
            .where(or_(JobRow.state == JobState.QUEUED, forgotten))
            .order_by(JobRow.priority.desc(), JobRow.ticket)
            .limit(1)
        )
        with self._session.begin() as session:
            row = session.scalar(waiting.with_for_update())
            if row is None:
                return None
            settings = job_of(row).spec.settings
            if isinstance(settings, Unreadable):
                row.error = settings.problem
                self._enter(session, row, JobState.FAILED, row.error)
            else:
                row.start_time = row.start_time or self._clock()
                row.device = device
                self._enter(session, row, JobState.RUNNING, f"on {device}")
            return job_of(row)

    def record(self, job_id: str, happening: News) -> Job:
        """Keeps an event; the newest progress is also the job's own. Raises UnknownJob."""
        with self._session.begin() as session:
            row = find_row(session, job_id, lock=True)
            if isinstance(happening, Progress):
                row.progress = asdict(happening)
            self._timeline.add(session, row, happening)
            return job_of(row)

    def restart(self, job_id: str, reason: str) -> Job:
        """Counts that the job's process is started again. Raises UnknownJob."""
        with self._session.begin() as session:
            row = find_row(session, job_id, lock=True)
            row.restarts += 1
            told = f"{reason}; restart {row.restarts} from the last checkpoint"
            _tell_once_kept(session, logging.WARNING, f"job {job_id}: {told}")
            self._timeline.add(session, row, Message(told))
            return job_of(row)

    def succeed(self, job_id: str, result: Result) -> Job:
        """RUNNING -> SUCCEEDED. Raises UnknownJob, JobStateConflict."""
        with self._session.begin() as session:
            row = find_row_in(session, job_id, {JobState.RUNNING}, "finished")
            row.result = asdict(result)
            self._enter(session, row, JobState.SUCCEEDED)
            return job_of(row)

    def fail(self, job_id: str, reason: str) -> Job:
        """RUNNING -> FAILED. Raises UnknownJob, JobStateConflict."""
        with self._session.begin() as session:
            row = find_row_in(session, job_id, {JobState.RUNNING}, "failed")
            row.error = reason
            self._enter(session, row, JobState.FAILED, reason)
            return job_of(row)

    def cancel(self, job_id: str) -> Job:
        """QUEUED, RUNNING or PAUSED -> CANCELLED. Raises UnknownJob, JobStateConflict."""
        with self._session.begin() as session:
            row = find_row_in(session, job_id, reports.LIVE | {JobState.PAUSED}, "cancelled")
            self._enter(session, row, JobState.CANCELLED, "cancelled by a caller")
            return job_of(row)

    def pause(self, job_id: str) -> Job:
        """QUEUED or RUNNING -> PAUSED. Raises UnknownJob, JobStateConflict."""
        with self._session.begin() as session:
            row = find_row_in(session, job_id, reports.LIVE, "paused")
            self._enter(session, row, JobState.PAUSED, "paused by a caller")
            return job_of(row)

    def put_back(self, job_id: str, reason: str, *, killed: bool = False) -> Job:
        """RUNNING -> QUEUED, at its old place in line; counted as a restart if it was killed.

        Raises UnknownJob, JobStateConflict.
        """
        with self._session.begin() as session:
            row = find_row_in(session, job_id, {JobState.RUNNING}, "put back")
            row.restarts += killed
            self._enter(session, row, JobState.QUEUED, reason)
            return job_of(row)

    # -- inside a transaction ----------------------------------------------------------------------------------------

    def _check_room(self, session: Session) -> None:
        """Raises QueueFull. A paused job takes its room with it: else whoever pauses could have any number of them."""
        waiting, paused = (self._count(session, state) for state in (JobState.QUEUED, JobState.PAUSED))
        if waiting + paused >= self._max_queued:
            raise QueueFull(
                f"{waiting} jobs wait and {paused} are paused already, the limit is {self._max_queued} "
                "(max_queued_jobs): try again when one has started, or cancel one",
                RETRY_SECONDS,
                limit=str(self._max_queued),
            )

    def _count(self, session: Session, state: JobState) -> int:
        return session.scalar(select(func.count()).where(JobRow.state == state)) or 0

    def _new_row(self, session: Session, request: Request, spec: AnyJobSpec) -> JobRow:
        row = JobRow(
            id=uuid.uuid4().hex,
            request_id=request.id or None,
            request_digest=request.digest,
            ticket=next_ticket(session),
            priority=spec.priority,
            spec=spec_to_json(spec),
            progress=asdict(Progress(step=0, steps=spec.settings.steps)),
            restarts=0,
            error="",
            create_time=self._clock(),
            last_sequence=0,
            device="",
        )
        session.add(row)
        return row

    def _enter(self, session: Session, row: JobRow, state: JobState, reason: str = "") -> None:
        row.state = state
        level = logging.ERROR if state is JobState.FAILED else logging.INFO
        _tell_once_kept(session, level, f"job {row.id} is {state}{reason and f': {reason}'}")
        if state in ENDED:
            row.end_time, row.ended = self._clock(), next_end(session)
        self._timeline.add(session, row, StateChange(state, reason))


def _tell_once_kept(session: Session, level: int, message: str) -> None:
    """A line in the log when the transaction is in the database, and none if it never is."""

    def tell(_: Session) -> None:
        _log.log(level, message)

    event.listen(session, "after_commit", tell, once=True)
