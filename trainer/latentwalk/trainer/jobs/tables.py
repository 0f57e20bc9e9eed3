"""The tables of the job store, and how their database is opened."""

import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy import (
    JSON,
    URL,
    BigInteger,
    Connection,
    Double,
    Engine,
    ForeignKey,
    Integer,
    String,
    create_engine,
    event,
    inspect,
    make_url,
    text,
)
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import CreateColumn

from latentwalk.trainer.jobs.folders import InUse, lock_file

# SQLite counts by itself in INTEGER columns only.
_Counter = BigInteger().with_variant(Integer, "sqlite")

# By dialect: what lets one transaction at a time pass.
_TURN = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "SELECT pg_advisory_xact_lock(hashtext('latentwalk'))"}


# One trainer for each schema; and so that a machine that is gone does not keep it from the next one for hours:
_CLAIM = "SELECT pg_try_advisory_lock(hashtext('latentwalk trainer ' || coalesce(current_schema(), '')))"
_KEEPALIVE = ("tcp_keepalives_idle = 30", "tcp_keepalives_interval = 10", "tcp_keepalives_count = 3")
# The same for a PostgreSQL whose machine is gone, unless the URL says otherwise. While something sent is not confirmed
# to have come, Linux keeps nothing alive, and would send it again for a quarter of an hour: tcp_user_timeout, in ms.
_PATIENCE = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}

Claim: TypeAlias = Callable[[], None]
"""Makes sure that the database is still this trainer's own. Raises OperationalError where it is not."""


class DatabaseUnusable(Exception):
    """The job database cannot be opened. The message does not hold its URL, which may hold a password."""


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


def open_database(url: str, claim: Claim | None = None) -> Engine:
    """Connects to a SQLite file ("sqlite:///data/trainer.db") or to PostgreSQL ("postgresql://user@host/name").

    Makes the tables, and the file with its folder, where they are missing. Each new connection makes sure of the claim:
    where the ones before were lost, that may be, too. Raises DatabaseUnusable.
    """
    with _explained():
        address = _address(url)
        engine = create_engine(address, pool_pre_ping=True, connect_args=_patience(address))
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _harden_sqlite)
        if claim:
            event.listen(engine, "connect", partial(_make_sure, claim))
        _make_tables(engine)
    return engine


@contextmanager
def claimed(url: str) -> Generator[Claim]:
    """Keeps other trainers from the database, each of which would begin the jobs of the other a second time.

    SQLite: by a locked file beside it. PostgreSQL: by a lock that lasts as long as its connection; what is yielded
    takes it again where that is lost. Raises DatabaseUnusable; InUse if another trainer works with it.
    """
    with ExitStack() as stack:
        with _explained():
            address = _address(url)
            claim: Claim = _claim_nothing
            if address.get_backend_name() == "postgresql":
                hold = _PostgresHold(address)
                stack.callback(hold.close)
                hold.take()
                claim = hold.renew
            elif address.database and address.database != ":memory:":
                stack.enter_context(lock_file(Path(f"{address.database}.lock"), _described(address), wait=False))
        yield claim


def _claim_nothing() -> None:
    """A locked file is not lost while the trainer lives."""


class _PostgresHold:
    """A lock in PostgreSQL, and its connection."""

    def __init__(self, address: URL) -> None:
        self._described = _described(address)
        self._engine = create_engine(
            address, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=_patience(address)
        )
        self._connection: Connection | None = None
        self._turn = threading.Lock()

    def take(self) -> None:
        """Raises InUse, SQLAlchemyError."""
        with ExitStack() as stack:
            connection = stack.enter_context(self._engine.connect())
            for setting in _KEEPALIVE:
                connection.execute(text(f"SET {setting}"))
            if not connection.scalar(text(_CLAIM)):
                raise InUse(f"{self._described} is in use by another trainer: give each its own")
            stack.pop_all()
            self._connection = connection

    def renew(self) -> None:
        """As Claim."""
        with self._turn:
            if self._connection and not self._answers(self._connection):
                self._connection = None
            if not self._connection:
                try:
                    self.take()
                except InUse as error:
                    raise OperationalError(_CLAIM, None, error) from error

    def close(self) -> None:
        """Lets others have it."""
        if self._connection:
            self._connection.close()

    @staticmethod
    def _answers(connection: Connection) -> bool:
        try:
            connection.execute(text("SELECT 1"))
        except SQLAlchemyError:
            connection.invalidate()
            connection.close()
            return False
        return True


def _described(address: URL) -> str:
    return f"job database {address.render_as_string(hide_password=True)}"


def _address(url: str) -> URL:
    address = make_url(url)
    if address.drivername in ("postgresql", "postgres"):
        address = address.set(drivername="postgresql+psycopg")
    if address.get_backend_name() == "sqlite" and (name := address.database) and name != ":memory:":
        # Whole, since what the database does not know is removed by its name: from elsewhere, it would be another.
        path = Path(name).resolve()
        path.parent.mkdir(parents=True, exist_ok=True)
        address = address.set(database=str(path))
    return address


def _patience(address: URL) -> dict[str, int]:
    if address.get_backend_name() != "postgresql":
        return {}
    return {name: value for name, value in _PATIENCE.items() if name not in address.query}


@contextmanager
def _explained() -> Generator[None]:
    try:
        yield
    except (SQLAlchemyError, OSError, ImportError) as error:
        reason = str(error).partition("\n")[0]
        raise DatabaseUnusable(
            f"the job database cannot be opened: {reason}; give sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
        ) from error


def _make_tables(engine: Engine) -> None:
    """Makes what is missing, one trainer at a time: others that open the same database wait."""
    with engine.begin() as connection:
        connection.execute(text(_TURN[engine.dialect.name]))
        Table.metadata.create_all(connection)
        _add_new_columns(connection)


def _add_new_columns(connection: Connection) -> None:
    """Gives the tables of an older trainer the columns that they lack; each has a default in the database."""
    for table in Table.metadata.sorted_tables:
        known = {column["name"] for column in inspect(connection).get_columns(table.name)}
        for column in (column for column in table.columns if column.name not in known):
            described = CreateColumn(column).compile(connection)
            connection.execute(text(f"ALTER TABLE {table.name} ADD COLUMN {described}"))


def _make_sure(claim: Claim, connection: Any, _record: object) -> None:
    try:
        claim()
    except BaseException:
        connection.close()  # which nobody has yet
        raise


def _harden_sqlite(connection: Any, _record: object) -> None:
    # WAL: readers and the writer do not block one another. FULL: what was answered to a caller survives a power cut.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
