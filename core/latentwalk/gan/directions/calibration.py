"""Which amount of its edit a slider really achieves, as it was measured."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from latentwalk.gan.edits import Span
from latentwalk.gan.errors import GanError


@dataclass(frozen=True, slots=True)
class Calibration:
    """A measured curve from alpha to the amount that is achieved; it is valid from its first point to its last.

    Raises GanError unless there are two points or more, all finite, with alphas that rise from 0 or less to 0 or more
    and amounts that all rise or all fall.
    """

    alphas: tuple[float, ...]
    amounts: tuple[float, ...]
    """In the unit of the edit, one for each alpha."""

    def __post_init__(self) -> None:
        points = f"a calibration has alphas {list(self.alphas)} and amounts {list(self.amounts)}"
        if len(self.alphas) != len(self.amounts) or len(self.alphas) < 2:
            raise GanError(f"{points}: there must be as many of both, two or more")
        if not all(map(math.isfinite, (*self.alphas, *self.amounts))):
            raise GanError(f"{points}: all must be finite")
        if not (_rises(self.alphas) and self.alphas[0] <= 0 <= self.alphas[-1]):
            raise GanError(f"{points}: alphas must rise, and 0 must lie between them")
        if not (_rises(self.amounts) or _rises(self.amounts[::-1])):
            raise GanError(f"{points}: amounts must all rise, or all fall")

    @property
    def valid(self) -> Span:
        """Between which alphas it tells amounts."""
        return self.alphas[0], self.alphas[-1]

    @property
    def reach(self) -> Span:
        """The least and the greatest amount that it tells the alpha of."""
        low, high = sorted((self.amounts[0], self.amounts[-1]))
        return low, high

    def turned(self) -> "Calibration":
        """That of the slider whose alpha is the opposite."""
        return Calibration(tuple(-alpha for alpha in reversed(self.alphas)), self.amounts[::-1])


def along(place: float, places: Sequence[float], values: Sequence[float]) -> float:
    """The value at a place, on the straight lines through points whose places all rise, or all fall.

    Beyond the ends it is the value there.
    """
    if places[0] > places[-1]:
        places, values = places[::-1], values[::-1]
    after = min(max(bisect_left(places, place), 1), len(places) - 1)
    part = (place - places[after - 1]) / (places[after] - places[after - 1])
    part = min(max(part, 0.0), 1.0)
    return (1 - part) * values[after - 1] + part * values[after]


def _rises(numbers: Sequence[float]) -> bool:
    return all(before < after for before, after in pairwise(numbers))
