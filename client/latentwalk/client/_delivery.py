"""How the frames of a call are drawn: who goes first, how exactly alike, how fast they are wanted, from where on."""

from collections.abc import Mapping
from typing import Literal

from latentwalk.client._choices import chosen
from latentwalk.client._numbers import number, whole
from latentwalk.v1 import generation_service_pb2 as pb

Determinism = Literal["default", "strict"]
"""Whether a picture is the same within 1/255 or byte for byte, whatever else is drawn in its batch."""

Priority = Literal["low", "normal", "high"]
"""Who goes first when the device is busy."""

DETERMINISMS: Mapping[str, pb.Determinism.ValueType] = {
    "default": pb.DETERMINISM_DEFAULT,
    "strict": pb.DETERMINISM_STRICT,
}
PRIORITIES: Mapping[str, pb.Priority.ValueType] = {
    "low": pb.PRIORITY_LOW,
    "normal": pb.PRIORITY_NORMAL,
    "high": pb.PRIORITY_HIGH,
}


# The most that a server sends together: each message costs both sides more than a small frame does.
_FRAMES_PER_MESSAGE = 64


def delivery_message(determinism: str, priority: str) -> pb.Delivery:
    """The delivery on the wire; InvalidRequest for a name that is not one."""
    return pb.Delivery(
        determinism=chosen("determinism", determinism, DETERMINISMS),
        priority=chosen("priority", priority, PRIORITIES),
    )


def frames_delivery_message(determinism: str, priority: str, fps: float | None, first_frame: int) -> pb.Delivery:
    """That of a stream of frames."""
    message = delivery_message(determinism, priority)
    if fps is not None:
        message.fps = number("fps", fps)
    message.first_frame = whole("first_frame", first_frame)
    message.frames_per_message = _FRAMES_PER_MESSAGE
    return message
