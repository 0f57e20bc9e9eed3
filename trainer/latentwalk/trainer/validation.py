"""Requests of the wire -> the plain dataclasses of this package, or InvalidRequest naming the field.

Whatever could make a job fail for its spec's sake is found here, before the job is queued.
"""

import hashlib
import math
from collections.abc import Callable, Mapping

import torch

from latentwalk.gan.artifacts import ArtifactStore, load_generator
from latentwalk.gan.artifacts.manifest import is_name_part
from latentwalk.gan.edits import EDITS, Edit
from latentwalk.gan.errors import GanError, UnknownArtifact
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.rpc.errors import InvalidRequest, UnknownModel
from latentwalk.trainer.jobs.records import Request
from latentwalk.trainer.reports import JobState
from latentwalk.trainer.specs import EditDirectionSpec, EditTarget, JobSpec
from latentwalk.v1 import training_service_pb2 as pb

MAX_REQUEST_ID = 128
MAX_PAGE_SIZE = 1_000
MAX_STEPS = 1_000_000
MAX_BATCH_SIZE = 1_024
MAX_EVALUATION_SIZE = 65_536

DEFAULT_PAGE_SIZE = 100
DEFAULT_CHECKPOINT_EVERY = 50
DEFAULT_STEPS = 250
DEFAULT_BATCH_SIZE = 16
DEFAULT_LEARNING_RATE = 0.4
"""Measured, see methods.edit_direction."""
DEFAULT_EVALUATION_SIZE = 1_024


def read_request(message: pb.CreateJobRequest) -> Request:
    """What makes a request for a job idempotent: its id, and a digest of its spec as it was sent."""
    if len(message.request_id) > MAX_REQUEST_ID:
        raise InvalidRequest(
            "request_id", f"has {len(message.request_id)} characters; at most {MAX_REQUEST_ID} are allowed"
        )
    sent = message.spec.SerializeToString(deterministic=True)
    return Request(message.request_id, hashlib.sha256(sent).hexdigest())


def read_spec(message: pb.JobSpec, store: ArtifactStore) -> JobSpec:
    """The spec with every default filled in.

    Raises InvalidRequest; UnknownModel for a generator or a version that the store does not have, CorruptArtifact (of
    latentwalk.gan) for one that cannot be read. Blocks while it reads the generator.
    """
    method = message.WhichOneof("method")
    if method is None:
        raise InvalidRequest("spec.method", f"is needed: set one of {', '.join(_METHODS)}")
    if not is_name_part(message.direction):
        raise InvalidRequest(
            "spec.direction",
            f"{message.direction!r} must be 1 to 63 characters a-z, 0-9, '_', '.', '-', the first a letter or a digit",
        )
    version, generator = _generator(message, store)
    return JobSpec(
        model=message.model,
        model_version=version,
        direction=message.direction,
        seed=message.seed,
        checkpoint_every=_count("spec.checkpoint_every", message.checkpoint_every, DEFAULT_CHECKPOINT_EVERY, MAX_STEPS),
        method=method,
        settings=_METHODS[method](message, generator),
    )


def read_states(states: "list[pb.JobState.ValueType]") -> frozenset[JobState]:
    """The states to list; none means all."""
    for index, state in enumerate(states):
        if state not in STATES:
            raise InvalidRequest(f"states[{index}]", f"{state} is none of {', '.join(JobState)}")
    return frozenset(STATES[state] for state in states)


def read_page(message: pb.ListJobsRequest) -> tuple[int | None, int]:
    """The number below which the page begins, None for the first page; and the size of the page."""
    size = _count("page_size", message.page_size, DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
    token = message.page_token
    if not token:
        return None, size
    if not (token.isascii() and token.isdecimal() and len(token) < 19):
        raise InvalidRequest("page_token", f"{token!r} was not given by this service: take it from the reply before")
    return int(token), size


STATES: Mapping[pb.JobState.ValueType, JobState] = {
    pb.JOB_STATE_QUEUED: JobState.QUEUED,
    pb.JOB_STATE_RUNNING: JobState.RUNNING,
    pb.JOB_STATE_SUCCEEDED: JobState.SUCCEEDED,
    pb.JOB_STATE_FAILED: JobState.FAILED,
    pb.JOB_STATE_CANCELLED: JobState.CANCELLED,
}
"""The states of the wire."""


# -- the parts of a spec ---------------------------------------------------------------------------------------------


def _count(field: str, value: int, default: int, most: int) -> int:
    """A positive number; 0 stands for the default."""
    if value > most:
        raise InvalidRequest(field, f"{value:,} must be from 1 to {most:,}")
    return value or default


def _generator(message: pb.JobSpec, store: ArtifactStore) -> tuple[int, GeneratorSpec]:
    """The version and the spec of the generator to work on."""
    if not is_name_part(message.model):
        raise InvalidRequest("spec.model", f"{message.model!r} is no name of a generator")
    wanted = message.model_version
    if wanted and not (wanted.isascii() and wanted.isdecimal() and int(wanted) >= 1):
        raise InvalidRequest(
            "spec.model_version", f"{wanted!r} must be a whole number from 1 on, or empty for the newest"
        )
    try:
        generator, ref = load_generator(store, message.model, int(wanted) if wanted else None)
    except UnknownArtifact as error:
        name = message.model if error.version is None else f"{message.model} version {error.version}"
        raise UnknownModel(name, error.existing) from error
    return ref.version, generator.spec


def _edit_direction(message: pb.JobSpec, generator: GeneratorSpec) -> EditDirectionSpec:
    settings, field = message.edit_direction, "spec.edit_direction"
    if not settings.edits:
        raise InvalidRequest(f"{field}.edits", "has none; at least 1 is needed")
    names = [target.edit for target in settings.edits]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise InvalidRequest(f"{field}.edits[{index}].edit", f"{name!r} is there twice")
    return EditDirectionSpec(
        edits=tuple(
            _target(f"{field}.edits[{index}]", target, generator) for index, target in enumerate(settings.edits)
        ),
        steps=_count(f"{field}.steps", settings.steps, DEFAULT_STEPS, MAX_STEPS),
        batch_size=_count(f"{field}.batch_size", settings.batch_size, DEFAULT_BATCH_SIZE, MAX_BATCH_SIZE),
        learning_rate=_learning_rate(f"{field}.learning_rate", settings),
        evaluation_size=_count(
            f"{field}.evaluation_size", settings.evaluation_size, DEFAULT_EVALUATION_SIZE, MAX_EVALUATION_SIZE
        ),
    )


def _learning_rate(field: str, settings: pb.EditDirectionSpec) -> float:
    if not settings.HasField("learning_rate"):
        return DEFAULT_LEARNING_RATE
    if not 0 < settings.learning_rate <= 1:
        raise InvalidRequest(field, f"{settings.learning_rate:g} must be above 0 and at most 1")
    return settings.learning_rate


def _target(field: str, target: pb.EditTarget, generator: GeneratorSpec) -> EditTarget:
    if target.edit not in EDITS:
        raise InvalidRequest(f"{field}.edit", f"{target.edit!r} is none of {', '.join(EDITS)}")
    edit = EDITS[target.edit]
    low, high = edit.default_range(generator.resolution)
    low = target.amount_low if target.HasField("amount_low") else low
    high = target.amount_high if target.HasField("amount_high") else high
    for name, amount in (("amount_low", low), ("amount_high", high)):
        _check_amount(f"{field}.{name}", edit, amount, generator)
    try:
        edit.draw(1, low, high, torch.Generator())
    except GanError as error:
        raise InvalidRequest(f"{field}.amount_high", str(error)) from error
    return EditTarget(edit.name, low, high)


def _check_amount(field: str, edit: Edit, amount: float, generator: GeneratorSpec) -> None:
    low, high = edit.domain
    if not (math.isfinite(amount) and low <= amount <= high):
        raise InvalidRequest(field, f"{amount:g} {edit.unit} must be finite and from {low:g} to {high:g}")
    picture = torch.zeros(1, generator.channels, generator.resolution, generator.resolution)
    try:
        _, mask = edit(picture, torch.tensor([amount]))
    except GanError as error:
        raise InvalidRequest(field.rpartition(".")[0] + ".edit", f"{edit.name}: {error}") from error
    if not mask.any():
        raise InvalidRequest(
            field,
            f"{amount:g} {edit.unit} leaves nothing of a picture of {generator.resolution} x {generator.resolution} px",
        )


_METHODS: Mapping[str, Callable[[pb.JobSpec, GeneratorSpec], EditDirectionSpec]] = {"edit_direction": _edit_direction}
