"""Handles on jobs, blocking. `_aio_jobs` is its twin, method for method."""

from collections.abc import Callable, Generator
from typing import Any, Concatenate, ParamSpec, TypeVar

from latentwalk.client import _training as training
from latentwalk.client._binding import like
from latentwalk.client._calls import UnaryCall
from latentwalk.client._deadlines import Deadline
from latentwalk.client._job_events import JobEvent
from latentwalk.client._job_results import JobResult
from latentwalk.client._numbers import number_or_none
from latentwalk.client._sync_connection import Connection
from latentwalk.client._values import text

P = ParamSpec("P")
T = TypeVar("T")


def _runs(verb: Callable[Concatenate[str, P], UnaryCall[Any, T]]) -> "Callable[Concatenate[JobHandle, P], T]":
    @like(verb, first="self")
    def method(self: "JobHandle", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.connection.run(verb(self.id, *args, **kwargs))

    return method


def _watches(
    verb: Callable[Concatenate[str, P], training.EventsCall],
) -> "Callable[Concatenate[JobHandle, P], Generator[JobEvent]]":
    @like(verb, first="self", returns=Generator[JobEvent])
    def method(self: "JobHandle", /, *args: P.args, **kwargs: P.kwargs) -> Generator[JobEvent]:
        return self.connection.stream(verb(self.id, *args, **kwargs))

    return method


class JobHandle:
    """A job of the trainer, by its id. Making one asks nothing of the trainer."""

    def __init__(self, connection: Connection, job_id: str) -> None:
        self.connection = connection
        """What makes the calls happen."""
        self.id = text("job_id", job_id)

    def __repr__(self) -> str:
        return f"JobHandle({self.id!r})"

    describe = _runs(training.describe)
    watch = _watches(training.watch)
    cancel = _runs(training.cancel)
    pause = _runs(training.pause)
    resume = _runs(training.resume)
    delete = _runs(training.delete)

    def result(self, *, timeout: float | None = None) -> JobResult:
        """Waits until the job has ended, at most `timeout` seconds; JobFailed if it failed or was cancelled."""
        deadline = Deadline(number_or_none("timeout", timeout))
        job = self.describe()
        while not job.state.ended:
            for _ in self.watch(after=job.last_sequence, timeout=deadline.seconds_left()):
                pass
            job = self.describe()
        return job.outcome()
