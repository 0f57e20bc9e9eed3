"""How a setting is declared: its default and its limits stand beside it, and one reader holds every spec to them."""

from dataclasses import dataclass, field
from typing import Any

BOUNDS = "bounds"
"""The key of a field's metadata under which its Bounds are."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The numbers that a setting may have."""

    low: float
    high: float
    above: bool = False
    """Whether `low` itself is too low."""

    def admit(self, value: float) -> bool:
        """Whether the value is within; NaN is not."""
        return (self.low < value if self.above else self.low <= value) and value <= self.high

    def __str__(self) -> str:
        if self.above:
            return f"above {self.low:,} and at most {self.high:,}"
        return f"from {self.low:,} to {self.high:,}"


def count(default: int, most: int, least: int = 1) -> Any:
    """A whole number; on the wire 0 stands for the default. A default of 0 is completed by the method's own rules."""
    return field(default=default, metadata={BOUNDS: Bounds(least, most)})


def number(default: float, low: float, high: float, *, above: bool = False) -> Any:
    """A real number; on the wire its absence stands for the default."""
    return field(default=default, metadata={BOUNDS: Bounds(low, high, above)})


def maybe(low: float, high: float, *, above: bool = False) -> Any:
    """A real number that may be left out, and then is None: completed by the method's own rules, or not wanted."""
    return field(default=None, metadata={BOUNDS: Bounds(low, high, above)})
