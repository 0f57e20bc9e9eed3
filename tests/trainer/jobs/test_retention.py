"""What is kept of jobs: the newest, on SQLite and, where there is one, on PostgreSQL."""

import pytest

from latentwalk.rpc.errors import UnknownJob
from latentwalk.trainer.jobs.records import Request
from latentwalk.trainer.jobs.retention import Retention
from latentwalk.trainer.jobs.store import JobStore
from latentwalk.trainer.reports import JobState, Message, Progress, Sample, StateChange

NO_REQUEST = Request("", "")


@pytest.fixture
def forgetful(database_url):
    store = JobStore(database_url, max_queued=8, retention=Retention(events=5, samples=2, ended_jobs=2))
    yield store
    store.close()


def test_the_newest_events_of_a_job_are_kept_and_every_change_of_its_state(forgetful, make_spec):
    job = forgetful.create(NO_REQUEST, make_spec())
    other = forgetful.create(NO_REQUEST, make_spec())
    forgetful.take("cpu")
    for step in range(10):
        forgetful.record(job.id, Progress(step, 10))
    job, events = forgetful.events(job.id, 0, 100)
    assert [event.sequence for event in events] == [1, 2, 8, 9, 10, 11, 12]
    assert [type(event.happening) for event in events] == [StateChange] * 2 + [Progress] * 5
    assert job.last_sequence == 12
    assert len(forgetful.events(other.id, 0, 100)[1]) == 1


def test_of_changes_of_state_too_only_the_newest_are_kept(forgetful, make_spec):
    job = forgetful.create(NO_REQUEST, make_spec())
    forgetful.record(job.id, Message("at first"))
    for _ in range(6):
        forgetful.pause(job.id)
        forgetful.resume(job.id)
    job, events = forgetful.events(job.id, 0, 100)
    assert [event.sequence for event in events] == list(range(10, 15))
    assert events[-1].happening.state == job.state == JobState.QUEUED


def test_of_samples_fewer_are_kept_than_of_other_events(forgetful, make_spec):
    job = forgetful.create(NO_REQUEST, make_spec())
    for step in range(4):
        forgetful.record(job.id, Sample(step, "a sheet", "aGk="))
    assert [event.happening for event in forgetful.events(job.id, 1, 100)[1]] == [
        Sample(2, "a sheet", "aGk="),
        Sample(3, "a sheet", "aGk="),
    ]


def test_jobs_that_ended_first_are_forgotten_first_and_those_that_live_never(forgetful, make_spec):
    created = [forgetful.create(NO_REQUEST, make_spec()).id for _ in range(5)]
    for number in (3, 0, 2, 1):
        forgetful.cancel(created[number])
    assert set(forgetful.prune()) == {created[3], created[0]}
    assert forgetful.prune() == []
    assert [job.id for job in forgetful.page((), None, 10)] == [created[4], created[2], created[1]]
    with pytest.raises(UnknownJob):
        forgetful.events(created[0], 0, 10)


def test_a_job_that_has_just_ended_is_kept_though_the_clock_went_back(database_url, make_spec):
    times = iter(range(1_000, 0, -1))
    store = JobStore(database_url, max_queued=8, retention=Retention(ended_jobs=1), clock=lambda: float(next(times)))
    first, last = (store.create(NO_REQUEST, make_spec()).id for _ in range(2))
    assert store.cancel(first).end_time > store.cancel(last).end_time
    assert store.prune() == [first]
    store.close()
