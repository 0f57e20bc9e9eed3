"""Interactive steering, blocking. `_aio_steering` is its twin, method for method."""

import threading
import weakref
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any, Self, TypeVar

import grpc

from latentwalk.client._calls import Attempts, DuplexCall
from latentwalk.client._steering import Helm, Slot, SteerAnswer
from latentwalk.v1 import generation_service_pb2 as pb

T = TypeVar("T")


class Newest(Slot[T], Iterator[T]):
    """A slot between two threads."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()

    def put(self, value: T) -> None:
        """Puts the value in the place of the one before."""
        with self._changed:
            super().put(value)
            self._changed.notify_all()

    def end(self, error: Exception | None = None) -> None:
        """No more values will come; the first end stands."""
        with self._changed:
            super().end(error)
            self._changed.notify_all()

    def __next__(self) -> T:
        with self._changed:
            self._changed.wait_for(self._has_news)
            return self._take(StopIteration())


class Steering(Helm, Iterator[SteerAnswer]):
    """An interactive stream: `move` as often as you like, and see the newest picture. Use it in a `with` statement.

    Nothing waits in line: a position that has not been sent, or not been drawn, when the next one comes is dropped; so
    is an answer that has not been looked at. Iterating waits for the next answer, and skips those that are overtaken
    meanwhile; it ends after `finish()` or `close()`. When the stream breaks, every method raises the reason.
    """

    def __init__(
        self, call: DuplexCall[pb.SteerResponse, SteerAnswer], start: Callable[[Iterator[Any]], Any], attempts: Attempts
    ) -> None:
        positions, answers = Newest[pb.SteerRequest](), Newest[SteerAnswer]()
        super().__init__(positions, answers)
        self._arriving = answers
        replies = start(chain([call.request], positions))
        reading = (replies, call, attempts, positions, answers)
        threading.Thread(target=_read, args=reading, name="steering", daemon=True).start()
        # Also when it is forgotten: the threads know the slots, but not this object.
        self._leave = weakref.finalize(self, _leave, replies, positions, answers)

    def close(self) -> None:
        """Ends the stream at once."""
        self._leave()

    def __next__(self) -> SteerAnswer:
        return next(self._arriving)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _read(
    replies: Any,
    call: DuplexCall[pb.SteerResponse, SteerAnswer],
    attempts: Attempts,
    positions: Slot[pb.SteerRequest],
    answers: Slot[SteerAnswer],
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


def _leave(replies: Any, positions: Slot[pb.SteerRequest], answers: Slot[SteerAnswer]) -> None:
    answers.end()
    positions.end()
    replies.cancel()
