"""Whose a database is: one trainer's, until that leaves, whatever becomes of its connections."""

import re

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import OperationalError

from latentwalk.trainer.jobs.claims import claimed
from latentwalk.trainer.jobs.database import open_database
from latentwalk.trainer.jobs.folders import InUse
from latentwalk.trainer.jobs.store import JobStore
from latentwalk.trainer.reports import JobState

NOTHING = dict.fromkeys(JobState, 0)


@pytest.fixture
def postgres_url(database_url):
    """A PostgreSQL schema, with connections that are called as it is."""
    if not database_url.startswith("postgresql"):
        pytest.skip("only PostgreSQL loses connections")
    return f"{database_url}&application_name={schema_of(database_url)}"


def schema_of(url):
    return re.search(r"search_path%3D(\w+)", url)[1]


def cut(url, which="TRUE"):
    """Ends connections to the database that are called as its schema, by default all of them, as a restart does."""
    other = make_url(url).difference_update_query(["application_name"])
    engine = open_database(other.render_as_string(hide_password=False))
    with engine.connect() as connection:
        ended = "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity WHERE application_name = :name"
        assert connection.scalar(text(f"{ended} AND {which}"), {"name": schema_of(url)})
    engine.dispose()


def test_a_trainer_keeps_its_database_when_all_connections_are_cut(postgres_url):
    with claimed(postgres_url) as claim:
        store = JobStore(postgres_url, max_queued=1, claim=claim)
        cut(postgres_url)
        assert store.counts() == NOTHING
        with pytest.raises(InUse, match="in use by another trainer"), claimed(postgres_url):
            pass
        store.close()
    with claimed(postgres_url):
        pass


def test_a_trainer_whose_database_another_one_has_taken_leaves_it_alone_until_that_has_left(postgres_url):
    with claimed(postgres_url) as claim:
        store = JobStore(postgres_url, max_queued=1, claim=claim)
        cut(postgres_url)
        with claimed(postgres_url):
            for _ in range(2):
                with pytest.raises(OperationalError, match="in use by another trainer"):
                    store.counts()
        assert store.counts() == NOTHING
        store.close()


def test_a_trainer_that_has_lost_its_claim_alone_leaves_its_database_to_another_one(postgres_url):
    with claimed(postgres_url) as claim:
        store = JobStore(postgres_url, max_queued=1, claim=claim)
        cut(postgres_url, "pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')")
        with claimed(postgres_url), pytest.raises(OperationalError, match="in use by another trainer"):
            store.counts()
        assert store.counts() == NOTHING
        with pytest.raises(InUse, match="in use by another trainer"), claimed(postgres_url):
            pass
        store.close()


def test_a_machine_that_is_gone_is_given_up_unless_the_url_says_otherwise(postgres_url):
    patience = {}
    for url in (postgres_url, f"{postgres_url}&keepalives_idle=77"):
        engine = open_database(url)
        with engine.connect() as connection:
            patience[url] = connection.connection.dbapi_connection.info.get_parameters()
        engine.dispose()
    assert [one["keepalives_idle"] for one in patience.values()] == ["30", "77"]
    assert [one["connect_timeout"] for one in patience.values()] == ["10", "10"]
    assert [one["tcp_user_timeout"] for one in patience.values()] == ["60000", "60000"]
