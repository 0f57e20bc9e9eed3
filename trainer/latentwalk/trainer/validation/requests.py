"""The parts of requests that are no spec."""

import hashlib
from collections.abc import Mapping

from latentwalk.rpc.errors import InvalidRequest
from latentwalk.trainer.jobs.records import Request
from latentwalk.trainer.reports import JobState
from latentwalk.v1 import training_service_pb2 as pb

MAX_REQUEST_ID = 128
MAX_PAGE_SIZE = 1_000
DEFAULT_PAGE_SIZE = 100

STATES: Mapping[pb.JobState.ValueType, JobState] = {
    pb.JOB_STATE_QUEUED: JobState.QUEUED,
    pb.JOB_STATE_RUNNING: JobState.RUNNING,
    pb.JOB_STATE_SUCCEEDED: JobState.SUCCEEDED,
    pb.JOB_STATE_FAILED: JobState.FAILED,
    pb.JOB_STATE_CANCELLED: JobState.CANCELLED,
    pb.JOB_STATE_PAUSED: JobState.PAUSED,
}
"""The states of the wire."""


def read_request(message: pb.CreateJobRequest) -> Request:
    """What makes a request for a job idempotent: its id, and a digest of its spec as it was sent."""
    if len(message.request_id) > MAX_REQUEST_ID:
        raise InvalidRequest(
            "request_id", f"has {len(message.request_id)} characters; at most {MAX_REQUEST_ID} are allowed"
        )
    if not message.request_id.isprintable():
        raise InvalidRequest("request_id", f"{message.request_id!r} must be printable")
    sent = message.spec.SerializeToString(deterministic=True)
    return Request(message.request_id, hashlib.sha256(sent).hexdigest())


def read_states(states: "list[pb.JobState.ValueType]") -> frozenset[JobState]:
    """The states to list; none means all."""
    for index, state in enumerate(states):
        if state not in STATES:
            raise InvalidRequest(f"states[{index}]", f"{state} is none of {', '.join(JobState)}")
    return frozenset(STATES[state] for state in states)


def read_page(message: pb.ListJobsRequest) -> tuple[int | None, int]:
    """The number below which the page begins, None for the first page; and the size of the page."""
    size = message.page_size or DEFAULT_PAGE_SIZE
    if size > MAX_PAGE_SIZE:
        raise InvalidRequest("page_size", f"{size:,} must be from 1 to {MAX_PAGE_SIZE:,}")
    token = message.page_token
    if not token:
        return None, size
    if not (token.isascii() and token.isdecimal() and len(token) < 19):
        raise InvalidRequest("page_token", f"{token!r} was not given by this service: take it from the reply before")
    return int(token), size
