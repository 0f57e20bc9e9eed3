"""The verbs of TrainingService that follow jobs; what makes them is in `_making` and the modules of the methods."""

from collections.abc import Iterable

from latentwalk.client import _rpcs as rpcs
from latentwalk.client._calls import StreamCall, UnaryCall
from latentwalk.client._choices import chosen
from latentwalk.client._courses import EventsCourse
from latentwalk.client._job_events import JOB_STATE_NUMBERS, JobEvent, JobState
from latentwalk.client._jobs import Job, JobPage
from latentwalk.client._numbers import UINT64, whole
from latentwalk.client._options import NOT_SAID, Timeout
from latentwalk.client._values import one_or_several, text
from latentwalk.v1 import training_service_pb2 as pb


class EventsCall(StreamCall[pb.WatchJobResponse, JobEvent]):
    """The events of a job, which go on where they broke off."""

    request: pb.WatchJobRequest

    def course(self) -> EventsCourse:
        """The course of making it happen once."""
        return EventsCourse(self.request)


def jobs(
    *,
    states: JobState | str | Iterable[JobState | str] = (),
    limit: int = 100,
    page_token: str = "",
    timeout: Timeout = NOT_SAID,
) -> UnaryCall[pb.ListJobsResponse, JobPage]:
    """Lists jobs, newest first.

    states: only jobs in this one, or in one of these ("running"); default all. limit: at most so many, 1 to 1,000; a
    page has fewer of those that were measured at length. page_token: the `next_page_token` of the page before; empty
    after the last.
    """
    wanted = one_or_several("states", states, str)
    request = pb.ListJobsRequest(
        states=[chosen(f"states[{index}]", state, JOB_STATE_NUMBERS) for index, state in enumerate(wanted)],
        page_size=whole("limit", limit, low=1),
        page_token=text("page_token", page_token),
    )
    return UnaryCall(rpcs.LIST_JOBS, request, _page, timeout)


def describe(job_id: str, *, timeout: Timeout = NOT_SAID) -> UnaryCall[pb.GetJobResponse, Job]:
    """The job as it stands now."""
    return UnaryCall(rpcs.GET_JOB, pb.GetJobRequest(id=job_id), _job, timeout)


def watch(job_id: str, *, after: int = 0, timeout: float | None = None) -> EventsCall:
    """The events of the job, from the one after the sequence number `after` on, until the job has ended.

    They go on where they broke off when the trainer is back within a minute, unless the client has no `retries`.
    """
    request = pb.WatchJobRequest(id=job_id, after_sequence=whole("after", after, high=UINT64))
    return EventsCall(rpcs.WATCH_JOB, request, lambda r: JobEvent.from_message(r.event), timeout)


def cancel(job_id: str, *, timeout: Timeout = NOT_SAID) -> UnaryCall[pb.CancelJobResponse, Job]:
    """Stops the job and keeps its checkpoint; JobStateConflict if it has ended."""
    return UnaryCall(rpcs.CANCEL_JOB, pb.CancelJobRequest(id=job_id), _job, timeout)


def pause(job_id: str, *, timeout: Timeout = NOT_SAID) -> UnaryCall[pb.PauseJobResponse, Job]:
    """Sets the job aside, with its checkpoint and its place in line; JobStateConflict if it has ended."""
    return UnaryCall(rpcs.PAUSE_JOB, pb.PauseJobRequest(id=job_id), _job, timeout)


def resume(job_id: str, *, timeout: Timeout = NOT_SAID) -> UnaryCall[pb.ResumeJobResponse, Job]:
    """Queues a job that is paused, cancelled or failed again, from its checkpoint; JobStateConflict otherwise."""
    return UnaryCall(rpcs.RESUME_JOB, pb.ResumeJobRequest(id=job_id), _job, timeout)


def delete(job_id: str, *, timeout: Timeout = NOT_SAID) -> UnaryCall[pb.DeleteJobResponse, None]:
    """Forgets a job that has ended; what it published stays. JobStateConflict while it is queued or running."""
    return UnaryCall(rpcs.DELETE_JOB, pb.DeleteJobRequest(id=job_id), lambda _: None, timeout)


def _job(
    reply: pb.GetJobResponse | pb.CancelJobResponse | pb.PauseJobResponse | pb.ResumeJobResponse,
) -> Job:
    return Job.from_message(reply.job)


def _page(reply: pb.ListJobsResponse) -> JobPage:
    return JobPage(tuple(Job.from_message(job) for job in reply.jobs), reply.next_page_token)
