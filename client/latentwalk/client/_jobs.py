"""Jobs of the trainer, as they stood when they were asked for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import overload

from google.protobuf.timestamp_pb2 import Timestamp

from latentwalk.client._errors import LatentwalkError
from latentwalk.client._job_events import JOB_STATES, JobProgress, JobState
from latentwalk.client._job_results import JobResult
from latentwalk.client._job_specs import JobSpec
from latentwalk.v1 import training_service_pb2 as pb


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


def _time(timestamp: Timestamp) -> datetime:
    return timestamp.ToDatetime(UTC)
