"""A call as a value: what to send, how to read the answer. Verbs make calls; a connection makes them happen."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import grpc
from google.protobuf.message import Message

from latentwalk.client._courses import Course
from latentwalk.client._deadlines import Deadline
from latentwalk.client._errors import Overloaded, ServiceError, Unavailable
from latentwalk.client._failures import failed
from latentwalk.client._numbers import number_or_none
from latentwalk.client._options import (
    FIRST_PAUSE,
    LONGEST_PAUSE,
    NOT_SAID,
    PAUSE_GROWTH,
    NotSaid,
    Options,
    Timeout,
)
from latentwalk.client._rpcs import Peer, Reply, Rpc

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class UnaryCall(Generic[Reply, Result]):
    """One request, one reply."""

    rpc: Rpc[Reply]
    request: Message
    parse: Callable[[Reply], Result]
    timeout: Timeout = NOT_SAID


@dataclass(frozen=True, slots=True)
class StreamCall(Generic[Reply, Result]):
    """One request, a stream of replies. Without a deadline unless one is said: nobody knows how slowly it is read."""

    rpc: Rpc[Reply]
    request: Message
    parse: Callable[[Reply], Result]
    timeout: float | None = None
    wait_for_ready: bool = False

    def course(self) -> Course[Reply]:
        """The course of making it happen once."""
        return Course(self.request)


@dataclass(frozen=True, slots=True)
class DuplexCall(Generic[Reply, Result]):
    """A first request, which others follow, and a stream of replies. Without a deadline unless one is said."""

    rpc: Rpc[Reply]
    request: Message
    parse: Callable[[Reply], Result]
    timeout: float | None = None


class Attempts:
    """The attempts at one call: the time that is left for them, and whether there may be another."""

    def __init__(self, options: Options, peer: Peer, timeout: Timeout) -> None:
        self._timeout = options.timeout if isinstance(timeout, NotSaid) else number_or_none("timeout", timeout)
        self._deadline = Deadline(self._timeout)
        self._patience = options.overload_retries
        self._retries = options.retries
        self._losses = 0
        self._peer: Peer = peer
        self._address = options.address_of(peer)
        self._request_id = uuid.uuid4().hex
        self.metadata = options.metadata(self._request_id)

    def seconds_left(self) -> float | None:
        """What the next attempt has; None for no deadline."""
        return self._deadline.seconds_left()

    def failure(self, error: grpc.RpcError) -> ServiceError:
        """The error as one of ours."""
        peer, address = self._peer, self._address
        return failed(error, peer=peer, address=address, timeout=self._timeout, request_id=self._request_id)

    def progress(self) -> None:
        """Something has arrived: connections that were lost before do not count any more."""
        self._losses = 0

    def pause_after(self, error: grpc.RpcError, course: Course[Any] | None = None) -> float:
        """Seconds to wait before the next attempt.

        Raises the error as one of ours if there is to be none: when the course of the stream does not survive it, when
        it came as often as the caller wanted to wait, and when the deadline would pass meanwhile.
        """
        failure, left = self.failure(error), self.seconds_left()
        survives = isinstance(failure, Overloaded) if course is None else course.survives(failure)
        losses = self._retries if course is None else course.most_losses(self._retries)
        pause = self._pause(failure, losses) if survives else None
        if pause is None or (left is not None and left <= pause):
            raise failure from error
        return pause

    def _pause(self, failure: ServiceError, most_losses: int) -> float | None:
        """How long to wait for an overloaded service, or for one that is away; None if not any more."""
        if isinstance(failure, Overloaded) and self._patience > 0:
            self._patience -= 1
            return failure.retry_after
        if isinstance(failure, Unavailable) and self._losses < most_losses:
            self._losses += 1
            # As grpc's own retries.
            return min(FIRST_PAUSE * PAUSE_GROWTH ** (self._losses - 1), LONGEST_PAUSE)
        return None
