"""The job store: states, the queue, and events without gaps; on SQLite and, where there is one, on PostgreSQL."""

import cProfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from latentwalk.rpc.errors import JobStateConflict, QueueFull, RequestIdReused, ServiceError, UnknownJob
from latentwalk.trainer.jobs.claims import claimed
from latentwalk.trainer.jobs.database import open_database
from latentwalk.trainer.jobs.folders import InUse
from latentwalk.trainer.jobs.records import Request
from latentwalk.trainer.jobs.store import JobStore
from latentwalk.trainer.jobs.tables import EventRow, JobRow
from latentwalk.trainer.reports import (
    JobState,
    Message,
    Progress,
    Published,
    Result,
    SliderEvaluation,
    StateChange,
)

NO_REQUEST = Request("", "")
RESULT = Result(
    (Published("directions", "bright", 3, loaded=True),),
    "sha256:ab",
    (SliderEvaluation("brightness", 0.1, 0.4),),
    {"gain": 0.75},
)


@pytest.fixture
def store(database_url):
    store = JobStore(database_url, max_queued=8)
    yield store
    store.close()


@pytest.fixture
def create(store, make_spec):
    return lambda request=NO_REQUEST, priority=0: store.create(request, replace(make_spec(), priority=priority))


def happenings(store, job):
    return [event.happening for event in store.events(job.id, 0, 1_000)[1]]


def test_a_new_job_waits_with_everything_that_was_asked_for(store, create, make_spec):
    job = store.find(create().id)
    assert (job.state, job.spec, job.progress) == (JobState.QUEUED, make_spec(), Progress(0, 40))
    assert (job.start_time, job.end_time, job.error, job.result, job.last_sequence) == (None, None, "", None, 1)
    assert happenings(store, job) == [StateChange(JobState.QUEUED)]


def test_a_job_knows_the_device_of_its_newest_run(store, create):
    job = create()
    assert job.device == ""
    store.take("cuda:1")
    store.put_back(job.id, "the trainer stops")
    assert store.find(job.id).device == "cuda:1"
    assert store.take("cuda:0").device == "cuda:0"


def test_the_database_of_an_older_trainer_gets_what_it_lacks(store, create, database_url):
    job = create()
    with open_database(database_url).begin() as connection:
        connection.execute(text("ALTER TABLE jobs DROP COLUMN device"))
    renewed = JobStore(database_url, max_queued=8)
    assert renewed.find(job.id) == job
    renewed.close()


def test_what_a_newer_trainer_has_kept_beyond_what_there_is_here_is_left_alone(store, create, database_url):
    ended, waiting = create(), create()
    store.take("cpu")
    store.record(ended.id, Progress(7, 40))
    ended = store.succeed(ended.id, RESULT)
    events = store.events(ended.id, 0, 1_000)
    with Session(open_database(database_url)) as session, session.begin():
        for row in session.scalars(select(JobRow)):
            row.progress = {**row.progress, "later": 1}
            row.result = row.result and {
                **row.result,
                "later": {},
                "artifacts": [{**one, "later": ""} for one in row.result["artifacts"]],
                "evaluations": [{**one, "later": ""} for one in row.result["evaluations"]],
            }
        for event in session.scalars(select(EventRow)):
            event.happening = {**event.happening, "later": []}
    assert store.find(ended.id) == ended
    assert store.events(ended.id, 0, 1_000) == events
    assert store.take("cpu").id == waiting.id


def test_trainers_that_open_the_database_of_an_older_one_at_once_all_get_it(store, create, database_url):
    job = create()
    for _ in range(5):
        with open_database(database_url).begin() as connection:
            connection.execute(text("ALTER TABLE jobs DROP COLUMN device"))
        with ThreadPoolExecutor(4) as threads:
            renewed = list(threads.map(lambda _: JobStore(database_url, max_queued=8), range(4)))
        assert [one.find(job.id) for one in renewed] == [job] * 4
        for one in renewed:
            one.close()


def test_trainers_that_begin_a_new_database_at_once_all_get_it(database_url, make_spec):
    with ThreadPoolExecutor(4) as threads:
        stores = list(threads.map(lambda _: JobStore(database_url, max_queued=8), range(4)))
    job = stores[0].create(NO_REQUEST, make_spec())
    for one in stores:
        assert one.find(job.id) == job
        one.close()


def test_a_database_is_one_trainers_until_that_leaves(database_url):
    for _ in range(2):
        with claimed(database_url), pytest.raises(InUse, match="is in use by another trainer"), claimed(database_url):
            pytest.fail("there are two")


def test_jobs_are_taken_in_the_order_in_which_they_came(store, create):
    created = [create().id for _ in range(3)]
    assert [store.take("cpu").id for _ in range(3)] == created
    assert store.take("cpu") is None


def test_a_job_that_was_taken_and_is_not_attended_is_taken_again(store, create):
    first, second = create(), create()
    assert store.take("cpu", []).id == first.id
    assert store.take("cpu", []).id == first.id
    assert store.take("cpu", [first.id]).id == second.id
    assert store.take("cpu", [first.id, second.id]) is None


def test_a_higher_priority_goes_first_and_a_paused_job_keeps_its_place(store, create):
    low, first, second, high = create(priority=-1), create(), create(), create(priority=5)
    store.pause(first.id)
    assert store.take("cpu").id == high.id
    store.resume(first.id)
    assert [store.take("cpu").id for _ in range(3)] == [first.id, second.id, low.id]


def test_a_job_tells_what_became_of_it(store, create):
    job = create()
    store.take("cpu")
    store.record(job.id, Progress(5, 40, 0.25, 1.5, 10.5))
    store.record(job.id, Message("hello"))
    done = store.succeed(job.id, RESULT)
    assert done == store.find(job.id)
    assert (done.state, done.progress, done.result) == (JobState.SUCCEEDED, Progress(5, 40, 0.25, 1.5, 10.5), RESULT)
    assert done.create_time <= done.start_time <= done.end_time
    assert happenings(store, job) == [
        StateChange(JobState.QUEUED),
        StateChange(JobState.RUNNING, "on cpu"),
        Progress(5, 40, 0.25, 1.5, 10.5),
        Message("hello"),
        StateChange(JobState.SUCCEEDED),
    ]


def test_a_failed_job_keeps_its_reason_until_it_is_resumed(store, create):
    job = create()
    store.take("cpu")
    store.restart(job.id, "killed")
    failed = store.fail(job.id, "the loss is nan")
    assert (failed.error, failed.restarts) == ("the loss is nan", 1)
    resumed = store.resume(job.id)
    assert (resumed.state, resumed.error, resumed.restarts, resumed.end_time) == (JobState.QUEUED, "", 0, None)


def test_a_resumed_job_goes_last_and_one_that_was_put_back_goes_first(store, create):
    first, second, third = create(), create(), create()
    store.cancel(first.id)
    store.resume(first.id)
    assert store.take("cpu").id == second.id
    store.put_back(second.id, "the trainer shuts down")
    assert [store.take("cpu").id for _ in range(3)] == [second.id, third.id, first.id]


@pytest.mark.parametrize(
    ("change", "allowed"),
    [
        (JobStore.cancel, {"QUEUED", "RUNNING", "PAUSED"}),
        (JobStore.pause, {"QUEUED", "RUNNING"}),
        (JobStore.resume, {"FAILED", "CANCELLED", "PAUSED"}),
        (JobStore.delete, {"SUCCEEDED", "FAILED", "CANCELLED"}),
    ],
)
def test_a_change_that_does_not_fit_the_state_is_refused_with_the_states_that_do(store, create, change, allowed):
    jobs = {state: create() for state in JobState}
    into_its_state = {
        JobState.RUNNING: lambda job: None,
        JobState.SUCCEEDED: lambda job: store.succeed(job.id, RESULT),
        JobState.FAILED: lambda job: store.fail(job.id, "why"),
        JobState.CANCELLED: lambda job: store.cancel(job.id),
        JobState.PAUSED: lambda job: store.pause(job.id),
    }
    while (taken := store.take("cpu")) is not None:
        for state, job in jobs.items():
            if job.id == taken.id and state in into_its_state:
                into_its_state[state](job)
    store.put_back(jobs[JobState.QUEUED].id, "again")
    for state, job in jobs.items():
        assert store.find(job.id).state == state
        if state in allowed:
            change(store, job.id)
        else:
            with pytest.raises(JobStateConflict, match=rf"is {state}; .* when it is {' or '.join(sorted(allowed))}"):
                change(store, job.id)


def test_what_can_be_no_id_is_the_id_of_no_job(store):
    for nonsense in ("a\0b", "", "a b"):
        with pytest.raises(UnknownJob):
            store.find(nonsense)


def test_an_unknown_job_is_answered_with_those_that_there_are(store, create):
    job = create()
    for method in (JobStore.find, JobStore.cancel, JobStore.resume, JobStore.delete):
        with pytest.raises(UnknownJob, match=job.id):
            method(store, "nobody")


def test_a_full_queue_is_refused_at_once_and_running_jobs_do_not_fill_it(store, create):
    create()
    store.take("cpu")
    for _ in range(8):
        last = create()
    with pytest.raises(QueueFull, match="8 jobs wait and 0 are paused already, the limit is 8") as refusal:
        create()
    assert refusal.value.retry_after_seconds > 0
    store.cancel(last.id)
    create(Request("r", "digest"))
    with pytest.raises(QueueFull):
        store.resume(last.id)
    assert create(Request("r", "digest")).state == JobState.QUEUED


def test_a_paused_job_keeps_its_room_so_that_nobody_has_more_jobs_than_fit(store, create):
    paused = [create() for _ in range(5)]
    for job in paused:
        store.pause(job.id)
    for _ in range(3):
        create()
    with pytest.raises(QueueFull, match="3 jobs wait and 5 are paused already, the limit is 8"):
        create()
    assert store.resume(paused[0].id).state == JobState.QUEUED
    store.cancel(paused[1].id)
    create()
    with pytest.raises(QueueFull, match="5 jobs wait and 3 are paused already"):
        store.resume(paused[1].id)


def test_a_request_makes_one_job_however_often_it_is_sent(store, create):
    first = create(Request("r", "digest"))
    assert create(Request("r", "digest")) == first
    assert store.requested(Request("r", "digest")) == first
    assert store.counts()[JobState.QUEUED] == 1


def test_a_request_id_cannot_be_used_for_another_spec(store, create):
    first = create(Request("r", "digest"))
    with pytest.raises(RequestIdReused, match=first.id):
        create(Request("r", "another"))
    with pytest.raises(RequestIdReused, match=first.id):
        store.requested(Request("r", "another"))


def test_trainers_that_share_a_database_agree_on_the_job_of_a_request(database_url, make_spec):
    stores = [JobStore(database_url, max_queued=8) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        jobs = list(threads.map(lambda store: store.create(Request("r", "digest"), make_spec()), stores))
    assert len({job.id for job in jobs}) == 1
    for store in stores:
        store.close()


def test_pages_go_back_in_time_without_repeating_or_losing_a_job(store, create):
    created = [create().id for _ in range(7)]
    store.cancel(created[3])
    pages, before = [], None
    while page := store.page((), before, 3):
        pages.append([job.id for job in page])
        before = page[-1].number
    assert pages == [created[:3:-1], created[3:0:-1], created[:1]]
    assert [job.id for job in store.page({JobState.CANCELLED}, None, 10)] == [created[3]]


def test_what_reads_the_specs_of_a_method_is_made_once(store, create):
    for _ in range(3):
        create()
    profile = cProfile.Profile()
    profile.runcall(store.page, (), None, 3)
    profile.create_stats()
    made = [calls for (file, _, name), calls in profile.stats.items() if "pydantic" in file and name == "__init__"]
    assert made == []


def test_a_number_never_comes_back(store, create):
    job = create()
    store.cancel(job.id)
    store.delete(job.id)
    assert create().number > job.number
    with pytest.raises(UnknownJob):
        store.events(job.id, 0, 10)


def test_a_database_has_another_name_in_another_folder(tmp_path, monkeypatch):
    names = []
    for place in ("here", "there"):
        (tmp_path / place).mkdir()
        monkeypatch.chdir(tmp_path / place)
        names.append(JobStore("sqlite:///trainer.db", max_queued=8).name)
    assert names == [f"sqlite:///{tmp_path}/{place}/trainer.db" for place in ("here", "there")]


def test_what_was_stored_is_there_for_the_next_trainer(database_url, make_spec):
    before = JobStore(database_url, max_queued=8)
    job = before.create(NO_REQUEST, make_spec())
    before.close()
    after = JobStore(database_url, max_queued=8)
    assert after.find(job.id) == job
    after.close()


def test_no_event_comes_after_the_greatest_number_that_a_caller_can_send(store, create):
    job = create()
    assert store.events(job.id, 2**64 - 1, 10) == (job, [])


OPERATIONS = {
    "take": lambda store, job: store.take("cpu"),
    "progress": lambda store, job: store.record(job.id, Progress(1, 2)),
    "restart": lambda store, job: store.restart(job.id, "killed"),
    "fail": lambda store, job: store.fail(job.id, "why"),
    "succeed": lambda store, job: store.succeed(job.id, RESULT),
    "cancel": lambda store, job: store.cancel(job.id),
    "pause": lambda store, job: store.pause(job.id),
    "resume": lambda store, job: store.resume(job.id),
    "put_back": lambda store, job: store.put_back(job.id, "why"),
}


@given(operations=st.lists(st.sampled_from(sorted(OPERATIONS)), max_size=12))
@settings(max_examples=25)
def test_events_have_no_gaps_and_the_last_state_change_is_the_state(database_url, make_spec, operations):
    store = JobStore(database_url, max_queued=100)
    while store.take("cpu"):
        pass
    job = store.create(NO_REQUEST, make_spec())
    for name in operations:
        try:
            OPERATIONS[name](store, job)
        except ServiceError:
            continue
    job, events = store.events(job.id, 0, 1_000)
    store.close()
    assert [event.sequence for event in events] == list(range(1, job.last_sequence + 1))
    assert [e.happening.state for e in events if isinstance(e.happening, StateChange)][-1] == job.state
