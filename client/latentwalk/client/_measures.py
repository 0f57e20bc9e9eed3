"""Measures by their names."""

import re
from collections.abc import Mapping


def in_order(measures: Mapping[str, float]) -> dict[str, float]:
    """The same by name, as people count, "shift.2" before "shift.10": the wire keeps no order."""
    return dict(sorted(measures.items(), key=lambda named: _place(named[0])))


def _place(name: str) -> list[str | int]:
    return [int(part) if part.isdecimal() else part for part in re.split(r"([0-9]+)", name)]
