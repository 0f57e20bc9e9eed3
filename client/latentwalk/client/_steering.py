"""Interactive steering: what is sent, what comes back, and the course of the caller's positions, for both clients."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

import grpc
from numpy.typing import ArrayLike

from latentwalk.client._errors import ERRORS, ClientClosed, Failure, ServiceError, Violation
from latentwalk.client._frames import Position
from latentwalk.client._latents import Classes, Seeds, latents
from latentwalk.client._paths import Displacement, displacement_messages
from latentwalk.client._pictures import Picture, Pictures
from latentwalk.client._styles import Styles
from latentwalk.client._values import switch
from latentwalk.v1 import error_reason_pb2
from latentwalk.v1 import generation_service_pb2 as pb

T = TypeVar("T")

_STATUSES = {code.value[0]: code for code in grpc.StatusCode}


@dataclass(frozen=True, slots=True)
class SteerAnswer:
    """The answer to one position: its pictures, which it shows in a notebook, or why it cannot be drawn."""

    sequence: int
    """The number that `move` gave to the position."""
    dropped: int
    """How many positions before this one the server has dropped, because a newer one had overtaken them."""
    pictures: Pictures | None
    """One picture for each latent; None if the position was refused."""
    positions: tuple[Position, ...]
    """Where every slider of the position stands."""
    refusal: ServiceError | None
    """What a call that asked for this position would have raised; None if it was drawn."""

    @classmethod
    def from_message(cls, answer: pb.SteerResponse) -> "SteerAnswer":
        """The answer in a message."""
        if answer.WhichOneof("outcome") == "refusal":
            return cls(answer.sequence, answer.dropped, None, (), _refusal(answer.refusal))
        frame = answer.frame
        images = tuple(Picture.from_message(image) for image in frame.images)
        pictures = Pictures(images, frame.model_version, frame.model_digest)
        positions = tuple(Position.from_message(position) for position in frame.positions)
        return cls(answer.sequence, answer.dropped, pictures, positions, None)

    def _repr_png_(self) -> bytes | None:
        return self.pictures.grid().png() if self.pictures else None


def _refusal(refusal: pb.SteerRefusal) -> ServiceError:
    status = _STATUSES.get(refusal.code, grpc.StatusCode.UNKNOWN)
    known = error_reason_pb2.ErrorReason.values()
    reason = error_reason_pb2.ErrorReason.Name(refusal.reason) if refusal.reason in known else ""
    name = reason.removeprefix("ERROR_REASON_")
    problem = refusal.message.removeprefix(f"{refusal.field}: ")
    violations = (Violation(refusal.field, problem),) if refusal.field else ()
    failure = Failure(status.name, refusal.message, name, violations=violations)
    return ERRORS.get(name, ERRORS.get(status, ServiceError))(failure)


class Slot(Generic[T]):
    """A slot for one value, between two threads or two tasks: a newer one takes the place of the one before.

    Its iterators give each value at most once, wait for the next one, and end when `end` was called: with the error
    that it was given, or without.
    """

    def __init__(self) -> None:
        self._value: T | None = None
        self._is_fresh = False
        self._has_ended = False
        self._error: Exception | None = None

    def put(self, value: T) -> None:
        """Puts the value in the place of the one before."""
        self._value, self._is_fresh = value, True

    def end(self, error: Exception | None = None) -> None:
        """No more values will come; the first end stands."""
        if not self._has_ended:
            self._has_ended, self._error = True, error

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

    def _has_news(self) -> bool:
        return self._is_fresh or self._has_ended

    def _take(self, at_the_end: Exception) -> T:
        """The value, once; at the end, raises what it ended with."""
        if self._is_fresh and self._value is not None:
            self._is_fresh = False
            return self._value
        self.check()
        raise at_the_end


class Helm:
    """What a caller does in either client: it numbers the positions, and remembers the last one."""

    def __init__(self, positions: Slot[pb.SteerRequest], answers: Slot[SteerAnswer]) -> None:
        self._positions = positions
        self._answers = answers
        self._turn = threading.Lock()
        self._sequence = 0
        self._position = pb.SteerPosition()

    def move(
        self,
        *,
        seeds: Seeds | None = None,
        z: ArrayLike | None = None,
        w: ArrayLike | None = None,
        classes: Classes | None = None,
        styles: Styles | None = None,
        displacements: Displacement | Iterable[Displacement] = (),
        any_class: bool = False,
    ) -> int:
        """Goes to a position, which is said as a whole, as to `generate`; gives its number. Waits for nothing."""
        return self._send(
            lambda: pb.SteerPosition(
                latents=latents(seeds, z, w, classes, styles),
                displacements=displacement_messages(displacements),
                any_class=switch("any_class", any_class),
            )
        )

    def pause(self) -> int:
        """Asks for no more pictures, until the next `move` or `resume`."""
        return self._send(lambda: pb.SteerPosition(paused=True))

    def resume(self) -> int:
        """Goes to the last position again."""
        return self._send(lambda: self._position if self._position.latents else pb.SteerPosition(paused=True))

    def latest(self) -> SteerAnswer | None:
        """The newest answer that has arrived, without waiting; None before the first."""
        self._answers.check()
        return self._answers.peek()

    def finish(self) -> None:
        """No more moves: the last position is still answered, then the answers end."""
        self._positions.end()

    def _send(self, make: Callable[[], pb.SteerPosition]) -> int:
        self._answers.check()
        if self._positions.has_ended:
            raise ClientClosed("this steering is finished")
        with self._turn:
            position = make()
            if not position.paused:
                self._position = position
            self._sequence += 1
            self._positions.put(pb.SteerRequest(sequence=self._sequence, position=position))
            return self._sequence
