"""The rows of jobs: found, read, and forgotten, within transactions of the store."""

from collections.abc import Collection

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from latentwalk.rpc.errors import JobStateConflict, UnknownJob
from latentwalk.trainer import reports
from latentwalk.trainer.jobs.records import Job
from latentwalk.trainer.jobs.tables import EventRow, JobRow
from latentwalk.trainer.reports import JobState
from latentwalk.trainer.specs import spec_from_row

_NAMED_JOBS = 16


def find_row(session: Session, job_id: str, *, lock: bool = False) -> JobRow:
    """The job of this id, with ``lock`` for this transaction alone. Raises UnknownJob."""
    query = select(JobRow).where(JobRow.id == job_id)
    # Not every database takes any text: PostgreSQL refuses to look for a NUL.
    row = session.scalar(query.with_for_update() if lock else query) if job_id.isalnum() else None
    if row is None:
        newest = select(JobRow.id).order_by(JobRow.number.desc()).limit(_NAMED_JOBS)
        raise UnknownJob(job_id, session.scalars(newest).all())
    return row


def find_row_in(session: Session, job_id: str, states: Collection[JobState], done: str) -> JobRow:
    """The job of this id, locked, if it is in a state in which that can be ``done``.

    Raises UnknownJob, JobStateConflict.
    """
    row = find_row(session, job_id, lock=True)
    if row.state not in states:
        wanted = " or ".join(sorted(states))
        raise JobStateConflict(
            f"job {job_id} is {row.state}; it can only be {done} when it is {wanted}", job=job_id, state=row.state
        )
    return row


def job_of(row: JobRow) -> Job:
    """The job of a row; of a spec that cannot be read, with settings that are Unreadable."""
    return Job(
        id=row.id,
        number=row.number,
        spec=spec_from_row(row.spec),
        state=JobState(row.state),
        progress=reports.progress_from_fields(row.progress),
        error=row.error,
        result=reports.result_from_fields(row.result) if row.result else None,
        restarts=row.restarts,
        create_time=row.create_time,
        start_time=row.start_time,
        end_time=row.end_time,
        last_sequence=row.last_sequence,
        device=row.device,
    )


def next_ticket(session: Session) -> int:
    """The place behind all that are in line."""
    return (session.scalar(select(func.max(JobRow.ticket))) or 0) + 1


def next_end(session: Session) -> int:
    """The place behind all that have ended."""
    return (session.scalar(select(func.max(JobRow.ended))) or 0) + 1


def forget(session: Session, row: JobRow) -> None:
    """Removes a job and its events."""
    session.execute(delete(EventRow).where(EventRow.job_number == row.number))
    session.delete(row)
