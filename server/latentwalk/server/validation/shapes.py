"""Shapes as callers send them: of any number of sizes, of which a message may have millions."""

from collections.abc import Sequence

_MOST_LISTED = 8


def is_shape(given: Sequence[int], *accepted: tuple[int, ...]) -> bool:
    """Whether a shape is one of those that are accepted."""
    return len(given) <= max(map(len, accepted)) and tuple(given) in accepted


def listed(shape: Sequence[int]) -> str:
    """A shape in words, if it is long the beginning of it."""
    more = ", ..." if len(shape) > _MOST_LISTED else ""
    return f"[{', '.join(map(str, shape[:_MOST_LISTED]))}{more}]"
