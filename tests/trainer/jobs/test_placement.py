"""On which devices jobs may run, and on which of them one does."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from latentwalk.trainer.devices import NoSuchDevice, devices_for_jobs
from latentwalk.trainer.jobs.book import JobBook
from latentwalk.trainer.jobs.dispatcher import Dispatcher
from latentwalk.trainer.jobs.folders import LOG
from latentwalk.trainer.jobs.placement import freest
from latentwalk.trainer.jobs.process import Launcher
from latentwalk.trainer.jobs.records import Request
from latentwalk.trainer.jobs.store import JobStore
from latentwalk.trainer.materials import Sources
from latentwalk.trainer.metrics import Metrics
from latentwalk.trainer.reports import JobState, Progress, StateChange
from latentwalk.trainer.sharing import Unshareable, check_devices


def has(monkeypatch, count):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)


def test_by_itself_a_trainer_takes_all_of_cuda_or_else_the_cpu(monkeypatch):
    has(monkeypatch, 2)
    assert devices_for_jobs("auto") == ("cuda:0", "cuda:1")
    has(monkeypatch, 0)
    assert devices_for_jobs("auto") == ("cpu",)


def test_devices_are_named_one_by_one(monkeypatch):
    has(monkeypatch, 3)
    assert devices_for_jobs("cpu") == ("cpu",)
    assert devices_for_jobs("cuda") == ("cuda:0",)
    assert devices_for_jobs("cuda:2+cuda:0") == ("cuda:2", "cuda:0")


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        ("cuda:2", "no 'cuda:2' here, only cpu, cuda:0, cuda:1"),
        ("cuda:0+toaster", "no 'toaster' here"),
        ("", "no '' here"),
        ("cuda+cuda:0", "named twice; for more jobs at a time raise concurrency"),
        ("cpu+cuda:0", "the CPU and CUDA do not share jobs"),
    ],
)
def test_devices_that_are_not_there_or_not_of_one_kind_are_refused_by_name(monkeypatch, names, problem):
    has(monkeypatch, 2)
    with pytest.raises(NoSuchDevice, match=problem):
        devices_for_jobs(names)


def test_processes_share_jobs_on_the_cpu_only():
    check_devices(["cpu"], 64)
    check_devices(["cuda:0", "cuda:1"], 1)
    with pytest.raises(Unshareable, match=r"2 processes cannot share a job on cuda:0, .*processes_per_job"):
        check_devices(["cuda:0"], 2)


@given(
    devices=st.integers(1, 5).map(lambda count: [f"cuda:{number}" for number in range(count)]),
    most=st.integers(1, 4),
    moves=st.lists(st.integers(0, 19), max_size=60),
)
def test_whatever_jobs_come_and_go_a_new_one_gets_the_freest_device_until_all_are_full(devices, most, moves):
    running = []
    for move in moves:
        if move < len(running):
            running.pop(move)  # a job ends
            continue
        counts = {device: running.count(device) for device in devices}
        device = freest(devices, running, most)
        if device is None:
            assert min(counts.values()) == most
        else:
            assert counts[device] == min(counts.values()) < most
            running.append(device)


# -- real processes --------------------------------------------------------------------------------------------------


@pytest.fixture
async def book(tmp_path):
    book = JobBook(JobStore(f"sqlite:///{tmp_path}/trainer.db", max_queued=8))
    yield book
    book.close()


async def place_of(book, job):
    """Where the job is said to run; returns when its process has done a step."""
    place = ""
    async for event in book.watch(job.id, 0):
        match event.happening:
            case StateChange(JobState.RUNNING, reason):
                place = reason
            case Progress(step) if step:
                return place
            case _:
                pass
    raise AssertionError("the job ended too early")


async def test_each_device_has_its_own_jobs_and_their_processes_are_told_which(
    book, make_spec, artifacts_url, tmp_path
):
    """Torch takes cpu:0 and cpu:1 for two names of the CPU."""

    async def announce(job, result):
        return result

    launcher = Launcher(tmp_path / "jobs", Sources(artifacts_url, str(tmp_path)), threads=1, tensorboard=False)
    limits = {"concurrency": 1, "max_restarts": 0, "grace_seconds": 10.0}
    devices = ("cpu:0", "cpu:1")
    dispatcher = Dispatcher(book, launcher, announce, Metrics(CollectorRegistry()), devices=devices, **limits)
    endless = make_spec(steps=1_000_000)
    jobs = [await book.change(JobStore.create, Request("", ""), replace(endless, seed=seed)) for seed in range(3)]
    await dispatcher.start()
    try:
        assert [await place_of(book, job) for job in jobs[:2]] == ["on cpu:0", "on cpu:1"]
        assert (await book.read(JobStore.find, jobs[2].id)).state is JobState.QUEUED
        await dispatcher.cancel(jobs[1].id)
        assert await place_of(book, jobs[2]) == "on cpu:1"
    finally:
        await dispatcher.drain()
    logs = [(launcher.folder_of(job.id) / LOG).read_text() for job in jobs]
    assert ["on cpu:0" in logs[0], "on cpu:1" in logs[1], "on cpu:1" in logs[2]] == [True] * 3
