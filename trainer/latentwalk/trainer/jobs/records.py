"""A job and its events, as they are kept."""

from dataclasses import dataclass

from latentwalk.trainer.reports import Happening, JobState, Progress, Result
from latentwalk.trainer.specs import AnyJobSpec


@dataclass(frozen=True, slots=True)
class Job:
    """A training run. Times are seconds since 1970, UTC."""

    id: str
    number: int
    """Rising with the time of creation."""
    spec: AnyJobSpec
    state: JobState
    progress: Progress
    error: str
    """Why it failed; empty otherwise."""
    result: Result | None
    """Only when SUCCEEDED."""
    restarts: int
    """How often its process was started again because it, or the trainer, was killed, since a caller last queued it."""
    create_time: float
    start_time: float | None
    """When its first run began."""
    end_time: float | None
    last_sequence: int
    """The sequence number of its newest event."""
    device: str = ""
    """Of its newest run; empty before the first."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a job."""

    sequence: int
    """From 1; where one is missing, it is no longer kept."""
    time: float
    happening: Happening


@dataclass(frozen=True, slots=True)
class Request:
    """A request for a new job: what makes it idempotent."""

    id: str
    """Chosen by the caller; empty if it need not be idempotent."""
    digest: str
    """Of what was asked for, as it was asked."""
