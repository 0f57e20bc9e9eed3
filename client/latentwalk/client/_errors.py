"""The errors of the SDK. Whatever goes wrong is one of these; nothing of grpc comes through.

An exception's `args` are what its constructor took: so it can be pickled, and come out of another process.

LatentwalkError
├── ClientClosed             the client was used after close()
├── NoTrainer                a job was asked for, but the client has no trainer_address
├── JobFailed                a job ended without a result (beside Job, in _jobs)     .job
├── ModelChanged             a stream broke off, and other weights would go on with it   .next_index
└── ServiceError             what a service answered        .status .reason .metadata .request_id
    ├── InvalidRequest       a field is out of its bounds (also a ValueError)        .violations
    ├── NotFound             no such model, direction, job or version (also a LookupError)
    ├── AlreadyExists        a request id was used for another job
    ├── FailedPrecondition   right in itself, wrong now
    │   ├── GeneratorMismatch   the direction belongs to another generator           .expected_digest .actual_digest
    │   ├── CorruptArtifact     a file in the store is damaged                       .file
    │   ├── ArtifactInUse       a version cannot be deleted: it is served, or needed
    │   └── JobStateConflict    the job is in a state in which this cannot be done
    ├── LimitExceeded        a message or the service is at its limit
    │   └── Overloaded          refused for now; try again later                     .retry_after
    │       └── RateLimited         this client asks too often, or for too much at once
    ├── DeadlineExceeded     no answer in time (also a TimeoutError)
    ├── Cancelled            the call was cancelled
    ├── Unavailable          nobody there, starting, draining, no device (also a ConnectionError)
    ├── Unauthenticated      no token, or not a valid one
    ├── PermissionDenied     a valid token that may not do this                      .role
    ├── Unimplemented        the service does not know this call: it is older than the SDK
    └── InternalError        a fault of the service; its log has all of it under the request id
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import grpc


class Violation(NamedTuple):
    """One field that was refused, and why."""

    field: str
    problem: str


@dataclass(frozen=True, slots=True)
class Failure:
    """What is known about a call that failed: a google.rpc.Status and its details, read."""

    status: str
    message: str
    reason: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    violations: tuple[Violation, ...] = ()
    retry_after: float | None = None
    request_id: str = ""


class LatentwalkError(Exception):
    """The root of every error of the SDK."""


class ClientClosed(LatentwalkError):
    """The client was used after it had been closed."""


class NoTrainer(LatentwalkError):
    """A job was asked for, but the client was made without a `trainer_address`."""


class ModelChanged(LatentwalkError):
    """A stream of frames broke off, and the server has taken up other weights since.

    The frames that arrived are good. `next_index` is the first one that is missing; `expected_digest` and
    `actual_digest` say which weights drew those before, and which would draw the others.
    """

    def __init__(self, next_index: int, expected_digest: str, actual_digest: str) -> None:
        super().__init__(next_index, expected_digest, actual_digest)
        self.next_index = next_index
        self.expected_digest = expected_digest
        self.actual_digest = actual_digest

    def __str__(self) -> str:
        return (
            f"the stream broke off before frame {self.next_index} and cannot go on: {self.expected_digest} drew it, "
            f"and the server has {self.actual_digest} now"
        )


class ServiceError(LatentwalkError):
    """A call failed.

    `status` is the gRPC status by name ("NOT_FOUND"), `reason` an ErrorReason of latentwalk.v1 without its prefix
    ("UNKNOWN_MODEL"; empty if the failure is not the service's own word), `metadata` what the service added,
    `request_id` what to look for in the service's log.
    """

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.failure = failure
        self.status = failure.status
        self.reason = failure.reason
        self.metadata = failure.metadata
        self.request_id = failure.request_id

    def __str__(self) -> str:
        return self.failure.message


class InvalidRequest(ServiceError, ValueError):
    """A field is out of its bounds. Raised by the service, or by the SDK before anything is sent."""

    @classmethod
    def of(cls, field: str, problem: str) -> "InvalidRequest":
        """The refusal of one field."""
        violation = Violation(field, problem)
        return cls(Failure("INVALID_ARGUMENT", f"{field}: {problem}", "INVALID_REQUEST", violations=(violation,)))

    @property
    def violations(self) -> Sequence[Violation]:
        """Every refused field with its problem, as (field, problem)."""
        return self.failure.violations


class NotFound(ServiceError, LookupError):
    """No such model, direction or job; the message lists those that exist."""


class AlreadyExists(ServiceError):
    """The request id was used before, for another job."""


class FailedPrecondition(ServiceError):
    """The request is right in itself, but not in the state that the service is in."""


class GeneratorMismatch(FailedPrecondition):
    """The direction belongs to another generator than the one that is loaded."""

    @property
    def expected_digest(self) -> str:
        """The digest of the generator that the direction belongs to."""
        return self.metadata.get("expected_digest", "")

    @property
    def actual_digest(self) -> str:
        """The digest of the generator that is loaded."""
        return self.metadata.get("actual_digest", "")


class CorruptArtifact(FailedPrecondition):
    """A file in the artifact store is damaged."""

    @property
    def file(self) -> str:
        """The damaged file, as the service sees it."""
        return self.metadata.get("file", "")


class ArtifactInUse(FailedPrecondition):
    """A version in the artifact store cannot be deleted: it is served, or something needs it."""

    @classmethod
    def of(cls, problem: str) -> "ArtifactInUse":
        """One that the SDK has found."""
        return cls(Failure("FAILED_PRECONDITION", problem, "ARTIFACT_IN_USE"))


class JobStateConflict(FailedPrecondition):
    """The job is in a state in which this cannot be done."""


class LimitExceeded(ServiceError):
    """A message is larger than allowed, or the service is at one of its limits."""


class Overloaded(LimitExceeded):
    """Refused at once, nothing was done: the queue is full."""

    @property
    def retry_after(self) -> float:
        """Seconds after which the service expects to have room."""
        return self.failure.retry_after or 0.0


class RateLimited(Overloaded):
    """Refused at once, nothing was done: this client makes calls too fast, or has too many under way."""


class DeadlineExceeded(ServiceError, TimeoutError):
    """No answer within the deadline."""


class Cancelled(ServiceError):
    """The call was cancelled, by this side or by the other."""


class Unavailable(ServiceError, ConnectionError):
    """Nobody answers at the address, the service starts or drains, or its device failed."""


class Unauthenticated(ServiceError):
    """No token, or not a valid one."""


class PermissionDenied(ServiceError):
    """The token is valid, but may not do this."""

    @property
    def role(self) -> str:
        """The role that this takes."""
        return self.metadata.get("role", "")


class Unimplemented(ServiceError):
    """The service does not know this call: it is older than the SDK, or another service."""


class InternalError(ServiceError):
    """A fault of the service; its log has all of it under `request_id`."""


# The one table: the service's own reason first, else the gRPC status.
ERRORS: Mapping[str | grpc.StatusCode, type[ServiceError]] = {
    "INVALID_REQUEST": InvalidRequest,
    "UNKNOWN_MODEL": NotFound,
    "UNKNOWN_DIRECTION": NotFound,
    "UNKNOWN_JOB": NotFound,
    "GENERATOR_MISMATCH": GeneratorMismatch,
    "CORRUPT_ARTIFACT": CorruptArtifact,
    "STORE_FAILED": FailedPrecondition,
    "UNKNOWN_ARTIFACT": NotFound,
    "ARTIFACT_IN_USE": ArtifactInUse,
    "JOB_STATE": JobStateConflict,
    "REQUEST_ID_REUSED": AlreadyExists,
    "QUEUE_FULL": Overloaded,
    "DEADLINE": DeadlineExceeded,
    "NOT_SERVING": Unavailable,
    "UNAUTHENTICATED": Unauthenticated,
    "PERMISSION_DENIED": PermissionDenied,
    "RATE_LIMITED": RateLimited,
    "DEVICE_FAILED": Unavailable,
    "DEVICE_OUT_OF_MEMORY": LimitExceeded,
    "INTERNAL": InternalError,
    grpc.StatusCode.CANCELLED: Cancelled,
    grpc.StatusCode.UNKNOWN: InternalError,
    grpc.StatusCode.INVALID_ARGUMENT: InvalidRequest,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.ALREADY_EXISTS: AlreadyExists,
    grpc.StatusCode.PERMISSION_DENIED: PermissionDenied,
    grpc.StatusCode.RESOURCE_EXHAUSTED: LimitExceeded,
    grpc.StatusCode.FAILED_PRECONDITION: FailedPrecondition,
    grpc.StatusCode.ABORTED: FailedPrecondition,
    grpc.StatusCode.OUT_OF_RANGE: InvalidRequest,
    grpc.StatusCode.UNIMPLEMENTED: Unimplemented,
    grpc.StatusCode.INTERNAL: InternalError,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.DATA_LOSS: InternalError,
    grpc.StatusCode.UNAUTHENTICATED: Unauthenticated,
}
