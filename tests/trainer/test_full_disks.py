"""Disks that are really full: a job fails or waits, with the reason, and goes on when there is room again."""

import subprocess
from collections import deque
from contextlib import contextmanager, suppress

import grpc
import pytest

from latentwalk.gan.artifacts import ArtifactStore
from latentwalk.v1 import training_service_pb2 as pb

SPEC = pb.JobSpec(
    model="tiny",
    direction="camera",
    checkpoint_every=1,
    edit_direction=pb.EditDirectionSpec(
        edits=[pb.EditTarget(edit="brightness")], steps=400, batch_size=2, evaluation_size=8
    ),
)


class Disk:
    """A small disk of its own."""

    def __init__(self, folder):
        self.folder = folder

    def fill(self):
        with (self.folder / "ballast").open("ab", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))

    def make_room(self):
        (self.folder / "ballast").unlink()


@pytest.fixture
def disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    yield Disk(folder)
    subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def running(trainer):
    """A job that is under way."""
    job = trainer.create(SPEC)
    trainer.wait_for_step(job.id, 1)
    yield job.id


def resumed(trainer, job_id):
    trainer.stub.ResumeJob(pb.ResumeJobRequest(id=job_id))
    return trainer.wait_for_end(job_id)


def test_without_room_for_a_checkpoint_the_job_fails_and_goes_on_from_the_one_before(
    disk, make_settings, serve_trainer
):
    with serve_trainer(make_settings(folder=str(disk.folder))) as trainer, running(trainer) as job_id:
        disk.fill()
        failed = trainer.wait_for_end(job_id)
        disk.make_room()
        assert failed.state == pb.JOB_STATE_FAILED
        assert "the checkpoint of step" in failed.error
        assert "No space left on device; make room there and resume the job" in failed.error
        done = resumed(trainer, job_id)
        assert done.state == pb.JOB_STATE_SUCCEEDED, done.error
        texts = [event.message.text for event in trainer.watch(job_id)]
    assert any(text.startswith("goes on from the checkpoint of step") for text in texts)


def test_without_room_to_publish_the_job_fails_and_nothing_is_trained_again(disk, make_settings, serve_trainer):
    store = disk.folder / "store"
    (disk.folder.parent / "store").rename(disk.folder.parent / "before")
    subprocess.run(["cp", "-r", disk.folder.parent / "before", store], check=True)
    with serve_trainer(make_settings(store=str(store))) as trainer, running(trainer) as job_id:
        disk.fill()
        failed = trainer.wait_for_end(job_id)
        disk.make_room()
        assert failed.state == pb.JOB_STATE_FAILED
        assert "directions/tiny/camera could not be written to the artifact store: No space left" in failed.error
        assert ArtifactStore(str(store)).versions("directions", "tiny/camera") == []
        done = resumed(trainer, job_id)
        assert done.state == pb.JOB_STATE_SUCCEEDED, done.error
        texts = [event.message.text for event in trainer.watch(job_id)]
    assert f"goes on from the checkpoint of step {done.progress.steps}" in texts
    assert ArtifactStore(str(store)).versions("directions", "tiny/camera") == [1]


def test_without_room_for_the_database_nothing_is_accepted_and_nothing_lost(disk, make_settings, serve_trainer):
    with serve_trainer(make_settings(database=f"sqlite:///{disk.folder}/trainer.db")) as trainer:
        with running(trainer) as job_id:
            disk.fill()
            with pytest.raises(grpc.RpcError) as refusal:
                deque(map(trainer.create, [SPEC] * 50))
            disk.make_room()
        assert refusal.value.code() == grpc.StatusCode.UNAVAILABLE
        assert "the job database cannot be used now: database or disk is full" in refusal.value.details()
        done = trainer.wait_for_end(job_id)
        assert done.state == pb.JOB_STATE_SUCCEEDED, done.error
        assert [event.sequence for event in trainer.watch(job_id)] == list(range(1, done.last_sequence + 1))
