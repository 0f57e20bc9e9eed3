"""A trainer's claim to its database: no other may work with it, and begin its jobs a second time."""

import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, create_engine, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from latentwalk.trainer.jobs.database import Claim, address_of, described, explained, patience_with
from latentwalk.trainer.jobs.folders import InUse, lock_file

# One trainer for each schema.
_CLAIM = "SELECT pg_try_advisory_lock(hashtext('latentwalk trainer ' || coalesce(current_schema(), '')))"
# A machine that is gone does not keep it from the next trainer for hours.
_KEEPALIVE = ("tcp_keepalives_idle = 30", "tcp_keepalives_interval = 10", "tcp_keepalives_count = 3")


@contextmanager
def claimed(url: str) -> Generator[Claim]:
    """Keeps other trainers from the database, each of which would begin the jobs of the other a second time.

    SQLite: by a locked file beside it. PostgreSQL: by a lock that lasts as long as its connection; what is yielded
    takes it again where that is lost. Raises DatabaseUnusable; InUse if another trainer works with it.
    """
    with ExitStack() as stack:
        with explained():
            address = address_of(url)
            claim: Claim = _claim_nothing
            if address.get_backend_name() == "postgresql":
                hold = _PostgresHold(address)
                stack.callback(hold.close)
                hold.take()
                claim = hold.renew
            elif address.database and address.database != ":memory:":
                stack.enter_context(lock_file(Path(f"{address.database}.lock"), described(address), wait=False))
        yield claim


def _claim_nothing() -> None:
    """A locked file is not lost while the trainer lives."""


class _PostgresHold:
    """A lock in PostgreSQL, and its connection."""

    def __init__(self, address: URL) -> None:
        self._described = described(address)
        self._engine = create_engine(
            address, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=patience_with(address)
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
