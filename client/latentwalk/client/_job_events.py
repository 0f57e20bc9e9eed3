"""What happens to a job: the states that it enters, how far it is, what it says and shows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from latentwalk.client._files import StrPath, save_bytes
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

    def save(self, path: StrPath) -> None:
        """Writes the sheet as it came, a PNG file, whatever the ending of `path`."""
        save_bytes(self.data, path)

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
