"""How the service attends its jobs: side by side, until they have left, and what they leave behind."""

import os
import shutil
import socket
import time
from contextlib import suppress
from pathlib import Path

import grpc
from lives import SPEC, processes_of

from latentwalk.gan.artifacts import ArtifactStore
from latentwalk.v1 import training_service_pb2 as pb


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
            assert cancelled(trainer, job_id).state == pb.JOB_STATE_CANCELLED
            job_id = trainer.create(short).id
            next(event for event in trainer.watch(job_id) if event.message.text.startswith("published"))
            job = cancelled(trainer, job_id)
            assert job.state == pb.JOB_STATE_SUCCEEDED
            assert [one.load_error for one in job.result.artifacts] == [
                "the job was stopped before the servers had answered"
            ]
    assert ArtifactStore(artifacts_url).versions("directions", "tiny/axes") == [1]


def cancelled(trainer, job_id):
    """The job after it was told to stop."""
    with suppress(grpc.RpcError):  # it has succeeded
        trainer.stub.CancelJob(pb.CancelJobRequest(id=job_id))
    return trainer.get(job_id)


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


def test_nothing_is_removed_for_a_database_that_is_new(make_settings, serve_trainer, tmp_path):
    short = pb.JobSpec(model="tiny", direction="axes", sefa=pb.SefaSpec(directions=2))
    with serve_trainer(make_settings()) as trainer:
        job_id = trainer.create(short).id
        trainer.wait_for_end(job_id)
    (tmp_path / "trainer.db").rename(tmp_path / "elsewhere.db")
    with serve_trainer(make_settings()):
        assert (tmp_path / "jobs" / job_id / "log.txt").exists()
