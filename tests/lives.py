"""A job that takes a while, and the processes of jobs."""

import time
from contextlib import suppress
from pathlib import Path

from latentwalk.v1 import training_service_pb2 as pb

STEPS = 2_000
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


def wait_until_gone(job_id):
    while processes_of(job_id):
        time.sleep(0.02)
