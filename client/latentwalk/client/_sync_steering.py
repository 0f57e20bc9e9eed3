"""Interactive steering, blocking. `_aio_steering` is its twin, method for method."""

import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, Generic, Self, TypeVar

import grpc
from numpy.typing import ArrayLike

from latentwalk.client._calls import Attempts, DuplexCall
from latentwalk.client._errors import ClientClosed
from latentwalk.client._latents import Classes, Seeds
from latentwalk.client._paths import Displacement
from latentwalk.client._steering import Helm, SteerAnswer
from latentwalk.v1 import generation_service_pb2 as pb

T = TypeVar("T")


class Newest(Iterator[T], Generic[T]):
    """A place for one value, between two threads: a newer one takes the place of the one before.

    Iterating gives each value at most once, waits for the next one, and ends when `end` was called: with the error that
    it was given, or without.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._value: T | None = None
        self._is_fresh = False
        self._has_ended = False
        self._error: Exception | None = None

    def put(self, value: T) -> None:
        """Puts the value in the place of the one before."""
        with self._changed:
            self._value, self._is_fresh = value, True
            self._changed.notify_all()

    def end(self, error: Exception | None = None) -> None:
        """No more values will come; the first end stands."""
        with self._changed:
            if not self._has_ended:
                self._has_ended, self._error = True, error
            self._changed.notify_all()

    def check(self) -> None:
        """Raises the error with which it ended, if it ended so."""
        if self._error is not None:
            raise self._error

    @property
    def has_ended(self) -> bool:
        """Whether no more values will come."""
        return self._has_ended

    def peek(self) -> T | None:
        """The newest value, whether it was given before or not; None before the first."""
        return self._value

    def __next__(self) -> T:
        with self._changed:
            self._changed.wait_for(lambda: self._is_fresh or self._has_ended)
            if self._is_fresh and self._value is not None:
                self._is_fresh = False
                return self._value
            self.check()
            raise StopIteration


class Steering(Iterator[SteerAnswer]):
    """An interactive stream: `move` as often as you like, and see the newest picture. Use it in a `with` statement.

    Nothing waits in line: a position that has not been sent, or not been drawn, when the next one comes is dropped; so
    is an answer that has not been looked at. Iterating waits for the next answer, and skips those that are overtaken
    meanwhile; it ends after `finish()` or `close()`. When the stream breaks, every method raises the reason.
    """

    def __init__(
        self, call: DuplexCall[pb.SteerResponse, SteerAnswer], start: Callable[[Iterator[Any]], Any], attempts: Attempts
    ) -> None:
        self._helm = Helm()
        self._turn = threading.Lock()
        self._positions: Newest[pb.SteerRequest] = Newest()
        self._answers: Newest[SteerAnswer] = Newest()
        replies = start(chain([call.request], self._positions))
        reading = (replies, call, attempts, self._positions, self._answers)
        threading.Thread(target=_read, args=reading, name="steering", daemon=True).start()
        # Also when it is forgotten: the threads know the places, but not this object.
        self._leave = weakref.finalize(self, _leave, replies, self._positions, self._answers)

    def move(
        self,
        *,
        seeds: Seeds | None = None,
        z: ArrayLike | None = None,
        classes: Classes | None = None,
        displacements: Displacement | Iterable[Displacement] = (),
        any_class: bool = False,
    ) -> int:
        """Goes to a position, which is said as a whole, as to `generate`; gives its number. Waits for nothing."""
        return self._send(lambda: self._helm.move(seeds, z, classes, displacements, any_class))

    def pause(self) -> int:
        """Asks for no more pictures, until the next `move` or `resume`."""
        return self._send(self._helm.pause)

    def resume(self) -> int:
        """Goes to the last position again."""
        return self._send(self._helm.resume)

    def latest(self) -> SteerAnswer | None:
        """The newest answer that has arrived, without waiting; None before the first."""
        self._answers.check()
        return self._answers.peek()

    def finish(self) -> None:
        """No more moves: the last position is still answered, then the answers end."""
        self._positions.end()

    def close(self) -> None:
        """Ends the stream at once."""
        self._leave()

    def _send(self, make: Callable[[], pb.SteerRequest]) -> int:
        self._answers.check()
        if self._positions.has_ended:
            raise ClientClosed("this steering is finished")
        with self._turn:
            request = make()
            self._positions.put(request)
        return request.sequence

    def __next__(self) -> SteerAnswer:
        return next(self._answers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _read(
    replies: Any,
    call: DuplexCall[pb.SteerResponse, SteerAnswer],
    attempts: Attempts,
    positions: Newest[pb.SteerRequest],
    answers: Newest[SteerAnswer],
) -> None:
    """Keeps the newest answer, in a thread of its own, so that none waits in the transport."""
    try:
        for reply in replies:
            answers.put(call.parse(reply))
    except grpc.RpcError as error:
        answers.end(attempts.failure(error))
    finally:
        answers.end()
        positions.end()


def _leave(replies: Any, positions: Newest[pb.SteerRequest], answers: Newest[SteerAnswer]) -> None:
    answers.end()
    positions.end()
    replies.cancel()
