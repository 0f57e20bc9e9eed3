"""Making a job: what every one can be told, whatever its method."""

import uuid
from typing import TypedDict

from latentwalk.client import _rpcs as rpcs
from latentwalk.client._calls import UnaryCall
from latentwalk.client._jobs import Job
from latentwalk.client._numbers import INT32, UINT64, count, whole
from latentwalk.client._options import NOT_SAID, Timeout
from latentwalk.client._values import text, text_or_empty
from latentwalk.client._versions import Version, version_text
from latentwalk.v1 import training_service_pb2 as pb


class JobOptions(TypedDict, total=False):
    """What every `train_...` takes beside the settings of its method."""

    seed: int
    """Everything random in the job follows from it; default 0."""
    checkpoint_every: int | None
    """Steps between two checkpoints, for jobs that take steps; None leaves it to the trainer."""
    priority: int
    """-100 to 100, default 0; higher goes first."""
    request_id: str | None
    """Two calls with one id make one job. By default each call has its own, so that a retry after a broken connection
    never makes a second job."""
    timeout: Timeout
    """Seconds that making the job may take, not the job; default the client's own."""


class ModelJobOptions(JobOptions, total=False):
    """JobOptions of a job that works on a generator that there is."""

    model_version: Version
    """Of the generator; default the newest when the job is made."""


MakeJob = UnaryCall[pb.CreateJobResponse, Job]
"""The call that queues a job and tells how it stands."""


def make_job(
    spec: pb.JobSpec,
    model: str,
    direction: str = "",
    *,
    model_version: Version = "",
    seed: int = 0,
    checkpoint_every: int | None = None,
    priority: int = 0,
    request_id: str | None = None,
    timeout: Timeout = NOT_SAID,
) -> MakeJob:
    """Queues the job of a spec that says what to do; the rest is as in ModelJobOptions."""
    spec.model = text("model", model)
    spec.direction = text("direction", direction)
    spec.model_version = version_text("model_version", model_version)
    spec.seed = whole("seed", seed, high=UINT64)
    spec.checkpoint_every = count("checkpoint_every", checkpoint_every)
    spec.priority = whole("priority", priority, low=-INT32, high=INT32)
    own_id = text_or_empty("request_id", request_id) or uuid.uuid4().hex
    request = pb.CreateJobRequest(request_id=own_id, spec=spec)
    return UnaryCall(rpcs.CREATE_JOB, request, lambda reply: Job.from_message(reply.job), timeout)
