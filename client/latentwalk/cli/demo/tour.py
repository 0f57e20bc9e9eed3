"""What the demo teaches and shows: which edits, and from where to where."""

from collections.abc import Mapping
from typing import NamedTuple


class Span(NamedTuple):
    """Amounts of an edit, in its unit."""

    low: float
    neutral: float
    """The untouched picture; half-way between the ends for a direction, so it stands in the middle of a strip."""
    high: float


# Within what the directions are trained on, and as far as this generator draws faces.
TOUR: Mapping[str, Span] = {
    "brightness": Span(-0.25, 0, 0.25),
    "zoom": Span(0.5, 1, 2),
    "shift_x": Span(-16, 0, 16),
    "rotate": Span(-45, 0, 45),
}
