"""Reading provenance, which is for people and may be anything: what is of another form is left out."""

import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, cast

MOST_LETTERS = 64


def text(value: object, most: int = MOST_LETTERS) -> str:
    """A text that is printable and not too long; empty for anything else."""
    return value if isinstance(value, str) and len(value) <= most and value.isprintable() else ""


def moment(value: str) -> datetime | None:
    """A time of ISO 8601 with its zone, in UTC; None for anything else."""
    try:
        time = datetime.fromisoformat(value)
        return time.astimezone(UTC) if time.tzinfo else None
    except (ValueError, OverflowError):
        return None


def mapping(value: object) -> Mapping[str, Any]:
    """A mapping; empty for anything else."""
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}


def mappings(value: object) -> list[Mapping[str, Any]]:
    """A list of mappings; empty ones for what is none."""
    return [mapping(one) for one in cast("list[object]", value)] if isinstance(value, list) else []


def numbers(value: object) -> Iterator[tuple[str, float]]:
    """Those that are finite, of names that are not too long."""
    for name, number in mapping(value).items():
        if text(name) and type(number) in (int, float) and abs(number) <= sys.float_info.max:
            yield name, float(number)
