"""What is said about a job: by its process, one JSON object a line, and by the service, in the events that it keeps."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from functools import partial
from typing import Any, TypeAlias, TypeVar

from latentwalk.gan.spec import JsonObject


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    PAUSED = "PAUSED"


LIVE = frozenset({JobState.QUEUED, JobState.RUNNING})
RESUMABLE = frozenset({JobState.FAILED, JobState.CANCELLED, JobState.PAUSED})
ENDED = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED})


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is."""

    step: int
    """Steps done."""
    steps: int
    """Steps in all."""
    loss: float | None = None
    """The training loss, averaged over the steps since the report before; None if there were none."""
    elapsed: float = 0.0
    """Seconds of training so far, over all runs of the job."""
    remaining: float | None = None
    """Seconds that are left, by the speed of this run; None before it can be told."""
    terms: dict[str, float] = field(default_factory=dict[str, float])
    """The terms of the loss by name, averaged as the loss is."""


@dataclass(frozen=True, slots=True)
class Message:
    """A remark for people: one line."""

    text: str


@dataclass(frozen=True, slots=True)
class Sample:
    """Pictures from the middle of the training."""

    step: int
    caption: str
    """What they show, for people."""
    png: str
    """All of them in one sheet: a PNG in base64."""


@dataclass(frozen=True, slots=True)
class StateChange:
    """The job entered a state."""

    state: JobState
    reason: str = ""
    """Why; of RUNNING, on which device; empty when the state says all."""


@dataclass(frozen=True, slots=True)
class SliderEvaluation:
    """How well a slider does on held-out latents."""

    slider: str
    error: float
    """Masked mean squared error of the walked picture against the edited one, in (-1, 1)."""
    baseline: float
    """The same error of the untouched picture: what doing nothing costs."""


@dataclass(frozen=True, slots=True)
class Published:
    """One artifact that a job has published."""

    kind: str
    """As in the artifact store: "generators", "directions", ..."""
    name: str
    """That of a direction without its generator's."""
    version: int
    loaded: bool = False
    """Whether all generation servers have loaded it. The job's process leaves that to the service."""
    load_error: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """All that the job makes is published, and what it measures is told."""

    artifacts: tuple[Published, ...]
    generator_digest: str
    """Of the generator that was published or measured, or that the direction belongs to; empty if there is none."""
    evaluations: tuple[SliderEvaluation, ...] = ()
    measures: dict[str, float] = field(default_factory=dict[str, float])
    data: dict[str, str] = field(default_factory=dict[str, str])
    """The sha256 of the pictures that it read, by their part: "train", "test"."""


@dataclass(frozen=True, slots=True)
class Failure:
    """The job cannot go on, and trying again would not cure it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """The job's process was told to stop, and has written its checkpoint."""


Happening: TypeAlias = StateChange | Progress | Message | Sample
"""What is kept of a job as its events."""
Ending: TypeAlias = Result | Failure | Stopped
"""The last line of a job's process."""
News: TypeAlias = Progress | Message | Sample
"""What a job's process says on its way."""
Report: TypeAlias = News | Ending
"""A line of a job's process."""


def kind_of(said: type[Happening] | type[Report]) -> str:
    """The "kind" in the JSON of what is of this type."""
    return _KINDS[said]


def to_json(said: Happening | Report) -> dict[str, Any]:
    """Plain JSON: {"kind": ..., and the fields}."""
    return {"kind": kind_of(type(said)), **asdict(said)}


def happening_from_json(document: JsonObject) -> Happening:
    """Reads what to_json wrote. Raises KeyError, TypeError or ValueError for anything else."""
    return _HAPPENINGS[document["kind"]](document)


def report_from_json(document: JsonObject) -> Report:
    """Reads what to_json wrote. Raises KeyError, TypeError or ValueError for anything else."""
    return _REPORTS[document["kind"]](document)


def progress_from_fields(document: JsonObject) -> Progress:
    """The inverse of dataclasses.asdict for a Progress."""
    return _known(Progress, document)


def result_from_fields(document: JsonObject) -> Result:
    """The inverse of dataclasses.asdict for a Result."""
    artifacts = tuple(_known(Published, one) for one in document["artifacts"])
    evaluations = tuple(_known(SliderEvaluation, one) for one in document["evaluations"])
    return _known(Result, {**document, "artifacts": artifacts, "evaluations": evaluations})


Said = TypeVar("Said")


def _known(kind: type[Said], document: Mapping[str, Any]) -> Said:
    """Of these fields those that there are: a newer trainer, that had the jobs before, may have kept more of them."""
    known = {one.name for one in fields(kind)}  # pyright: ignore[reportArgumentType] - all of them are dataclasses
    return kind(**{name: value for name, value in document.items() if name in known})


def _state_change(document: JsonObject) -> StateChange:
    return StateChange(JobState(document["state"]), document["reason"])


_NEWS: dict[str, Callable[[JsonObject], News]] = {
    "progress": progress_from_fields,
    "message": partial(_known, Message),
    "sample": partial(_known, Sample),
}
_HAPPENINGS: Mapping[str, Callable[[JsonObject], Happening]] = {**_NEWS, "state_change": _state_change}
_REPORTS: Mapping[str, Callable[[JsonObject], Report]] = {
    **_NEWS,
    "result": result_from_fields,
    "failure": partial(_known, Failure),
    "stopped": partial(_known, Stopped),
}
_KINDS: dict[type, str] = {
    StateChange: "state_change",
    Progress: "progress",
    Message: "message",
    Sample: "sample",
    Result: "result",
    Failure: "failure",
    Stopped: "stopped",
}
