"""How the database of the job store is opened."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateColumn

from latentwalk.trainer.jobs.tables import Table

# By dialect: what lets one transaction at a time pass.
_TURN = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "SELECT pg_advisory_xact_lock(hashtext('latentwalk'))"}
# How soon a PostgreSQL is given up whose machine is gone, unless the URL says otherwise. While something sent is not
# confirmed to have come, Linux keeps nothing alive, and would send it again for a quarter of an hour:
# tcp_user_timeout, in ms.
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


def open_database(url: str, claim: Claim | None = None) -> Engine:
    """Connects to a SQLite file ("sqlite:///data/trainer.db") or to PostgreSQL ("postgresql://user@host/name").

    Makes the tables, and the file with its folder, where they are missing. Each use of a connection makes sure of the
    claim first, which has a connection of its own, and may have lost that alone. Raises DatabaseUnusable.
    """
    with explained():
        address = address_of(url)
        engine = create_engine(address, pool_pre_ping=True, connect_args=patience_with(address))
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _harden_sqlite)
        if claim:
            event.listen(engine, "checkout", lambda *_: claim())
        _make_tables(engine)
    return engine


def described(address: URL) -> str:
    """The database in messages, without a password."""
    return f"job database {address.render_as_string(hide_password=True)}"


def address_of(url: str) -> URL:
    """The URL with its driver and, of a file, the whole path, whose folder is made. Raises SQLAlchemyError, OSError."""
    address = make_url(url)
    if address.drivername in ("postgresql", "postgres"):
        address = address.set(drivername="postgresql+psycopg")
    if address.get_backend_name() == "sqlite" and (name := address.database) and name != ":memory:":
        # Whole, since what the database does not know is removed by its name: from elsewhere, it would be another.
        path = Path(name).resolve()
        path.parent.mkdir(parents=True, exist_ok=True)
        address = address.set(database=str(path))
    return address


def patience_with(address: URL) -> dict[str, int]:
    """The arguments of a connection by which a database that is gone is given up."""
    if address.get_backend_name() != "postgresql":
        return {}
    return {name: value for name, value in _PATIENCE.items() if name not in address.query}


@contextmanager
def explained() -> Generator[None]:
    """Within the context, whatever a database cannot be opened for is DatabaseUnusable."""
    try:
        yield
    except (SQLAlchemyError, OSError, ImportError) as error:
        reason = str(error).partition("\n")[0]
        raise DatabaseUnusable(
            f"the job database cannot be opened: {reason}; give sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
        ) from error


def reason_of(error: SQLAlchemyError) -> str:
    """What the driver has said, in its first line: not what was asked of it, with all values."""
    return str(getattr(error, "orig", None) or error).partition("\n")[0]


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
            definition = CreateColumn(column).compile(connection)
            connection.execute(text(f"ALTER TABLE {table.name} ADD COLUMN {definition}"))


def _harden_sqlite(connection: Any, _record: object) -> None:
    # WAL: readers and the writer do not block one another. FULL: what was answered to a caller survives a power cut.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
