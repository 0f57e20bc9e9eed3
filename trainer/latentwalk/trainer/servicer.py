"""The TrainingService: translates, and delegates to the book of jobs and to their dispatcher."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from latentwalk.rpc.roles import Role
from latentwalk.trainer import validation
from latentwalk.trainer.jobs.book import JobBook
from latentwalk.trainer.jobs.dispatcher import Dispatcher
from latentwalk.trainer.jobs.process import Launcher
from latentwalk.trainer.jobs.store import JobStore
from latentwalk.trainer.materials import Materials
from latentwalk.trainer.messages import event_message, job_message
from latentwalk.v1 import training_service_pb2 as pb
from latentwalk.v1 import training_service_pb2_grpc

SERVICE_NAME = pb.DESCRIPTOR.services_by_name["TrainingService"].full_name

MAX_PAGE_BYTES = 3 * 2**20
"""Of jobs in one reply, but for a single one that is larger: clients of gRPC take 4 MiB unless they are told more."""

ROLES: Mapping[str, Role] = {
    "CreateJob": Role.TRAINER,
    "GetJob": Role.VIEWER,
    "ListJobs": Role.VIEWER,
    "CancelJob": Role.TRAINER,
    "PauseJob": Role.TRAINER,
    "ResumeJob": Role.TRAINER,
    "DeleteJob": Role.TRAINER,
    "WatchJob": Role.VIEWER,
}
"""The role that each rpc takes."""


class TrainingServicer(training_service_pb2_grpc.TrainingServiceServicer):
    """Jobs that find directions, and train generators."""

    def __init__(self, materials: Materials, book: JobBook, dispatcher: Dispatcher, launcher: Launcher) -> None:
        self._materials = materials
        self._book = book
        self._dispatcher = dispatcher
        self._launcher = launcher

    async def CreateJob(self, request: pb.CreateJobRequest, context: Any) -> pb.CreateJobResponse:  # noqa: N802
        """Queues a job."""
        order = validation.read_request(request)
        job = await self._book.read(JobStore.requested, order)
        if job is None:
            spec = await asyncio.to_thread(validation.read_spec, request.spec, self._materials)
            job = await self._dispatcher.queue(lambda store: store.create(order, spec))
        return pb.CreateJobResponse(job=job_message(job))

    async def GetJob(self, request: pb.GetJobRequest, context: Any) -> pb.GetJobResponse:  # noqa: N802
        """Describes one job."""
        return pb.GetJobResponse(job=job_message(await self._book.read(JobStore.find, request.id)))

    async def ListJobs(self, request: pb.ListJobsRequest, context: Any) -> pb.ListJobsResponse:  # noqa: N802
        """Lists jobs, newest first."""
        states = validation.read_states(list(request.states))
        before, size = validation.read_page(request)
        reply, room = pb.ListJobsResponse(), MAX_PAGE_BYTES
        async for job in self._book.jobs(states, before):
            message = job_message(job)
            room -= message.ByteSize()
            if reply.jobs and (room < 0 or len(reply.jobs) == size):
                reply.next_page_token = str(before)
                break
            reply.jobs.append(message)
            before = job.number
        return reply

    async def CancelJob(self, request: pb.CancelJobRequest, context: Any) -> pb.CancelJobResponse:  # noqa: N802
        """Stops a job and keeps its checkpoint."""
        # A caller that hangs up has still cancelled the job.
        job = await asyncio.shield(self._dispatcher.cancel(request.id))
        return pb.CancelJobResponse(job=job_message(job))

    async def PauseJob(self, request: pb.PauseJobRequest, context: Any) -> pb.PauseJobResponse:  # noqa: N802
        """Sets a job aside and keeps its checkpoint."""
        job = await asyncio.shield(self._dispatcher.pause(request.id))
        return pb.PauseJobResponse(job=job_message(job))

    async def ResumeJob(self, request: pb.ResumeJobRequest, context: Any) -> pb.ResumeJobResponse:  # noqa: N802
        """Queues a paused, cancelled or failed job again."""
        job = await self._dispatcher.queue(lambda store: store.resume(request.id))
        return pb.ResumeJobResponse(job=job_message(job))

    async def DeleteJob(self, request: pb.DeleteJobRequest, context: Any) -> pb.DeleteJobResponse:  # noqa: N802
        """Forgets a job that has ended, and its folder."""
        await asyncio.shield(self._delete(request.id))
        return pb.DeleteJobResponse()

    async def WatchJob(  # noqa: N802
        self, request: pb.WatchJobRequest, context: Any
    ) -> AsyncIterator[pb.WatchJobResponse]:
        """Streams the events of a job."""
        async for event in self._book.watch(request.id, request.after_sequence):
            yield pb.WatchJobResponse(event=event_message(event))

    async def _delete(self, job_id: str) -> None:
        job = await self._book.change(JobStore.delete, job_id)
        await asyncio.to_thread(self._launcher.forget, job.id)
