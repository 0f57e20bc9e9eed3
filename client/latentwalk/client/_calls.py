"""A call as a value: what to send, how to read the answer. Verbs make calls; a connection makes them happen."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import grpc
from google.protobuf.message import Message

from latentwalk.client._errors import Overloaded
from latentwalk.client._failures import failed
from latentwalk.client._options import NOT_SAID, NotSaid, Options, Timeout
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


class Attempts:
    """The attempts at one call: the time that is left for them, and whether there may be another."""

    def __init__(self, options: Options, peer: Peer, timeout: Timeout) -> None:
        self._timeout = options.timeout if isinstance(timeout, NotSaid) else timeout
        self._ends = None if self._timeout is None else time.monotonic() + self._timeout
        self._patience = options.overload_retries
        self._address = options.address_of(peer)
        self._request_id = uuid.uuid4().hex
        self.metadata = options.metadata(self._request_id)

    def seconds_left(self) -> float | None:
        """What the next attempt has; None for no deadline."""
        return None if self._ends is None else max(0.0, self._ends - time.monotonic())

    def pause_after(self, error: grpc.RpcError, *, begun: bool = False) -> float:
        """Seconds to wait before the next attempt.

        Raises the error as one of ours if there is to be none: only an overloaded service is asked again, as often as
        the caller wanted, and never once a stream has `begun` or beyond the deadline.
        """
        failure = failed(error, address=self._address, timeout=self._timeout, request_id=self._request_id)
        if begun or self._patience == 0 or not isinstance(failure, Overloaded):
            raise failure from error
        left = self.seconds_left()
        if left is not None and left <= failure.retry_after:
            raise failure from error
        self._patience -= 1
        return failure.retry_after
