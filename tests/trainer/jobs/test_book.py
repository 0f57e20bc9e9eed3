"""The book of jobs: watchers see every event, whenever they come, and are let go at the end."""

import asyncio
import logging
import tracemalloc

import pytest
from sqlalchemy import Engine
from sqlalchemy import event as engine_event
from sqlalchemy.exc import DataError, OperationalError

from latentwalk.rpc import logs
from latentwalk.rpc.errors import NotServing, UnknownJob
from latentwalk.trainer.jobs.book import JobBook
from latentwalk.trainer.jobs.records import Request
from latentwalk.trainer.jobs.retention import Retention
from latentwalk.trainer.jobs.store import JobStore
from latentwalk.trainer.reports import JobState, Message, Progress, Sample


@pytest.fixture
async def book(tmp_path):
    book = JobBook(JobStore(f"sqlite:///{tmp_path}/trainer.db", max_queued=8))
    yield book
    book.close()


@pytest.fixture
async def job(book, make_spec):
    return await book.change(JobStore.create, Request("", ""), make_spec())


async def sequences(book, job, after=0):
    return [event.sequence async for event in book.watch(job.id, after)]


async def live(book, job, events):
    """Runs the job: `events` remarks, one after the other."""
    await book.change(JobStore.take, "cpu")
    for step in range(events):
        await book.change(JobStore.record, job.id, Progress(step, events))
        await asyncio.sleep(0)
    await book.change(JobStore.fail, job.id, "it is over")


async def test_many_watchers_see_every_event_as_it_comes_and_end_with_the_job(book, job):
    watchers = [asyncio.create_task(sequences(book, job, after)) for after in (0, 0, 0, 2, 20)]
    await live(book, job, 20)
    assert await asyncio.gather(*watchers) == [
        *[list(range(1, 24))] * 3,
        list(range(3, 24)),
        list(range(21, 24)),
    ]


async def test_the_log_tells_what_becomes_of_a_job(book, make_spec, caplog):
    with caplog.at_level(logging.INFO, "latentwalk.jobs"):
        job = await book.change(JobStore.create, Request("", ""), make_spec())
        await book.change(JobStore.take, "cpu")
        await book.change(JobStore.restart, job.id, "it was killed")
        await book.change(JobStore.fail, job.id, "it is over")
    assert [(one.levelname, one.getMessage()) for one in caplog.records] == [
        ("INFO", f"job {job.id} is QUEUED"),
        ("INFO", f"job {job.id} is RUNNING: on cpu"),
        ("WARNING", f"job {job.id}: it was killed; restart 1 from the last checkpoint"),
        ("ERROR", f"job {job.id} is FAILED: it is over"),
    ]


async def test_what_is_asked_of_the_store_is_logged_with_the_id_of_the_request(book):
    logs.request_id.set("abc")
    assert await book.read(lambda _: logs.request_id.get()) == "abc"


async def test_a_late_watcher_sees_everything_that_was(book, job):
    await live(book, job, 3)
    assert await sequences(book, job) == [1, 2, 3, 4, 5, 6]
    assert await sequences(book, job, 4) == [5, 6]
    assert await sequences(book, job, 6) == []


async def test_more_events_than_one_look_into_the_store_gives(book, job):
    await live(book, job, 1_100)
    assert await sequences(book, job) == list(range(1, 1_104))


async def test_a_watcher_holds_few_sheets_however_many_are_kept(book, job):
    sheet, sheets = "a" * 100_000, 100
    for step in range(sheets):
        await book.change(JobStore.record, job.id, Sample(step, "sheet", sheet))
    tracemalloc.start()
    watch = book.watch(job.id, 0)
    async for event in watch:
        if isinstance(event.happening, Sample):
            break
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    await watch.aclose()
    assert held < sheets * len(sheet) / 3


async def test_a_watch_does_not_end_where_the_job_ended_once_and_went_on(book, job):
    await book.change(JobStore.cancel, job.id)
    await book.change(JobStore.resume, job.id)
    watcher = asyncio.create_task(sequences(book, job))
    await live(book, job, 0)
    assert await watcher == [1, 2, 3, 4, 5]


async def test_nobody_watches_a_job_that_is_not_there(book, job):
    with pytest.raises(UnknownJob, match=job.id):
        await sequences(book, type("Nobody", (), {"id": "nobody"}))


async def test_a_watcher_of_a_job_that_is_deleted_is_told(book, job):
    await live(book, job, 0)
    await book.change(JobStore.resume, job.id)
    watcher = asyncio.create_task(sequences(book, job))
    await book.read(JobStore.find, job.id)
    await book.change(JobStore.cancel, job.id)
    await watcher
    await book.change(JobStore.delete, job.id)
    with pytest.raises(UnknownJob):
        await sequences(book, job)


async def test_when_the_trainer_shuts_down_watchers_learn_where_to_go_on(book, job):
    seen = []

    async def watch():
        async for event in book.watch(job.id, 0):
            seen.append(event.sequence)

    watcher = asyncio.create_task(watch())
    await book.change(JobStore.record, job.id, Message("one more"))
    book.end_watches()
    with pytest.raises(NotServing, match="after sequence 2"):
        await watcher
    assert seen == [1, 2]


async def test_what_a_job_did_is_written_and_told_once_even_if_the_database_fails_for_a_while(
    book, job, monkeypatch, caplog
):
    monkeypatch.setattr("latentwalk.trainer.jobs.book._RETRY_SECONDS", 0.0)
    failures = iter([True, True, False])

    def fragile(store, job_id, reason):
        if next(failures):
            raise OperationalError("UPDATE", {}, Exception("disk full"))
        return store.put_back(job_id, reason)

    await book.change(JobStore.take, "cpu")
    caplog.set_level(logging.INFO, "latentwalk.jobs")
    caplog.clear()
    assert (await book.insist(fragile, job.id, "why")).state == JobState.QUEUED
    assert [one.getMessage() for one in caplog.records] == [
        "the job database cannot be used, and is tried again and again: disk full",
        f"job {job.id} is QUEUED: why",
        "the job database can be used again",
    ]
    assert not any(one.exc_info for one in caplog.records)


async def test_the_log_tells_nothing_of_what_the_database_has_not_taken(book, job, caplog):
    def refuse(connection):
        raise OperationalError("COMMIT", {}, Exception("disk full"))

    caplog.set_level(logging.INFO, "latentwalk.jobs")
    engine_event.listen(Engine, "commit", refuse)
    try:
        with pytest.raises(OperationalError):
            await book.change(JobStore.cancel, job.id)
    finally:
        engine_event.remove(Engine, "commit", refuse)
    assert not caplog.records
    await book.change(JobStore.cancel, job.id)
    assert [one.getMessage() for one in caplog.records] == [f"job {job.id} is CANCELLED: cancelled by a caller"]


async def test_what_a_database_will_never_take_is_not_tried_again(book, job):
    def never(store, job_id):
        raise DataError("UPDATE", {}, Exception("text cannot contain NUL"))

    with pytest.raises(DataError, match="NUL"):
        await book.insist(never, job.id)


async def test_a_watcher_who_asks_for_events_that_are_gone_begins_with_the_oldest_that_is_kept(tmp_path, make_spec):
    book = JobBook(JobStore(f"sqlite:///{tmp_path}/short.db", max_queued=8, retention=Retention(events=3)))
    job = await book.change(JobStore.create, Request("", ""), make_spec())
    await live(book, job, 6)
    assert await sequences(book, job) == [1, 2, 7, 8, 9]
    assert await sequences(book, job, 4) == [7, 8, 9]
    book.close()
