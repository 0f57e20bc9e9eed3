"""From an error of grpc to one of ours: reads google.rpc.Status and its details, then asks the table."""

import re
from collections.abc import Iterable
from typing import cast

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from latentwalk.client._errors import ERRORS, Failure, ServiceError, Violation
from latentwalk.client._rpcs import Peer

DOMAIN = "latentwalk"
DETAILS_KEY = "grpc-status-details-bin"

# What grpc says when somebody is there whose health says NOT_SERVING.
_UNHEALTHY = "backend unhealthy"

# What to tell people when the failure is the transport's and no service has said anything.
TRANSPORT = {
    grpc.StatusCode.UNAVAILABLE: "no {peer} answers at {address}: {details}",
    grpc.StatusCode.DEADLINE_EXCEEDED: "no whole answer from the {peer} at {address}{within}",
}


# What grpc says before it comes to the point, which is at the end: "Connection refused".
_BEFORE_THE_POINT = re.compile(
    r"((connections to all backends failing|failed to connect to all addresses); last error: )?([A-Z_]+: )?"
    r"(ipv[46]:\S+: )?"
    r"(Failed to connect to remote host: )?"
)
# And what it says of a name that nobody knows: "Domain name not found".
_UNKNOWN_NAME = re.compile(r".*address lookup failed for \S+: (?P<point>[^\[\]]+)\]?")
# How its TLS says that whoever answered has none.
_WITHOUT_TLS = "WRONG_VERSION_NUMBER"


def failed(error: grpc.RpcError, *, peer: Peer, address: str, timeout: float | None, request_id: str) -> ServiceError:
    """The error of ours for one of grpc's, from a blocking or an asyncio call."""
    status = error.code()
    within = "" if timeout is None else f" within {timeout:.3g} s"
    failure = read_failure(error, request_id)
    if not failure.reason and failure.message.endswith(_UNHEALTHY):
        message = f"the {peer} at {address} starts, shuts down, or has lost its device"
        failure = Failure(failure.status, message, "NOT_SERVING", request_id=request_id)
    elif not failure.reason and status in TRANSPORT:
        details = to_the_point(failure.message)
        message = TRANSPORT[status].format(peer=peer, address=address, details=details, within=within)
        failure = Failure(failure.status, message, request_id=request_id)
    return ERRORS.get(failure.reason, ERRORS.get(status, ServiceError))(failure)


def to_the_point(details: str) -> str:
    """What grpc says of the transport, in fewer words."""
    if _WITHOUT_TLS in details:
        return "whoever listens there does not speak TLS"
    if unknown := _UNKNOWN_NAME.fullmatch(details):
        return unknown["point"]
    return _BEFORE_THE_POINT.sub("", details, count=1)


def read_failure(error: grpc.RpcError, request_id: str) -> Failure:
    """Everything the error says, as plain values."""
    info, bad_request, retry = ErrorInfo(), BadRequest(), RetryInfo()
    for detail in read_details(error):
        for message in (info, bad_request, retry):
            detail.Unpack(message)
    ours = info.domain == DOMAIN
    delay = retry.retry_delay
    return Failure(
        status=error.code().name,
        message=error.details() or "",
        reason=info.reason if ours else "",
        metadata=dict(info.metadata) if ours else {},
        violations=tuple(Violation(v.field, v.description) for v in bad_request.field_violations),
        retry_after=delay.seconds + delay.nanos / 1e9 if retry.HasField("retry_delay") else None,
        request_id=request_id,
    )


def read_details(error: grpc.RpcError) -> list[AnyMessage]:
    """The details of the google.rpc.Status that came with the error; none if it came without, or with nonsense."""
    # The stubs know neither that these are pairs, nor that an asyncio error has them in another container.
    for key, value in cast("Iterable[tuple[str, bytes]]", error.trailing_metadata() or ()):
        if key == DETAILS_KEY:
            try:
                return list(Status.FromString(value).details)
            except DecodeError:
                return []
    return []
