"""Whole lives of jobs, in real processes that are really killed: each ends with the bits of an undisturbed one."""

import hashlib
import os
import signal
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
from lives import SPEC, STEPS, process_of, processes_of, wait_until_gone
from sqlalchemy import create_engine, text

from latentwalk.cli.demo.processes import free_address
from latentwalk.gan.artifacts import ArtifactStore, load_direction
from latentwalk.server.settings import Settings as ServerSettings
from latentwalk.trainer.checkpoint import Checkpoints
from latentwalk.trainer.loop import train
from latentwalk.trainer.materials import Materials
from latentwalk.trainer.methods import METHODS
from latentwalk.trainer.validation import read_spec
from latentwalk.v1 import model_service_pb2, model_service_pb2_grpc
from latentwalk.v1 import training_service_pb2 as pb


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


def kill_process_of(job_id):
    """Kills the process of a job, and returns its id when it is gone."""
    process = process_of(job_id)
    os.kill(process, signal.SIGKILL)
    while process in processes_of(job_id):
        time.sleep(0.02)
    return process


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


def test_a_job_in_the_middle_of_something_endless_is_cancelled_all_the_same(
    make_settings, serve_trainer, assert_ends_well
):
    with serve_trainer(make_settings()) as trainer:
        job_id = trainer.create(SPEC).id
        trainer.wait_for_step(job_id, STEPS // 4)
        [process] = processes_of(job_id)
        os.kill(process, signal.SIGSTOP)
        job = trainer.stub.CancelJob(pb.CancelJobRequest(id=job_id), timeout=300).job
        assert job.state == pb.JOB_STATE_CANCELLED
        assert processes_of(job_id) == []
        trainer.stub.ResumeJob(pb.ResumeJobRequest(id=job_id))
        assert_ends_well(trainer, job_id)


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
    make_settings, serve_trainer, connect, assert_ends_well, database_url
):
    settings = make_settings(database=database_url)
    with service_process(settings, connect, "--grace-seconds", "0.5") as (service, trainer):
        job_id = trainer.create(SPEC).id
        trainer.wait_for_step(job_id, 1)
        with held(database_url):
            service.terminate()
            assert service.wait(300) == 0
            wait_until_gone(job_id)
    with serve_trainer(settings) as trainer:
        assert_ends_well(trainer, job_id)


HOLD = {"sqlite": "UPDATE jobs SET error = error", "postgresql": "LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE"}


@contextmanager
def held(database_url):
    """Nobody else can write to the database meanwhile, whose PostgreSQL lets them wait for ever."""
    engine = create_engine(database_url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        connection.execute(text(HOLD[engine.dialect.name]))
        yield
    engine.dispose()


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


def test_a_job_whose_loss_or_measure_is_not_finite_fails_with_step_or_name_and_value(make_settings, serve_trainer):
    spec = pb.JobSpec()
    spec.CopyFrom(SPEC)
    spec.model = "broken"
    with serve_trainer(make_settings()) as trainer:
        job = trainer.wait_for_end(trainer.create(spec).id)
        measured = trainer.create(pb.JobSpec(model="broken", evaluation=pb.EvaluationSpec(samples=100)))
        assert "path_length.z.full was measured as nan" in trainer.wait_for_end(measured.id).error
    assert job.state == pb.JOB_STATE_FAILED
    assert "loss of brightness is nan at step 0; the step was not taken" in job.error


@contextmanager
def service_process(settings, connect, *more):
    """`python -m latentwalk.trainer` in a process of its own, on a port that was free a moment ago."""
    address = free_address()
    flags = ["--address", address, "--metrics-address", "", "--folder", settings.folder]
    flags += ["--store", settings.store, "--database", settings.database, *more]
    service = subprocess.Popen([sys.executable, "-m", "latentwalk.trainer", *flags])
    try:
        with connect(address) as trainer:
            yield service, trainer
    finally:
        service.kill()
        service.wait()
