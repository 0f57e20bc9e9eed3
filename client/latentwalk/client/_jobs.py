"""Jobs of the trainer: what they do, how far they are, what happened to them, what came out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, overload

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from latentwalk.client._artifacts import ARTIFACT_KINDS, ArtifactKind
from latentwalk.client._errors import LatentwalkError
from latentwalk.client._limits import SliderLimits, limits_in
from latentwalk.client._measures import in_order
from latentwalk.v1 import training_service_pb2 as pb


class JobState(StrEnum):
    """Where a job stands."""

    UNKNOWN = "unknown"
    """A state that this SDK does not know."""
    QUEUED = "queued"
    """Waits for a free slot."""
    RUNNING = "running"
    """Runs in a process of its own."""
    SUCCEEDED = "succeeded"
    """Ended, and its result is published."""
    FAILED = "failed"
    """Ended with an error; can be resumed."""
    CANCELLED = "cancelled"
    """Stopped by a caller; can be resumed."""
    PAUSED = "paused"
    """Set aside by a caller; keeps its place in line until it is resumed."""

    @property
    def ended(self) -> bool:
        """Whether nothing more happens unless the job is resumed."""
        return self in (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)


JOB_STATES = {
    pb.JOB_STATE_QUEUED: JobState.QUEUED,
    pb.JOB_STATE_RUNNING: JobState.RUNNING,
    pb.JOB_STATE_SUCCEEDED: JobState.SUCCEEDED,
    pb.JOB_STATE_FAILED: JobState.FAILED,
    pb.JOB_STATE_CANCELLED: JobState.CANCELLED,
    pb.JOB_STATE_PAUSED: JobState.PAUSED,
}
JOB_STATE_NUMBERS: Mapping[str, pb.JobState.ValueType] = {state: number for number, state in JOB_STATES.items()}


@dataclass(frozen=True, slots=True)
class JobSpec:
    """What a job does, every default filled in by the trainer."""

    model: str
    """The generator that it works on, or the name under which it publishes a new one."""
    model_version: str
    """Empty for a job that works on no generator."""
    direction: str
    """The name of the direction that it publishes; empty if it publishes none."""
    seed: int
    checkpoint_every: int
    priority: int
    method: str
    """ "edit_direction", "discovery", "gan", ..."""
    settings: Mapping[str, Any]
    """What else there is to say, by the names of the method's message in latentwalk.v1; choices in the words in which a
    `train_...` takes them ("lenet")."""

    @classmethod
    def from_message(cls, spec: pb.JobSpec) -> "JobSpec":
        """The spec in a message."""
        method = spec.WhichOneof("method") or ""
        settings = _settings(getattr(spec, method)) if method else {}
        return cls(
            model=spec.model,
            model_version=spec.model_version,
            direction=spec.direction,
            seed=spec.seed,
            checkpoint_every=spec.checkpoint_every,
            priority=spec.priority,
            method=method,
            settings=settings,
        )


@dataclass(frozen=True, slots=True)
class JobProgress:
    """How far a job is."""

    step: int
    """Steps done."""
    steps: int
    """Steps in all."""
    loss: float | None
    """The training loss, averaged since the event before; None before the first step."""
    elapsed: timedelta
    """Training so far, over all runs of the job."""
    remaining: timedelta | None
    """What is left, by the speed of this run; None before it can be told."""
    terms: Mapping[str, float]
    """The terms of the loss by name, averaged as the loss is."""

    @classmethod
    def from_message(cls, progress: pb.JobProgress) -> "JobProgress":
        """The progress in a message."""
        return cls(
            step=progress.step,
            steps=progress.steps,
            loss=progress.loss if progress.HasField("loss") else None,
            elapsed=progress.elapsed.ToTimedelta(),
            remaining=progress.remaining.ToTimedelta() if progress.HasField("remaining") else None,
            terms=in_order(progress.terms),
        )


@dataclass(frozen=True, slots=True)
class JobStateChange:
    """A job entered a state."""

    state: JobState
    reason: str
    """Why; empty when the state says all."""

    @classmethod
    def from_message(cls, change: pb.JobStateChange) -> "JobStateChange":
        """The change in a message."""
        return cls(JOB_STATES.get(change.state, JobState.UNKNOWN), change.reason)


@dataclass(frozen=True, slots=True)
class JobMessage:
    """A remark of a job, for people; one line."""

    text: str

    @classmethod
    def from_message(cls, message: pb.JobMessage) -> "JobMessage":
        """The remark in a message."""
        return cls(message.text)


@dataclass(frozen=True, slots=True)
class JobSample:
    """Pictures from the middle of the training. In a notebook it shows itself."""

    step: int
    caption: str
    """What they show."""
    data: bytes = field(repr=False)
    """All of them in one sheet, PNG."""

    @classmethod
    def from_message(cls, sample: pb.JobSample) -> "JobSample":
        """The sample in a message."""
        return cls(sample.step, sample.caption, sample.png)

    def _repr_png_(self) -> bytes:
        return self.data


@dataclass(frozen=True, slots=True)
class JobEvent:
    """Something that happened to a job."""

    sequence: int
    """From 1; where one is missing, it is no longer kept."""
    time: datetime
    what: JobStateChange | JobProgress | JobMessage | JobSample

    @classmethod
    def from_message(cls, event: pb.JobEvent) -> "JobEvent":
        """The event in a message."""
        what = {
            "state_change": lambda: JobStateChange.from_message(event.state_change),
            "progress": lambda: JobProgress.from_message(event.progress),
            "message": lambda: JobMessage.from_message(event.message),
            "sample": lambda: JobSample.from_message(event.sample),
        }[event.WhichOneof("event") or "message"]()
        return cls(event.sequence, event.time.ToDatetime(UTC), what)


@dataclass(frozen=True, slots=True)
class SliderEvaluation:
    """How well one slider does on latents that it was never trained on."""

    slider: str
    error: float
    """Masked mean squared error of the walked picture against the edited one, in the picture's own range."""
    baseline: float
    """The same error of the untouched picture: what doing nothing costs."""

    @property
    def gain(self) -> float:
        """By which fraction walking beats doing nothing: 0.7 means 70 % less error; below 0 it is worse."""
        return 1 - self.error / self.baseline if self.baseline else 0.0


@dataclass(frozen=True, slots=True)
class PublishedArtifact:
    """One thing that a job has published."""

    kind: ArtifactKind
    name: str
    """That of a direction without its generator's."""
    version: str
    loaded: bool
    """Whether the trainer's generation server has loaded it."""
    load_error: str
    """Why the server has not loaded it; empty if it has, or if the trainer has no server."""

    @classmethod
    def from_message(cls, published: pb.PublishedArtifact) -> "PublishedArtifact":
        """The artifact in a message."""
        kind = ARTIFACT_KINDS.get(published.kind, ArtifactKind.UNKNOWN)
        return cls(kind, published.name, published.version, published.loaded, published.load_error)


@dataclass(frozen=True, slots=True)
class JobResult:
    """What a job has published."""

    artifacts: tuple[PublishedArtifact, ...]
    """In the order in which they were published."""
    generator_digest: str
    """Of the generator that was published or measured, or that the direction belongs to; empty if there is none."""
    evaluations: tuple[SliderEvaluation, ...]
    """One for each slider that imitates an edit."""
    measures: Mapping[str, float]
    """What else was measured, by name."""
    data_digests: Mapping[str, str]
    """The sha256 of the pictures that it read, by their part: "train", "test"; empty for a job without data."""

    @classmethod
    def from_message(cls, result: pb.JobResult) -> "JobResult":
        """The result in a message."""
        return cls(
            artifacts=tuple(PublishedArtifact.from_message(one) for one in result.artifacts),
            generator_digest=result.generator_digest,
            evaluations=tuple(SliderEvaluation(e.slider, e.error, e.baseline) for e in result.evaluations),
            measures=in_order(result.measures),
            data_digests=dict(result.data_digests),
        )

    @property
    def limits(self) -> Mapping[str, SliderLimits]:
        """How far sliders can go, by "<direction>.<slider>": the measures "limits..." of an evaluation."""
        return limits_in(self.measures)

    @property
    def load_error(self) -> str:
        """Why the server has not loaded all of it; empty if it has, or if the trainer has no server."""
        return "; ".join(one.load_error for one in self.artifacts if one.load_error)


@dataclass(frozen=True, slots=True)
class Job:
    """A training run, as it stood when it was asked for."""

    id: str
    spec: JobSpec
    state: JobState
    progress: JobProgress
    error: str
    """Why it failed; empty otherwise."""
    result: JobResult | None
    """What it published; only when it has SUCCEEDED."""
    create_time: datetime
    start_time: datetime | None
    """When its first run began."""
    end_time: datetime | None
    last_sequence: int
    """The sequence number of its newest event."""
    device: str
    """Of its newest run ("cuda:1"); empty before the first."""

    @classmethod
    def from_message(cls, job: pb.Job) -> "Job":
        """The job in a message."""
        return cls(
            id=job.id,
            spec=JobSpec.from_message(job.spec),
            state=JOB_STATES.get(job.state, JobState.UNKNOWN),
            progress=JobProgress.from_message(job.progress),
            error=job.error,
            result=JobResult.from_message(job.result) if job.HasField("result") else None,
            create_time=job.create_time.ToDatetime(UTC),
            start_time=_time(job.start_time) if job.HasField("start_time") else None,
            end_time=_time(job.end_time) if job.HasField("end_time") else None,
            last_sequence=job.last_sequence,
            device=job.device,
        )

    def outcome(self) -> JobResult:
        """The result of a job that has ended; JobFailed if it has none."""
        if self.result is None:
            raise JobFailed(self)
        return self.result


class JobFailed(LatentwalkError):
    """A job failed or was cancelled, so it has no result. `job` says in which state, at which step, and why."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.job = job

    def __str__(self) -> str:
        return f"job {self.job.id} {self.job.state}{': ' if self.job.error else ''}{self.job.error}"


@dataclass(frozen=True)
class JobPage(Sequence[Job]):
    """Some jobs, newest first."""

    jobs: tuple[Job, ...]
    next_page_token: str
    """Asks for the page after this one; empty on the last."""

    @overload
    def __getitem__(self, index: int) -> Job: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Job, ...]: ...
    def __getitem__(self, index: int | slice) -> Job | tuple[Job, ...]:
        return self.jobs[index]

    def __iter__(self) -> Iterator[Job]:
        return iter(self.jobs)

    def __len__(self) -> int:
        return len(self.jobs)


def _settings(message: Message) -> dict[str, Any]:
    """What is said in a message and in those within it."""
    return {descriptor.name: _said(descriptor, value) for descriptor, value in message.ListFields()}


def _said(descriptor: FieldDescriptor, value: Any) -> Any:
    if descriptor.is_repeated:
        return [_said_once(descriptor, one) for one in value]
    return _said_once(descriptor, value)


def _said_once(descriptor: FieldDescriptor, value: Any) -> Any:
    if descriptor.message_type is not None:
        return _settings(value)
    if descriptor.enum_type is None:
        return value
    known = descriptor.enum_type.values_by_number
    unspecified = known[0].name
    return known[value].name.removeprefix(unspecified.removesuffix("UNSPECIFIED")).lower() if value in known else value


def _time(timestamp: Timestamp) -> datetime:
    return timestamp.ToDatetime(UTC)
