"""The job store as the event loop sees it: nothing blocks, and whoever watches a job is told of its changes."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection
from contextvars import copy_context
from functools import partial
from typing import Concatenate, ParamSpec, TypeVar
from weakref import WeakValueDictionary

from sqlalchemy.exc import DataError, SQLAlchemyError

from latentwalk.rpc.errors import NotServing
from latentwalk.trainer.jobs.clerk import Clerk
from latentwalk.trainer.jobs.database import reason_of
from latentwalk.trainer.jobs.records import Event, Job
from latentwalk.trainer.jobs.store import JobStore
from latentwalk.trainer.reports import ENDED, JobState

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")
Changed = TypeVar("Changed", bound=Job | list[str] | None)

_EVENTS_AT_ONCE = 16
"""That a watcher holds, however slowly it reads: any of them may be a sheet of samples."""
_JOBS_AT_ONCE = 50
_RETRY_SECONDS = 1.0
_CLOSING_SECONDS = 2.0
"""For what is under way in the store when the book is closed."""

_log = logging.getLogger("latentwalk.jobs")


class JobBook:
    """Asks the store from one thread of its own, so that what is written first is also read first."""

    def __init__(self, store: JobStore) -> None:
        self._store = store
        self._clerk = Clerk("latentwalk-jobs")
        # A bell lives as long as somebody waits for it.
        self._bells: WeakValueDictionary[str, asyncio.Event] = WeakValueDictionary()
        self._closing = False

    async def read(
        self,
        method: Callable[Concatenate[JobStore, Arguments], Answer],
        *arguments: Arguments.args,
        **named: Arguments.kwargs,
    ) -> Answer:
        """Calls a method of the store that changes nothing: `await book.read(JobStore.find, job_id)`."""
        context = copy_context()  # for the log, which tells of whose request this is
        call = partial(context.run, method, self._store, *arguments, **named)
        return await asyncio.wrap_future(self._clerk.ask(call))

    async def change(
        self,
        method: Callable[Concatenate[JobStore, Arguments], Changed],
        *arguments: Arguments.args,
        **named: Arguments.kwargs,
    ) -> Changed:
        """Calls a method of the store that changes a job, and tells those who watch the job that it returns."""
        job = await self.read(method, *arguments, **named)
        if isinstance(job, Job) and (bell := self._bells.pop(job.id, None)):
            bell.set()
        return job

    async def insist(
        self,
        method: Callable[Concatenate[JobStore, Arguments], Changed],
        *arguments: Arguments.args,
        **named: Arguments.kwargs,
    ) -> Changed:
        """As `change`, but tries again for as long as the database fails: what a job did must not be lost.

        Raises DataError for what the database will never take. The log has a line for each reason, not each attempt.
        """
        told = ""
        while True:
            try:
                changed = await self.change(method, *arguments, **named)
            except DataError:  # at fault is what is to be written, not the database
                raise
            except SQLAlchemyError as error:
                if (reason := reason_of(error)) != told:
                    _log.error("the job database cannot be used, and is tried again and again: %s", reason)
                    told = reason
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                if told:
                    _log.info("the job database can be used again")
                return changed

    async def jobs(self, states: Collection[JobState], before: int | None) -> AsyncIterator[Job]:
        """Yields jobs as JobStore.page gives them, newest first, and reads no more of them at a time than a few."""
        while some := await self.read(JobStore.page, states, before, _JOBS_AT_ONCE):
            for job in some:
                yield job
            before = some[-1].number

    async def watch(self, job_id: str, after: int) -> AsyncIterator[Event]:
        """Yields the events with a greater sequence number as they come, and ends after the one that ends the job.

        Raises UnknownJob, also when the job is deleted meanwhile; NotServing when the book is closed.
        """
        while True:
            # Taken before the store is asked, so that no change can fall between the two.
            bell = self._bells.setdefault(job_id, asyncio.Event())
            job, events = await self.read(JobStore.events, job_id, after, _EVENTS_AT_ONCE)
            for event in events:
                yield event
                after = event.sequence
            if after < job.last_sequence:
                continue
            if job.state in ENDED:
                return
            if self._closing:
                raise NotServing(f"the trainer shuts down: watch job {job_id} again after sequence {after}")
            await bell.wait()

    def end_watches(self) -> None:
        """Lets every watcher go, as soon as it has seen the newest event."""
        self._closing = True
        for bell in list(self._bells.values()):
            bell.set()

    def close(self) -> None:
        """Waits for what is under way in the store, but not for ever, nor for what is in line, and closes it."""
        self._clerk.leave(_CLOSING_SECONDS)
        self._store.close()
