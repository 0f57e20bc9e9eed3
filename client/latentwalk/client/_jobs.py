"""Jobs of the trainer: what they do, how far they are, what happened to them, what came out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import overload

from google.protobuf.timestamp_pb2 import Timestamp

from latentwalk.client._errors import JobFailed
from latentwalk.client._numbers import UINT64, whole
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
    """Ended, and its direction is published."""
    FAILED = "failed"
    """Ended with an error; can be resumed."""
    CANCELLED = "cancelled"
    """Stopped by a caller; can be resumed."""

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
}
JOB_STATE_NUMBERS = {state: number for number, state in JOB_STATES.items()}


@dataclass(frozen=True, slots=True)
class EditTarget:
    """What one slider of a new direction imitates. Amounts are in the edit's unit."""

    edit: str
    """ "brightness", "red", "green", "blue", "zoom", "shift_x", "shift_y" or "rotate"."""
    low: float | None = None
    """The least amount to train on; None for the edit's own."""
    high: float | None = None
    """The greatest amount to train on; None for the edit's own."""

    @classmethod
    def from_message(cls, target: pb.EditTarget) -> "EditTarget":
        """The target in a message."""
        low = target.amount_low if target.HasField("amount_low") else None
        return cls(target.edit, low, target.amount_high if target.HasField("amount_high") else None)

    def message(self) -> pb.EditTarget:
        """The message of this target."""
        return pb.EditTarget(edit=self.edit, amount_low=self.low, amount_high=self.high)


@dataclass(frozen=True, slots=True)
class EditTraining:
    """What a job does that trains a linear direction to imitate edits. None stands for the trainer's own default."""

    model: str
    direction: str
    edits: tuple[EditTarget, ...]
    model_version: str = ""
    seed: int = 0
    steps: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    evaluation_size: int | None = None
    checkpoint_every: int | None = None

    @classmethod
    def from_message(cls, spec: pb.JobSpec) -> "EditTraining":
        """The spec in a message, every default filled in by the trainer."""
        method = spec.edit_direction
        return cls(
            model=spec.model,
            direction=spec.direction,
            edits=tuple(EditTarget.from_message(edit) for edit in method.edits),
            model_version=spec.model_version,
            seed=spec.seed,
            steps=method.steps,
            batch_size=method.batch_size,
            learning_rate=method.learning_rate if method.HasField("learning_rate") else None,
            evaluation_size=method.evaluation_size,
            checkpoint_every=spec.checkpoint_every,
        )

    def message(self) -> pb.JobSpec:
        """The message of this spec; what is None is left to the trainer."""
        method = pb.EditDirectionSpec(
            edits=[edit.message() for edit in self.edits],
            steps=whole("steps", self.steps or 0),
            batch_size=whole("batch_size", self.batch_size or 0),
            learning_rate=self.learning_rate,
            evaluation_size=whole("evaluation_size", self.evaluation_size or 0),
        )
        return pb.JobSpec(
            model=self.model,
            model_version=self.model_version,
            direction=self.direction,
            seed=whole("seed", self.seed, high=UINT64),
            checkpoint_every=whole("checkpoint_every", self.checkpoint_every or 0),
            edit_direction=method,
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

    @classmethod
    def from_message(cls, progress: pb.JobProgress) -> "JobProgress":
        """The progress in a message."""
        return cls(
            step=progress.step,
            steps=progress.steps,
            loss=progress.loss if progress.HasField("loss") else None,
            elapsed=progress.elapsed.ToTimedelta(),
            remaining=progress.remaining.ToTimedelta() if progress.HasField("remaining") else None,
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
class JobEvent:
    """Something that happened to a job."""

    sequence: int
    """From 1, without gaps."""
    time: datetime
    what: JobStateChange | JobProgress | JobMessage

    @classmethod
    def from_message(cls, event: pb.JobEvent) -> "JobEvent":
        """The event in a message."""
        what = {
            "state_change": lambda: JobStateChange.from_message(event.state_change),
            "progress": lambda: JobProgress.from_message(event.progress),
            "message": lambda: JobMessage.from_message(event.message),
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
class JobResult:
    """What a job has published."""

    direction: str
    direction_version: str
    generator_digest: str
    evaluations: tuple[SliderEvaluation, ...]
    """One for each slider."""
    loaded: bool
    """Whether the trainer's generation server has loaded it."""
    load_error: str
    """Why the server has not loaded it; empty if it has, or if the trainer has no server."""

    @classmethod
    def from_message(cls, result: pb.JobResult) -> "JobResult":
        """The result in a message."""
        evaluations = (SliderEvaluation(e.slider, e.error, e.baseline) for e in result.evaluations)
        return cls(
            direction=result.direction,
            direction_version=result.direction_version,
            generator_digest=result.generator_digest,
            evaluations=tuple(evaluations),
            loaded=result.loaded,
            load_error=result.load_error,
        )


@dataclass(frozen=True, slots=True)
class Job:
    """A training run, as it stood when it was asked for."""

    id: str
    spec: EditTraining
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

    @classmethod
    def from_message(cls, job: pb.Job) -> "Job":
        """The job in a message."""
        return cls(
            id=job.id,
            spec=EditTraining.from_message(job.spec),
            state=JOB_STATES.get(job.state, JobState.UNKNOWN),
            progress=JobProgress.from_message(job.progress),
            error=job.error,
            result=JobResult.from_message(job.result) if job.HasField("result") else None,
            create_time=job.create_time.ToDatetime(UTC),
            start_time=_time(job.start_time) if job.HasField("start_time") else None,
            end_time=_time(job.end_time) if job.HasField("end_time") else None,
            last_sequence=job.last_sequence,
        )

    def outcome(self) -> JobResult:
        """The result of a job that has ended; JobFailed if it has none."""
        if self.result is None:
            raise JobFailed(self)
        return self.result


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


def _time(timestamp: Timestamp) -> datetime:
    return timestamp.ToDatetime(UTC)
