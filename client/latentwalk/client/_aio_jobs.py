"""Handles on jobs, in an event loop. `_sync_jobs` is its twin, method for method."""

# ruff: noqa: ASYNC109 - a timeout here is a deadline that travels to the service, which asyncio.timeout() does not.

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from latentwalk.client import _training as training
from latentwalk.client._aio_connection import AsyncConnection
from latentwalk.client._binding import like
from latentwalk.client._calls import UnaryCall
from latentwalk.client._deadlines import Deadline
from latentwalk.client._job_events import JobEvent
from latentwalk.client._job_results import JobResult
from latentwalk.client._numbers import number_or_none
from latentwalk.client._values import text

P = ParamSpec("P")
T = TypeVar("T")


def _runs(
    verb: Callable[Concatenate[str, P], UnaryCall[Any, T]],
) -> "Callable[Concatenate[AsyncJobHandle, P], Awaitable[T]]":
    @like(verb, first="self")
    async def method(self: "AsyncJobHandle", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.connection.run(verb(self.id, *args, **kwargs))

    return method


def _watches(
    verb: Callable[Concatenate[str, P], training.EventsCall],
) -> "Callable[Concatenate[AsyncJobHandle, P], AsyncGenerator[JobEvent]]":
    @like(verb, first="self", returns=AsyncGenerator[JobEvent])
    def method(self: "AsyncJobHandle", /, *args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[JobEvent]:
        return self.connection.stream(verb(self.id, *args, **kwargs))

    return method


class AsyncJobHandle:
    """A job of the trainer, by its id. Making one asks nothing of the trainer."""

    def __init__(self, connection: AsyncConnection, job_id: str) -> None:
        self.connection = connection
        """What makes the calls happen."""
        self.id = text("job_id", job_id)

    def __repr__(self) -> str:
        return f"AsyncJobHandle({self.id!r})"

    describe = _runs(training.describe)
    watch = _watches(training.watch)
    cancel = _runs(training.cancel)
    pause = _runs(training.pause)
    resume = _runs(training.resume)
    delete = _runs(training.delete)

    async def result(self, *, timeout: float | None = None) -> JobResult:
        """Waits until the job has ended, at most `timeout` seconds; JobFailed if it failed or was cancelled."""
        deadline = Deadline(number_or_none("timeout", timeout))
        job = await self.describe()
        while not job.state.ended:
            async for _ in self.watch(after=job.last_sequence, timeout=deadline.seconds_left()):
                pass
            job = await self.describe()
        return job.outcome()
