"""The tables of the job store."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Double, ForeignKey, Integer, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

# SQLite counts by itself in INTEGER columns only.
_Counter = BigInteger().with_variant(Integer, "sqlite")


class Table(DeclarativeBase):
    """The root of the tables."""


class JobRow(Table):
    """One job; see records.Job."""

    __tablename__ = "jobs"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - a number never comes back

    number: Mapped[int] = mapped_column(_Counter, primary_key=True)
    id: Mapped[str] = mapped_column(String(32), unique=True)
    request_id: Mapped[str | None] = mapped_column(String(128), unique=True)
    request_digest: Mapped[str] = mapped_column(String(64))
    ticket: Mapped[int] = mapped_column(BigInteger, index=True)
    """Its place among those of its priority: the lowest goes first."""
    priority: Mapped[int] = mapped_column(default=0)
    """The highest goes first."""
    spec: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(16), index=True)
    progress: Mapped[dict[str, Any]] = mapped_column(JSON)
    error: Mapped[str] = mapped_column(default="")
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    restarts: Mapped[int] = mapped_column(default=0)
    create_time: Mapped[float] = mapped_column(Double)
    start_time: Mapped[float | None] = mapped_column(Double)
    end_time: Mapped[float | None] = mapped_column(Double)
    ended: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    """Its place among those that have ended, in the order in which they did, whatever the clock said; 0 before."""
    last_sequence: Mapped[int] = mapped_column(BigInteger, default=0)
    device: Mapped[str] = mapped_column(String(32), default="", server_default="")


class EventRow(Table):
    """One event of a job; see records.Event."""

    __tablename__ = "job_events"

    job_number: Mapped[int] = mapped_column(ForeignKey(JobRow.number, ondelete="CASCADE"), primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    time: Mapped[float] = mapped_column(Double)
    happening: Mapped[dict[str, Any]] = mapped_column(JSON)
