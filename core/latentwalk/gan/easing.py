"""How time becomes progress, frame by frame."""

from collections.abc import Callable

from latentwalk.gan.errors import GanError, OutOfRange

EASINGS: dict[str, Callable[[float], float]] = {
    "linear": lambda t: t,
    "ease_in": lambda t: t * t,
    "ease_out": lambda t: t * (2 - t),
    "ease_in_out": lambda t: t * t * (3 - 2 * t),
}
"""From [0, 1] onto [0, 1], rising, with both ends fixed; ease_in_out is the smoothstep 3t^2 - 2t^3."""


def check_leg(frames: int, easing: str) -> None:
    """Raises GanError for a leg of less than one frame, or with an unknown easing."""
    if frames < 1:
        raise GanError(f"a leg has {frames} frames: it must have at least 1")
    if easing not in EASINGS:
        raise GanError(f"easing is {easing!r}: use one of {', '.join(EASINGS)}")


def check_frame(index: int, frames: int) -> None:
    """Raises OutOfRange for an index that is not from 0 to frames - 1."""
    if not 0 <= index < frames:
        raise OutOfRange("frame", index, 0, frames - 1)
