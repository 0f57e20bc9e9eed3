"""The verbs of TrainingService: making jobs and following them."""

import uuid
from collections.abc import Iterable, Mapping
from typing import Literal, TypeVar

from latentwalk.client import _rpcs as rpcs
from latentwalk.client._calls import StreamCall, UnaryCall
from latentwalk.client._errors import InvalidRequest
from latentwalk.client._jobs import (
    JOB_STATE_NUMBERS,
    EditTarget,
    Job,
    JobEvent,
    JobPage,
    JobState,
)
from latentwalk.client._numbers import UINT64, whole
from latentwalk.client._options import NOT_SAID, Timeout
from latentwalk.v1 import training_service_pb2 as pb

Number = TypeVar("Number", bound=int)

Form = Literal["linear", "nonlinear"]
"""The form of a walk."""

Loss = Literal["l2", "lpips"]
"""What a walked picture is compared with its edited one by."""

FORMS: Mapping[str, pb.WalkForm.ValueType] = {
    "linear": pb.WALK_FORM_LINEAR,
    "nonlinear": pb.WALK_FORM_NONLINEAR,
}
LOSSES: Mapping[str, pb.EditLoss.ValueType] = {"l2": pb.EDIT_LOSS_L2, "lpips": pb.EDIT_LOSS_LPIPS}


def train_edit(
    model: str,
    direction: str,
    *,
    edits: str | EditTarget | Iterable[str | EditTarget],
    model_version: int | str = "",
    seed: int = 0,
    steps: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    evaluation_size: int | None = None,
    form: Form = "linear",
    walk_steps: int | None = None,
    loss: Loss = "l2",
    space: str = "",
    layers: Iterable[int] = (),
    classes: int | Literal["each"] | None = None,
    truncation: float | None = None,
    checkpoint_every: int | None = None,
    priority: int = 0,
    request_id: str | None = None,
    timeout: Timeout = NOT_SAID,
) -> UnaryCall[pb.CreateJobResponse, Job]:
    """Queues a job that trains the direction `direction` of `model` to imitate edits, one slider each.

    edits: names ("zoom"), or EditTargets with their own range.
    form: "linear", or "nonlinear": a small network that takes `walk_steps` steps to the far end of the range.
    loss: "l2", or "lpips", for which the trainer needs the weights of AlexNet.
    space: "z", "w" or "w+", of which only `layers` may be moved.
    classes: of a conditional generator one class, "each" for one walk a class, or None for all classes alike.
    truncation: trains on latents whose numbers lie within +- this.
    seed: everything random in the job follows from it.
    steps, batch_size, learning_rate, evaluation_size (held-out latents), checkpoint_every (steps): None leaves them to
    the trainer; `job.describe().spec` tells what it chose.
    priority: -100 to 100; higher goes first.
    request_id: two calls with one id make one job. By default each call has its own, so that a retry after a broken
    connection never makes a second job.
    """
    method = pb.EditDirectionSpec(
        edits=edit_messages(edits),
        steps=whole("steps", steps or 0),
        batch_size=whole("batch_size", batch_size or 0),
        learning_rate=learning_rate,
        evaluation_size=whole("evaluation_size", evaluation_size or 0),
        form=chosen("form", form, FORMS),
        loss=chosen("loss", loss, LOSSES),
        space=space,
        layers=[whole("layers", layer) for layer in layers],
        classes=_class_choice(classes),
        truncation=truncation,
        walk_steps=whole("walk_steps", walk_steps or 0),
    )
    spec = pb.JobSpec(
        model=model,
        model_version=str(model_version),
        direction=direction,
        seed=whole("seed", seed, high=UINT64),
        checkpoint_every=whole("checkpoint_every", checkpoint_every or 0),
        priority=priority,
        edit_direction=method,
    )
    return creating(spec, request_id, timeout)


def chosen(field: str, name: str, table: Mapping[str, Number]) -> Number:
    """The number of a name on the wire; InvalidRequest for a name that is not one."""
    if name not in table:
        raise InvalidRequest.of(field, f"{name!r} is none of {', '.join(table)}")
    return table[name]


def _class_choice(classes: int | str | None) -> pb.ClassChoice | None:
    if classes is None:
        return None
    if classes == "each":
        return pb.ClassChoice(each=True)
    return pb.ClassChoice(class_id=whole("classes", classes))


def train_sefa(
    model: str,
    direction: str,
    *,
    directions: int = 8,
    model_version: int | str = "",
    priority: int = 0,
    request_id: str | None = None,
    timeout: Timeout = NOT_SAID,
) -> UnaryCall[pb.CreateJobResponse, Job]:
    """Queues a job that finds the strongest `directions` by SeFa: a bank with sliders "0", "1", ...

    request_id: as for `train_edit`.
    """
    spec = pb.JobSpec(
        model=model,
        model_version=str(model_version),
        direction=direction,
        priority=priority,
        sefa=pb.SefaSpec(directions=whole("directions", directions)),
    )
    return creating(spec, request_id, timeout)


def train_pca(
    model: str,
    direction: str,
    *,
    directions: int = 8,
    samples: int | None = None,
    model_version: int | str = "",
    seed: int = 0,
    priority: int = 0,
    request_id: str | None = None,
    timeout: Timeout = NOT_SAID,
) -> UnaryCall[pb.CreateJobResponse, Job]:
    """Queues a job that finds the first principal components by GANSpace: a bank with sliders "0", "1", ...

    samples: latents to look at; None leaves them to the trainer. request_id: as for `train_edit`.
    """
    method = pb.PcaSpec(directions=whole("directions", directions), samples=whole("samples", samples or 0))
    spec = pb.JobSpec(
        model=model,
        model_version=str(model_version),
        direction=direction,
        seed=whole("seed", seed, high=UINT64),
        priority=priority,
        pca=method,
    )
    return creating(spec, request_id, timeout)


def train_boundary(
    model: str,
    direction: str,
    *,
    attribute: str | None = None,
    classifier: tuple[str, int] | None = None,
    samples: int | None = None,
    fraction: float | None = None,
    conditions: Iterable[str | tuple[str, str]] = (),
    model_version: int | str = "",
    seed: int = 0,
    priority: int = 0,
    request_id: str | None = None,
    timeout: Timeout = NOT_SAID,
) -> UnaryCall[pb.CreateJobResponse, Job]:
    """Queues a job that finds the boundary of a score by InterFaceGAN: a direction with one slider.

    attribute: "luminance", "red", "green", "blue", "contrast" or "saturation". classifier: or else (name, class), the
    probability that a classifier gives to a class.
    samples: latents to score. fraction: which part of them, at either end, is told apart. None: the trainer chooses.
    conditions: directions, or pairs (direction, slider), that must not move with it.
    request_id: as for `train_edit`.
    """
    if (attribute is None) == (classifier is None):
        raise InvalidRequest.of("attribute", "give either an attribute or a classifier")
    if classifier is None:
        score = pb.Score(attribute=attribute or "")
    else:
        score = pb.Score(classifier=pb.ClassifierScore(classifier=classifier[0], class_id=classifier[1]))
    pairs = [(one, "") if isinstance(one, str) else one for one in conditions]
    method = pb.BoundarySpec(
        score=score,
        samples=whole("samples", samples or 0),
        fraction=fraction,
        conditions=[pb.SliderReference(direction=name, slider=slider) for name, slider in pairs],
    )
    spec = pb.JobSpec(
        model=model,
        model_version=str(model_version),
        direction=direction,
        seed=whole("seed", seed, high=UINT64),
        priority=priority,
        boundary=method,
    )
    return creating(spec, request_id, timeout)


def edit_messages(edits: str | EditTarget | Iterable[str | EditTarget]) -> list[pb.EditTarget]:
    """The messages of one edit, or of several; a name alone stands for the edit's own range."""
    listed = [edits] if isinstance(edits, str | EditTarget) else edits
    return [EditTarget(edit).message() if isinstance(edit, str) else edit.message() for edit in listed]


def creating(spec: pb.JobSpec, request_id: str | None, timeout: Timeout) -> UnaryCall[pb.CreateJobResponse, Job]:
    """Queues a job; by default the request has an id of its own, so that a retry never makes a second job."""
    request = pb.CreateJobRequest(request_id=request_id or uuid.uuid4().hex, spec=spec)
    return UnaryCall(rpcs.CREATE_JOB, request, _job, timeout)


def jobs(
    *, states: Iterable[JobState] = (), limit: int = 100, page_token: str = "", timeout: Timeout = NOT_SAID
) -> UnaryCall[pb.ListJobsResponse, JobPage]:
    """Lists jobs, newest first.

    states: only jobs in one of these; default all. limit: at most so many, 1 to 1,000.
    page_token: the `next_page_token` of the page before.
    """
    numbers = [JOB_STATE_NUMBERS[JobState(state)] for state in states]
    request = pb.ListJobsRequest(states=numbers, page_size=whole("limit", limit), page_token=page_token)
    return UnaryCall(rpcs.LIST_JOBS, request, _page, timeout)


def describe(job_id: str, timeout: Timeout) -> UnaryCall[pb.GetJobResponse, Job]:
    """Describes one job."""
    return UnaryCall(rpcs.GET_JOB, pb.GetJobRequest(id=job_id), _job, timeout)


def cancel(job_id: str, timeout: Timeout) -> UnaryCall[pb.CancelJobResponse, Job]:
    """Stops one job."""
    return UnaryCall(rpcs.CANCEL_JOB, pb.CancelJobRequest(id=job_id), _job, timeout)


def pause(job_id: str, timeout: Timeout) -> UnaryCall[pb.PauseJobResponse, Job]:
    """Sets one job aside."""
    return UnaryCall(rpcs.PAUSE_JOB, pb.PauseJobRequest(id=job_id), _job, timeout)


def resume(job_id: str, timeout: Timeout) -> UnaryCall[pb.ResumeJobResponse, Job]:
    """Queues one job again."""
    return UnaryCall(rpcs.RESUME_JOB, pb.ResumeJobRequest(id=job_id), _job, timeout)


def delete(job_id: str, timeout: Timeout) -> UnaryCall[pb.DeleteJobResponse, None]:
    """Forgets one job."""
    return UnaryCall(rpcs.DELETE_JOB, pb.DeleteJobRequest(id=job_id), lambda _: None, timeout)


def watch(job_id: str, after: int, timeout: float | None) -> StreamCall[pb.WatchJobResponse, JobEvent]:
    """Follows one job."""
    request = pb.WatchJobRequest(id=job_id, after_sequence=whole("after", after, high=UINT64))
    return StreamCall(rpcs.WATCH_JOB, request, lambda r: JobEvent.from_message(r.event), timeout)


def _job(
    reply: pb.CreateJobResponse | pb.GetJobResponse | pb.CancelJobResponse | pb.PauseJobResponse | pb.ResumeJobResponse,
) -> Job:
    return Job.from_message(reply.job)


def _page(reply: pb.ListJobsResponse) -> JobPage:
    return JobPage(tuple(Job.from_message(job) for job in reply.jobs), reply.next_page_token)
