"""Interactive steering: what is sent, what comes back, and the course of the caller's positions, for both clients."""

from collections.abc import Iterable
from dataclasses import dataclass

import grpc
from numpy.typing import ArrayLike

from latentwalk.client._errors import ERRORS, Failure, ServiceError, Violation
from latentwalk.client._frames import Position
from latentwalk.client._latents import Classes, Seeds, latents
from latentwalk.client._paths import Displacement, displacement_messages
from latentwalk.client._pictures import Picture, Pictures
from latentwalk.v1 import error_reason_pb2
from latentwalk.v1 import generation_service_pb2 as pb

_STATUSES = {code.value[0]: code for code in grpc.StatusCode}


@dataclass(frozen=True, slots=True)
class SteerAnswer:
    """The answer to one position: its pictures, or why it cannot be drawn."""

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


def _refusal(refusal: pb.SteerRefusal) -> ServiceError:
    status = _STATUSES.get(refusal.code, grpc.StatusCode.UNKNOWN)
    known = error_reason_pb2.ErrorReason.values()
    reason = error_reason_pb2.ErrorReason.Name(refusal.reason) if refusal.reason in known else ""
    name = reason.removeprefix("ERROR_REASON_")
    violations = (Violation(refusal.field, refusal.message),) if refusal.field else ()
    failure = Failure(status.name, refusal.message, name, violations=violations)
    return ERRORS.get(name, ERRORS.get(status, ServiceError))(failure)


class Helm:
    """Numbers the positions of the caller, and remembers the last one."""

    def __init__(self) -> None:
        self._sequence = 0
        self._position = pb.SteerPosition()

    def move(
        self,
        seeds: Seeds | None,
        z: ArrayLike | None,
        classes: Classes | None,
        displacements: Displacement | Iterable[Displacement],
        any_class: bool,
    ) -> pb.SteerRequest:
        """The next position. InvalidRequest for one that cannot even be said."""
        self._position = pb.SteerPosition(
            latents=latents(seeds, z, classes), displacements=displacement_messages(displacements), any_class=any_class
        )
        return self._next(self._position)

    def pause(self) -> pb.SteerRequest:
        """The next position, which draws nothing."""
        return self._next(pb.SteerPosition(paused=True))

    def resume(self) -> pb.SteerRequest:
        """The last position that was no pause, again."""
        return self._next(self._position if self._position.latents else pb.SteerPosition(paused=True))

    def _next(self, position: pb.SteerPosition) -> pb.SteerRequest:
        self._sequence += 1
        return pb.SteerRequest(sequence=self._sequence, position=position)
