"""The events of jobs: each as it happens, and of all of them the newest."""

from collections.abc import Callable, Mapping

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from latentwalk.trainer import reports
from latentwalk.trainer.jobs.records import Event
from latentwalk.trainer.jobs.retention import Retention
from latentwalk.trainer.jobs.tables import EventRow, JobRow
from latentwalk.trainer.reports import Happening, Sample, StateChange


class Timeline:
    """Writes and reads events within transactions of the store."""

    def __init__(self, retention: Retention, clock: Callable[[], float]) -> None:
        self._retention = retention
        self._clock = clock

    def add(self, session: Session, row: JobRow, happening: Happening) -> None:
        """Gives a job its next event, and forgets those that it has too many of."""
        row.last_sequence += 1
        session.flush()  # a new row gets its number
        session.add(
            EventRow(
                job_number=row.number,
                sequence=row.last_sequence,
                time=self._clock(),
                happening=reports.to_json(happening),
            )
        )
        self._prune(session, row, happening)

    def since(self, session: Session, row: JobRow, after: int, size: int) -> list[Event]:
        """At most ``size`` events of a job with a greater sequence number than ``after``, rising."""
        own = select(EventRow).where(EventRow.job_number == row.number, EventRow.sequence > after)
        return [_event(one) for one in session.scalars(own.order_by(EventRow.sequence).limit(size))]

    def _prune(self, session: Session, row: JobRow, newest: Happening) -> None:
        own, kind = EventRow.job_number == row.number, EventRow.happening["kind"].as_string()
        expired = EventRow.sequence <= row.last_sequence - self._retention.events
        session.execute(delete(EventRow).where(own, expired, kind != reports.kind_of(StateChange)))
        bounds: Mapping[type, int] = {Sample: self._retention.samples, StateChange: self._retention.events}
        most = bounds.get(type(newest))
        if most is not None and row.last_sequence > most:
            alike = select(EventRow.sequence).where(own, kind == reports.kind_of(type(newest)))
            surplus = alike.order_by(EventRow.sequence.desc()).offset(most)
            session.execute(delete(EventRow).where(own, EventRow.sequence.in_(session.scalars(surplus).all())))


def _event(row: EventRow) -> Event:
    return Event(row.sequence, row.time, reports.happening_from_json(row.happening))
