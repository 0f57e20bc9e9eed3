"""Whole lives of jobs, in real processes that are really killed: each ends with the bits of an undisturbed one."""

import hashlib
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path

import grpc
import pytest
import torch

from latentwalk.gan.artifacts import ArtifactStore, load_direction
from latentwalk.server.settings import Settings as ServerSettings
from latentwalk.trainer.checkpoint import Checkpoints
from latentwalk.trainer.loop import train
from latentwalk.trainer.materials import Materials
from latentwalk.trainer.methods import METHODS
from latentwalk.trainer.validation import read_spec
from latentwalk.v1 import model_service_pb2, model_service_pb2_grpc
from latentwalk.v1 import training_service_pb2 as pb

STEPS = 2_000
GENEROUS_SECONDS = 10
"""For what is to take 2, on a machine that is busy; what is stopped would take longer than that."""
SPEC = pb.JobSpec(
    model="tiny",
    direction="camera",
    seed=11,
    checkpoint_every=25,
    edit_direction=pb.EditDirectionSpec(
        edits=[pb.EditTarget(edit="brightness"), pb.EditTarget(edit="zoom")],
        steps=STEPS,
        batch_size=4,
        evaluation_size=32,
    ),
)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, generator):
    """The vectors of the job when nothing happens to it."""
    cache = {}

    def vectors(artifacts_url):
        if not cache:
            materials = Materials(ArtifactStore(artifacts_url), tmp_path_factory.mktemp("data"))
            spec = read_spec(SPEC, materials)
            method = METHODS[spec.method].prepare(spec, materials)
            folder = tmp_path_factory.mktemp("undisturbed")
            train(method, Checkpoints(folder), STEPS, report=lambda _: None, pause=lambda: None)
            cache["vectors"] = method.direction().vectors
        return cache["vectors"]

    return vectors


@pytest.fixture
def assert_ends_well(artifacts_url, undisturbed):
    """The job succeeds, was published once, with the vectors of an undisturbed one."""

    def check(trainer, job_id):
        job = trainer.wait_for_end(job_id)
        assert job.state == pb.JOB_STATE_SUCCEEDED, job.error
        store = ArtifactStore(artifacts_url)
        assert store.versions("directions", "tiny/camera") == [1]
        assert torch.equal(load_direction(store, "tiny", "camera")[0].vectors, undisturbed(artifacts_url))
        assert job.progress.step == STEPS
        assert [event.sequence for event in trainer.watch(job_id)] == list(range(1, job.last_sequence + 1))
        return job

    return check


def messages(trainer, job_id):
    return [event.message.text for event in trainer.watch(job_id) if event.HasField("message")]


def processes_of(job_id):
    """The ids of the processes that run this job: those whose standard error is its log."""
    found = []
    for path in Path("/proc").glob("[0-9]*/fd/2"):
        with suppress(OSError):
            if job_id in str(path.readlink()):
                found.append(int(path.parent.parent.name))
    return found


def process_of(job_id):
    """The id of the process of a job, which may still have to start."""
    while not (found := processes_of(job_id)):
        time.sleep(0.02)
    [process] = found
    return process


def kill_process_of(job_id):
    """Kills the process of a job, and returns its id when it is gone."""
    process = process_of(job_id)
    os.kill(process, signal.SIGKILL)
    while process in processes_of(job_id):
        time.sleep(0.02)
    return process


def wait_until_gone(job_id):
    while processes_of(job_id):
        time.sleep(0.02)


def test_a_job_is_queued_trained_published_and_loaded_by_the_server(
    make_settings, serve_trainer, serve_server, artifacts_url, assert_ends_well, tmp_path
):
    (tmp_path / "tokens").write_text(hashlib.sha256(b"secret").hexdigest())
    (tmp_path / "token").write_text("secret\n")
    server_settings = ServerSettings(
        address="127.0.0.1:0",
        metrics_address="",
        store=artifacts_url,
        models=("tiny",),
        tokens=str(tmp_path / "tokens"),
        engine_cache="",
    )
    with serve_server(server_settings) as server:
        address = f"127.0.0.1:{server.port}"
        settings = make_settings(server_address=(address,), server_token=str(tmp_path / "token"))
        with serve_trainer(settings) as trainer:
            job = assert_ends_well(trainer, trainer.create(SPEC).id)
            states = [event.state_change.state for event in trainer.watch(job.id) if event.HasField("state_change")]
            metrics = urllib.request.urlopen(f"http://127.0.0.1:{trainer.metrics_port}/metrics").read().decode()
        with grpc.insecure_channel(address) as channel:
            request = model_service_pb2.GetDirectionRequest(model="tiny", direction="camera")
            stub = model_service_pb2_grpc.ModelServiceStub(channel)
            direction = stub.GetDirection(request, metadata=[("authorization", "Bearer secret")]).direction
    assert states == [pb.JOB_STATE_QUEUED, pb.JOB_STATE_RUNNING, pb.JOB_STATE_SUCCEEDED]
    [published] = job.result.artifacts
    assert (published.name, published.loaded, published.load_error) == ("camera", True, "")
    assert [evaluation.slider for evaluation in job.result.evaluations] == ["brightness", "zoom"]
    assert job.create_time.ToNanoseconds() <= job.start_time.ToNanoseconds() <= job.end_time.ToNanoseconds()
    assert (direction.state, direction.version) == (model_service_pb2.LOAD_STATE_READY, "1")
    assert [slider.name for slider in direction.sliders] == ["brightness", "zoom"]
    assert 'latentwalk_jobs{state="SUCCEEDED"} 1.0' in metrics
    assert f'latentwalk_job_steps_total{{method="edit_direction"}} {STEPS}.0' in metrics
    assert 'latentwalk_job_seconds_count{method="edit_direction",state="SUCCEEDED"} 1.0' in metrics
    assert "latentwalk_job_restarts_total 0.0" in metrics


def test_a_job_whose_process_is_killed_goes_on_from_its_checkpoint(
    make_settings, serve_trainer, assert_ends_well, database_url, monkeypatch
):
    # As a launcher that has started several services might have left it: nothing to the job.
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    nobody = "127.0.0.1:1", "127.0.0.1:2"
    with serve_trainer(make_settings(server_address=nobody, database=database_url)) as trainer:
        job_id = trainer.create(SPEC).id
        trainer.wait_for_step(job_id, STEPS // 4)
        kill_process_of(job_id)
        job = assert_ends_well(trainer, job_id)
        assert any("killed by SIGKILL; restart 1" in text for text in messages(trainer, job_id))
        assert any("goes on from the checkpoint of step" in text for text in messages(trainer, job_id))
        [published] = job.result.artifacts
        assert not published.loaded
        assert all(address in published.load_error for address in nobody)


def test_a_paused_job_leaves_its_process_and_ends_with_the_same_bits_when_resumed(
    make_settings, serve_trainer, assert_ends_well
):
    with serve_trainer(make_settings()) as trainer:
        job_id = trainer.create(SPEC).id
        trainer.wait_for_step(job_id, STEPS // 4)
        paused = trainer.stub.PauseJob(pb.PauseJobRequest(id=job_id)).job
        assert paused.state == pb.JOB_STATE_PAUSED
        assert 0 < trainer.get(job_id).progress.step < STEPS
        later = pb.JobSpec()
        later.CopyFrom(SPEC)
        later.direction = "later"
        assert trainer.wait_for_end(trainer.create(later).id).state == pb.JOB_STATE_SUCCEEDED
        assert trainer.get(job_id).state == pb.JOB_STATE_PAUSED
        trainer.stub.ResumeJob(pb.ResumeJobRequest(id=job_id))
        assert_ends_well(trainer, job_id)


def test_a_job_whose_process_is_killed_too_often_fails_and_can_be_resumed(
    make_settings, serve_trainer, assert_ends_well
):
    with serve_trainer(make_settings(max_restarts=1)) as trainer:
        job_id = trainer.create(SPEC).id
        first = kill_process_of(job_id)
        assert kill_process_of(job_id) != first
        job = trainer.wait_for_end(job_id)
        assert job.state == pb.JOB_STATE_FAILED
        assert "killed by SIGKILL, after 1 restarts; its log is" in job.error
        trainer.stub.ResumeJob(pb.ResumeJobRequest(id=job_id))
        assert_ends_well(trainer, job_id)


def test_a_cancelled_job_leaves_at_once_and_ends_the_same_when_resumed(
    make_settings, serve_trainer, assert_ends_well, tmp_path
):
    with serve_trainer(make_settings()) as trainer:
        job_id = trainer.create(SPEC).id
        trainer.wait_for_step(job_id, STEPS // 4)
        job = trainer.stub.CancelJob(pb.CancelJobRequest(id=job_id)).job
        assert job.state == pb.JOB_STATE_CANCELLED
        assert processes_of(job_id) == []
        newest = max((tmp_path / "jobs" / job_id / "checkpoints").iterdir())
        newest.write_bytes(b"damaged")
        assert trainer.stub.ResumeJob(pb.ResumeJobRequest(id=job_id)).job.state == pb.JOB_STATE_QUEUED
        assert_ends_well(trainer, job_id)
        assert any(newest.name in text for text in messages(trainer, job_id))
        trainer.stub.DeleteJob(pb.DeleteJobRequest(id=job_id))
        assert not (tmp_path / "jobs" / job_id).exists()


def test_a_job_that_is_resumed_while_others_are_pruned_is_attended_like_any_other(
    make_settings, serve_trainer, tmp_path
):
    short = pb.JobSpec(model="tiny", direction="axes", sefa=pb.SefaSpec(directions=2))
    with serve_trainer(make_settings(concurrency=2, keep_ended_jobs=1)) as trainer:
        old, job_id = trainer.create(short).id, trainer.create(SPEC).id
        trainer.wait_for_end(old)
        large = tmp_path / "jobs" / old / "large"
        large.mkdir()
        for number in range(30_000):
            (large / str(number)).touch()
        trainer.wait_for_step(job_id, 1)
        cancelling = trainer.stub.CancelJob.future(pb.CancelJobRequest(id=job_id))
        left = next(one for one in trainer.watch(job_id) if one.state_change.state == pb.JOB_STATE_CANCELLED)
        trainer.stub.ResumeJob(pb.ResumeJobRequest(id=job_id))
        next(one for one in trainer.watch(job_id, left.sequence) if one.HasField("progress"))
        cancelling.result()
        while large.parent.exists():
            time.sleep(0.02)
        assert trainer.stub.CancelJob(pb.CancelJobRequest(id=job_id)).job.state == pb.JOB_STATE_CANCELLED
        assert processes_of(job_id) == []


def test_a_job_in_the_middle_of_something_endless_is_cancelled_all_the_same(
    make_settings, serve_trainer, assert_ends_well
):
    with serve_trainer(make_settings()) as trainer:
        job_id = trainer.create(SPEC).id
        trainer.wait_for_step(job_id, STEPS // 4)
        [process] = processes_of(job_id)
        os.kill(process, signal.SIGSTOP)
        job = trainer.stub.CancelJob(pb.CancelJobRequest(id=job_id), timeout=60).job
        assert job.state == pb.JOB_STATE_CANCELLED
        assert processes_of(job_id) == []
        trainer.stub.ResumeJob(pb.ResumeJobRequest(id=job_id))
        assert_ends_well(trainer, job_id)


def test_jobs_run_side_by_side_and_a_free_slot_goes_to_the_highest_priority(make_settings, serve_trainer):
    endless = pb.JobSpec()
    endless.CopyFrom(SPEC)
    endless.edit_direction.steps = 1_000_000
    with serve_trainer(make_settings(concurrency=2)) as trainer:
        running = [trainer.create(endless).id for _ in range(2)]
        for job_id in running:
            trainer.wait_for_step(job_id, 1)
        short = [
            pb.JobSpec(model="tiny", direction="axes", sefa=pb.SefaSpec(directions=2), priority=one) for one in (0, 5)
        ]
        low, high = [trainer.create(spec).id for spec in short]
        assert [trainer.get(job_id).state for job_id in (*running, low, high)] == [
            *[pb.JOB_STATE_RUNNING] * 2,
            *[pb.JOB_STATE_QUEUED] * 2,
        ]
        steps = [trainer.get(job_id).progress.step for job_id in running]
        for job_id, step in zip(running, steps, strict=True):
            trainer.wait_for_step(job_id, step + 1)
        trainer.stub.CancelJob(pb.CancelJobRequest(id=running[0]))
        jobs = [trainer.wait_for_end(job_id) for job_id in (high, low)]
        assert [job.state for job in jobs] == [pb.JOB_STATE_SUCCEEDED] * 2
        assert jobs[0].end_time.ToNanoseconds() <= jobs[1].start_time.ToNanoseconds()
        assert trainer.get(running[1]).state == pb.JOB_STATE_RUNNING


def test_a_job_that_is_measured_or_announced_is_stopped_as_soon_as_any_other(
    make_settings, serve_trainer, artifacts_url
):
    endless = pb.JobSpec()
    endless.CopyFrom(SPEC)
    endless.edit_direction.steps, endless.edit_direction.evaluation_size = 1, 65_536
    short = pb.JobSpec(model="tiny", direction="axes", sefa=pb.SefaSpec(directions=2))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with serve_trainer(make_settings(server_address=(address,))) as trainer:
            job_id = trainer.create(endless).id
            trainer.wait_for_step(job_id, 1)
            job, seconds = cancelled(trainer, job_id)
            assert (job.state, seconds < GENEROUS_SECONDS) == (pb.JOB_STATE_CANCELLED, True)
            job_id = trainer.create(short).id
            next(event for event in trainer.watch(job_id) if event.message.text.startswith("published"))
            job, seconds = cancelled(trainer, job_id)
            assert (job.state, seconds < GENEROUS_SECONDS) == (pb.JOB_STATE_SUCCEEDED, True)
            assert [one.load_error for one in job.result.artifacts] == [
                "the job was stopped before the servers had answered"
            ]
    assert ArtifactStore(artifacts_url).versions("directions", "tiny/axes") == [1]


def cancelled(trainer, job_id):
    """The job after it was told to stop, and how many seconds that took."""
    started = time.monotonic()
    with suppress(grpc.RpcError):  # it has succeeded
        trainer.stub.CancelJob(pb.CancelJobRequest(id=job_id))
    return trainer.get(job_id), time.monotonic() - started


def test_ended_jobs_go_with_their_folders_when_there_are_too_many(make_settings, serve_trainer, tmp_path):
    short = pb.JobSpec(model="tiny", direction="axes", sefa=pb.SefaSpec(directions=2))
    with serve_trainer(make_settings(keep_ended_jobs=1)) as trainer:
        first, second = trainer.create(short).id, trainer.create(short).id
        trainer.wait_for_end(second)
    assert [path.name for path in (tmp_path / "jobs").iterdir() if path.is_dir()] == [second]
    assert sorted(path.name for path in (tmp_path / "jobs" / second).iterdir()) == [
        ".lock",
        "job.json",
        "log.txt",
        "tensorboard",
    ]
    assert first != second


def test_what_a_killed_trainer_had_still_to_remove_is_removed_at_the_next_start(
    make_settings, serve_trainer, artifacts_url, tmp_path
):
    short = pb.JobSpec(model="tiny", direction="axes", sefa=pb.SefaSpec(directions=2))
    with serve_trainer(make_settings()) as trainer:
        kept, deleted = trainer.create(short).id, trainer.create(short).id
        trainer.wait_for_end(deleted)
        shutil.copytree(tmp_path / "jobs" / deleted, tmp_path / "before")
        trainer.stub.DeleteJob(pb.DeleteJobRequest(id=deleted))
    shutil.copytree(tmp_path / "before", tmp_path / "jobs" / deleted)
    (tmp_path / "jobs" / kept / "checkpoints").mkdir()
    (tmp_path / "jobs" / "notes").mkdir()
    aside = Path(artifacts_url) / "directions" / "tiny" / "axes" / ".put-0123"
    aside.mkdir()
    os.utime(aside, (0, 0))
    with serve_trainer(make_settings(database=f"sqlite:///{tmp_path}/other.db")):
        assert (tmp_path / "jobs" / deleted).exists(), "it may be known to the other database"
    with serve_trainer(make_settings()):
        assert sorted(path.name for path in (tmp_path / "jobs").iterdir() if path.is_dir()) == sorted([kept, "notes"])
        assert not (tmp_path / "jobs" / kept / "checkpoints").exists()
    assert not aside.exists()


def test_a_service_that_is_stopped_and_then_killed_loses_nothing(
    make_settings, serve_trainer, connect, assert_ends_well
):
    settings = make_settings()
    with service_process(settings, connect) as (service, trainer):
        job_id, waiting = trainer.create(SPEC).id, trainer.create(SPEC).id
        trainer.stub.CancelJob(pb.CancelJobRequest(id=waiting))
        trainer.wait_for_step(job_id, STEPS // 5)
        service.terminate()
        assert service.wait() == 0
        assert processes_of(job_id) == []
    with service_process(settings, connect) as (service, trainer):
        process = process_of(job_id)
        os.kill(process, signal.SIGSTOP)  # or it might be done before the service is killed
        begins = (event for event in trainer.watch(job_id) if event.state_change.reason == "on cpu")
        assert len(list(islice(begins, 2))) == 2, "the first one is told again"
        service.kill()
        service.wait()
        os.kill(process, signal.SIGCONT)
        wait_until_gone(job_id)
    with serve_trainer(settings) as trainer:
        job = assert_ends_well(trainer, job_id)
        reasons = [event.state_change.reason for event in trainer.watch(job_id)]
        assert "the trainer shuts down" in reasons
        assert "the trainer was killed while the job ran" in reasons
        assert job.error == ""
        assert trainer.get(waiting).state == pb.JOB_STATE_CANCELLED


def test_a_job_that_the_service_does_not_survive_fails_after_some_restarts(make_settings, serve_trainer, connect):
    endless = pb.JobSpec()
    endless.CopyFrom(SPEC)
    endless.edit_direction.steps = 1_000_000
    settings = make_settings()
    with service_process(settings, connect) as (_, trainer):
        job_id = trainer.create(endless).id
        process_of(job_id)
    wait_until_gone(job_id)
    with service_process(settings, connect, "--max-restarts", "1") as (service, trainer):
        process_of(job_id)
        service.terminate()  # which does not count
        service.wait()
    with service_process(settings, connect, "--max-restarts", "1"):
        process_of(job_id)
    wait_until_gone(job_id)
    with serve_trainer(make_settings(max_restarts=1)) as trainer:
        job = trainer.get(job_id)
        assert job.state == pb.JOB_STATE_FAILED
        assert "the trainer was killed while the job ran, after 1 restarts; its log is" in job.error
        trainer.stub.ResumeJob(pb.ResumeJobRequest(id=job_id))
        trainer.wait_for_step(job_id, 1)


def test_a_service_whose_database_does_not_answer_is_stopped_all_the_same(
    make_settings, serve_trainer, connect, assert_ends_well, tmp_path
):
    settings = make_settings()
    with service_process(settings, connect, "--grace-seconds", "0.5") as (service, trainer):
        job_id = trainer.create(SPEC).id
        trainer.wait_for_step(job_id, 1)
        with held(tmp_path / "trainer.db"):
            service.terminate()
            assert service.wait(60) == 0
            wait_until_gone(job_id)
    with serve_trainer(settings) as trainer:
        assert_ends_well(trainer, job_id)


@contextmanager
def held(database):
    """Nobody else can write to the database meanwhile."""
    holder = sqlite3.connect(database, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    yield
    holder.execute("ROLLBACK")
    holder.close()


def test_jobs_outlive_the_process_that_they_were_forked_from(make_settings, connect, assert_ends_well):
    short = pb.JobSpec(model="tiny", direction="axes", sefa=pb.SefaSpec(directions=2))
    with service_process(make_settings(), connect) as (service, trainer):
        job_id = trainer.create(SPEC).id
        trainer.wait_for_step(job_id, STEPS // 4)
        os.kill(fork_server_of(service.pid), signal.SIGKILL)
        job = assert_ends_well(trainer, job_id)
        assert [event.state_change.reason for event in trainer.watch(job_id) if event.state_change.reason] == ["on cpu"]
        assert job.error == ""
        assert trainer.wait_for_end(trainer.create(short).id).state == pb.JOB_STATE_SUCCEEDED
    wait_until_gone(job_id)


def fork_server_of(service):
    """The id of the process that this one forks others from."""
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            is_child = f"PPid:\t{service}\n" in (path / "status").read_text()
            if is_child and b"multiprocessing.forkserver" in (path / "cmdline").read_bytes():
                return int(path.name)
    raise AssertionError(f"process {service} has no fork server")


def test_a_job_whose_loss_is_not_finite_fails_with_step_slider_and_value(make_settings, serve_trainer):
    spec = pb.JobSpec()
    spec.CopyFrom(SPEC)
    spec.model = "broken"
    with serve_trainer(make_settings()) as trainer:
        job = trainer.wait_for_end(trainer.create(spec).id)
    assert job.state == pb.JOB_STATE_FAILED
    assert "loss of brightness is nan at step 0; the step was not taken" in job.error


@contextmanager
def service_process(settings, connect, *more):
    """`python -m latentwalk.trainer` in a process of its own, on a port that was free a moment ago."""
    address = f"127.0.0.1:{free_port()}"
    flags = ["--address", address, "--metrics-address", "", "--folder", settings.folder]
    flags += ["--store", settings.store, "--database", settings.database, *more]
    service = subprocess.Popen([sys.executable, "-m", "latentwalk.trainer", *flags])
    try:
        with connect(address) as trainer:
            yield service, trainer
    finally:
        service.kill()
        service.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
