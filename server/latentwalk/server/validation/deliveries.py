"""How the frames of a request are to be drawn."""

from collections.abc import Mapping

from latentwalk.rpc.errors import InvalidRequest
from latentwalk.server.orders import Delivery
from latentwalk.server.scheduler import DEFAULT_FPS, Priority
from latentwalk.v1 import generation_service_pb2 as pb

_IS_STRICT: Mapping[int, bool] = {
    pb.DETERMINISM_UNSPECIFIED: False,
    pb.DETERMINISM_DEFAULT: False,
    pb.DETERMINISM_STRICT: True,
}
_PRIORITIES: Mapping[int, Priority] = {
    pb.PRIORITY_UNSPECIFIED: Priority.NORMAL,
    pb.PRIORITY_LOW: Priority.LOW,
    pb.PRIORITY_NORMAL: Priority.NORMAL,
    pb.PRIORITY_HIGH: Priority.HIGH,
}
_LEAST_FPS, _MOST_FPS = 0.1, 1_000.0
_MOST_FRAMES_PER_MESSAGE = 64


def read_delivery(delivery: pb.Delivery, frames: int) -> Delivery:
    """The delivery of a path of so many frames."""
    if delivery.determinism not in _IS_STRICT:
        raise InvalidRequest("delivery.determinism", f"{delivery.determinism} is none of DEFAULT (1) and STRICT (2)")
    if delivery.priority not in _PRIORITIES:
        raise InvalidRequest("delivery.priority", f"{delivery.priority} is none of LOW (1), NORMAL (2) and HIGH (3)")
    if delivery.first_frame >= frames:
        raise InvalidRequest("delivery.first_frame", f"{delivery.first_frame:,} must be less than {frames:,}")
    fps = delivery.fps if delivery.HasField("fps") else DEFAULT_FPS
    if not _LEAST_FPS <= fps <= _MOST_FPS:
        raise InvalidRequest("delivery.fps", f"{fps:g} must be from {_LEAST_FPS:g} to {_MOST_FPS:,.0f}")
    if delivery.frames_per_message > _MOST_FRAMES_PER_MESSAGE:
        asked = f"{delivery.frames_per_message:,} must be from 1 to {_MOST_FRAMES_PER_MESSAGE}"
        raise InvalidRequest("delivery.frames_per_message", asked)
    return Delivery(
        _IS_STRICT[delivery.determinism],
        _PRIORITIES[delivery.priority],
        fps,
        delivery.first_frame,
        delivery.frames_per_message or 1,
    )


def read_still_delivery(delivery: pb.Delivery) -> Delivery:
    """The delivery of pictures that are no stream: fps and first_frame have no meaning for them."""
    return read_delivery(pb.Delivery(determinism=delivery.determinism, priority=delivery.priority), frames=1)
