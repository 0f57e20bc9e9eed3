"""The errors a caller can be told about: one class each, with its status and its reason.

    ServiceError
    ├── InvalidRequest       INVALID_ARGUMENT      the request itself is wrong
    ├── UnknownModel         NOT_FOUND             ┐
    ├── UnknownDirection     NOT_FOUND             ├ what it names does not exist
    ├── UnknownJob           NOT_FOUND             │
    ├── UnknownArtifact      NOT_FOUND             ┘
    ├── GeneratorMismatch    FAILED_PRECONDITION   ┐
    ├── CorruptArtifact      FAILED_PRECONDITION   │
    ├── StoreFailed          FAILED_PRECONDITION   │
    ├── ArtifactInUse        FAILED_PRECONDITION   ├ it cannot be done as things stand
    ├── JobStateConflict     FAILED_PRECONDITION   │
    ├── RequestIdReused      ALREADY_EXISTS        ┘
    ├── QueueFull            RESOURCE_EXHAUSTED    ┐
    ├── RateLimited          RESOURCE_EXHAUSTED    │
    ├── DeviceOutOfMemory    RESOURCE_EXHAUSTED    │
    ├── DeadlineExceeded     DEADLINE_EXCEEDED     ├ not now
    ├── NotServing           UNAVAILABLE           │
    ├── DeviceFailed         UNAVAILABLE           ┘
    ├── Unauthenticated      UNAUTHENTICATED       who are you?
    ├── PermissionDenied     PERMISSION_DENIED     not you
    └── Internal             INTERNAL              our fault; the log has all of it

What the caller sees is a google.rpc.Status (AIP-193): the message, an ErrorInfo with the reason and metadata, and the
details that belong to the class.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import ClassVar

import grpc
from google.protobuf import any_pb2
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from latentwalk.v1 import error_reason_pb2 as reasons

DOMAIN = "latentwalk"

# A status travels in headers: its message as it is, and all of it in base64. gRPC's default limit for all headers of a
# reply is 8 KiB, and beyond that the caller gets RESOURCE_EXHAUSTED in its place. All sizes are bytes.
_MOST_NAMES = 16
_LONGEST_VIOLATIONS = 2_400
LONGEST_MESSAGE = 1_500
LONGEST_VALUE = 200
# Four bytes, each as %XX.
_LARGEST_CHARACTER = 12


class ServiceError(Exception):
    """What went wrong, in words for the caller; `metadata` goes into the ErrorInfo."""

    status: ClassVar[grpc.StatusCode] = grpc.StatusCode.INTERNAL
    reason: ClassVar[reasons.ErrorReason.ValueType] = reasons.ERROR_REASON_INTERNAL

    def __init__(self, message: str, **metadata: str) -> None:
        super().__init__(message)
        self.message = message
        self.metadata = metadata

    def details(self) -> list[Message]:
        """The messages that go into the details of the google.rpc.Status, ErrorInfo first."""
        name = reasons.ErrorReason.Name(self.reason).removeprefix("ERROR_REASON_")
        metadata = {key: shortened(value, LONGEST_VALUE) for key, value in self.metadata.items()}
        return [ErrorInfo(reason=name, domain=DOMAIN, metadata=metadata)]


class InvalidRequest(ServiceError):
    """One or more fields are out of their bounds. `violations` holds pairs of (field, problem)."""

    status = grpc.StatusCode.INVALID_ARGUMENT
    reason = reasons.ERROR_REASON_INVALID_REQUEST

    def __init__(self, field: str, problem: str, *more: tuple[str, str]) -> None:
        self.violations: Sequence[tuple[str, str]] = ((field, problem), *more)
        super().__init__("; ".join(f"{field}: {problem}" for field, problem in self.violations))

    @classmethod
    def of(cls, violations: Iterable[tuple[str, str]]) -> "InvalidRequest":
        """One error for all `violations`, of which there must be at least one."""
        first, *more = violations
        return cls(*first, *more)

    def details(self) -> list[Message]:
        """ErrorInfo, and a BadRequest with the first violations."""
        bad_request = BadRequest()
        for field, problem in self.violations:
            violation = BadRequest.FieldViolation(
                field=shortened(field, LONGEST_VALUE), description=shortened(problem, LONGEST_VALUE)
            )
            if bad_request.ByteSize() + violation.ByteSize() > _LONGEST_VIOLATIONS:
                break
            bad_request.field_violations.append(violation)
        return [*super().details(), bad_request]


class _Unknown(ServiceError):
    status = grpc.StatusCode.NOT_FOUND
    kind: ClassVar[str]

    def __init__(self, name: str, existing: Sequence[str], *, version: object = None) -> None:
        what = self.kind if version is None else f"version {version} of {self.kind}"
        super().__init__(f"no {what} {shortened(name, LONGEST_VALUE)!r}; {_listed(existing)}", name=name)
        self.name = name
        self.existing = tuple(existing)


class UnknownModel(_Unknown):
    """No model of that `name`, or no such `version` of it; `existing` are those there are."""

    reason = reasons.ERROR_REASON_UNKNOWN_MODEL
    kind = "model"


class UnknownDirection(_Unknown):
    """No direction of that `name`, or no such `version` of it; `existing` are those there are."""

    reason = reasons.ERROR_REASON_UNKNOWN_DIRECTION
    kind = "direction"


class UnknownJob(_Unknown):
    """No job of that id; `existing` are those there are, newest first."""

    reason = reasons.ERROR_REASON_UNKNOWN_JOB
    kind = "job"


class UnknownArtifact(ServiceError):
    """The artifact store has no such version."""

    status = grpc.StatusCode.NOT_FOUND
    reason = reasons.ERROR_REASON_UNKNOWN_ARTIFACT


class GeneratorMismatch(ServiceError):
    """A direction belongs to another generator; the metadata has both digests."""

    status = grpc.StatusCode.FAILED_PRECONDITION
    reason = reasons.ERROR_REASON_GENERATOR_MISMATCH


class CorruptArtifact(ServiceError):
    """An artifact is damaged; the metadata has the file."""

    status = grpc.StatusCode.FAILED_PRECONDITION
    reason = reasons.ERROR_REASON_CORRUPT_ARTIFACT


class StoreFailed(ServiceError):
    """The artifact store cannot be written to."""

    status = grpc.StatusCode.FAILED_PRECONDITION
    reason = reasons.ERROR_REASON_STORE_FAILED

    def __init__(self, path: str, error: OSError) -> None:
        problem = f"cannot be written to: {error.strerror or error}"
        super().__init__(f"the artifact store at {path} {problem}; see to it, and try again")


class ArtifactInUse(ServiceError):
    """A version is served, or needed by others, and so not to be deleted."""

    status = grpc.StatusCode.FAILED_PRECONDITION
    reason = reasons.ERROR_REASON_ARTIFACT_IN_USE


class JobStateConflict(ServiceError):
    """The job is in a state in which this cannot be done."""

    status = grpc.StatusCode.FAILED_PRECONDITION
    reason = reasons.ERROR_REASON_JOB_STATE


class RequestIdReused(ServiceError):
    """The same request id was used for another spec."""

    status = grpc.StatusCode.ALREADY_EXISTS
    reason = reasons.ERROR_REASON_REQUEST_ID_REUSED


class _TooMuch(ServiceError):
    """Refused at once; it may be sent again after `retry_after_seconds`."""

    status = grpc.StatusCode.RESOURCE_EXHAUSTED

    def __init__(self, message: str, retry_after_seconds: float, **metadata: str) -> None:
        super().__init__(message, **metadata)
        self.retry_after_seconds = retry_after_seconds

    def details(self) -> list[Message]:
        """ErrorInfo, and a RetryInfo."""
        delay = Duration()
        delay.FromMilliseconds(max(1, round(self.retry_after_seconds * 1000)))
        return [*super().details(), RetryInfo(retry_delay=delay)]


class QueueFull(_TooMuch):
    """There is no room for this request now."""

    reason = reasons.ERROR_REASON_QUEUE_FULL


class RateLimited(_TooMuch):
    """This caller has too many calls under way, or makes them too fast."""

    reason = reasons.ERROR_REASON_RATE_LIMITED


class DeadlineExceeded(ServiceError):
    """The caller's deadline passed, or would have."""

    status = grpc.StatusCode.DEADLINE_EXCEEDED
    reason = reasons.ERROR_REASON_DEADLINE


class NotServing(ServiceError):
    """The service starts or drains."""

    status = grpc.StatusCode.UNAVAILABLE
    reason = reasons.ERROR_REASON_NOT_SERVING


class DeviceFailed(ServiceError):
    """The device does not answer, or lost what it was drawing; the call may be sent again."""

    status = grpc.StatusCode.UNAVAILABLE
    reason = reasons.ERROR_REASON_DEVICE_FAILED


class DeviceOutOfMemory(ServiceError):
    """The device has not the memory for what was asked, not even alone."""

    status = grpc.StatusCode.RESOURCE_EXHAUSTED
    reason = reasons.ERROR_REASON_DEVICE_OUT_OF_MEMORY


class Unauthenticated(ServiceError):
    """No token, or not a valid one."""

    status = grpc.StatusCode.UNAUTHENTICATED
    reason = reasons.ERROR_REASON_UNAUTHENTICATED


class PermissionDenied(ServiceError):
    """The caller is known, but has not the role that this takes; the metadata names it."""

    status = grpc.StatusCode.PERMISSION_DENIED
    reason = reasons.ERROR_REASON_PERMISSION_DENIED


class Internal(ServiceError):
    """A fault of the service. The message must not say more than the caller may know."""


def rich_status(error: ServiceError) -> Status:
    """The google.rpc.Status that carries `error` to the caller; small enough for a header."""
    message = shortened(error.message, LONGEST_MESSAGE, _bytes_in_header)
    status = Status(code=error.status.value[0], message=message)
    for detail in error.details():
        packed = any_pb2.Any()
        packed.Pack(detail)
        status.details.append(packed)
    return status


def _bytes(character: str) -> int:
    return len(character.encode(errors="replace"))


def _bytes_in_header(character: str) -> int:
    """In the header of the message, gRPC writes all that is not plain ASCII as %XX, byte by byte."""
    return 1 if " " <= character <= "~" and character != "%" else 3 * _bytes(character)


def shortened(text: str, longest: int, size: Callable[[str], int] = _bytes) -> str:
    """`text`, cut to at most `longest` bytes by the `size` of its characters; the cut is visible."""
    if len(text) * _LARGEST_CHARACTER <= longest:  # as most are
        return text
    # No character is smaller than 1, and a text may have millions of them.
    sizes = list(accumulate(map(size, text[: longest + 1])))
    if not sizes or sizes[-1] <= longest:
        return text
    return text[: bisect_right(sizes, longest - size("…"))] + "…"


def _listed(names: Sequence[str]) -> str:
    if not names:
        return "there are none"
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return "there are: " + ", ".join(names[:_MOST_NAMES]) + more
