"""Answers on stdout: tables for people, JSON for scripts."""

import dataclasses
import json
import shutil
import sys
import textwrap
from base64 import b64encode
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer
from rich.cells import cell_len
from rich.console import Console

Json = Annotated[bool, typer.Option("--json", help="JSON, for scripts")]

errors = Console(stderr=True)

_GAP = "  "
_PROSE = 24
"""Letters that the last column of a table has at least, however narrow the terminal is."""


def show_table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Prints a table, every cell as it is; a head without any words is left out.

    Only its last column is broken into lines, between words, and only where a terminal is too narrow for it: all others
    can be copied. What a program or a file reads has no edge.
    """
    lines = [[str(cell) for cell in line] for line in (columns, *rows)]
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)][:-1]
    taken = sum(widths) + len(_GAP) * len(widths)
    room = max(shutil.get_terminal_size().columns - taken, _PROSE) if sys.stdout.isatty() else sys.maxsize
    for number, (*cells, last) in enumerate(lines):
        if number == 0 and not any((*cells, last)):
            continue
        start = "".join(cell + " " * (width - cell_len(cell)) + _GAP for cell, width in zip(cells, widths, strict=True))
        for part in textwrap.wrap(last, room, break_on_hyphens=False) or [""]:
            typer.secho(f"{start}{part}".rstrip(), bold=number == 0)
            start = " " * taken


def show_time(time: datetime | None) -> str:
    """A time, as the clock here shows it; empty for none."""
    return "" if time is None else time.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def show_age(age: timedelta) -> str:
    """How long ago, in the largest unit of which there are two: "90 s", "5 min", "47 h", "12 d"."""
    seconds = max(0, round(age.total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def show_digest(digest: str) -> str:
    """The beginning of a digest, by which those of one table are told apart; empty for none."""
    return digest.removeprefix("sha256:")[:12]


def show_json(value: Any) -> None:
    """Prints a value, dataclasses and all, as JSON on one line."""
    print(json.dumps(plain(value)), flush=True)


def plain(value: Any) -> Any:
    """The value in terms of JSON: times as ISO 8601, durations in seconds, bytes in base64."""
    match value:
        case datetime():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case bytes():
            return b64encode(value).decode()
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case _ if dataclasses.is_dataclass(value):
            return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        case _:
            return value
