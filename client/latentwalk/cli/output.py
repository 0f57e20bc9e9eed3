"""Answers on stdout: tables for people, JSON for scripts."""

import dataclasses
import json
import sys
from base64 import b64encode
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

Json = Annotated[bool, typer.Option("--json", help="JSON, for scripts")]

errors = Console(stderr=True)

# What is read by a program or a file has no edge at which a line must break.
PIPE_WIDTH = 240


def show_table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Prints a table, every cell as it is; what the first column names is never broken, so that it can be copied."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, column in enumerate(columns):
        table.add_column(column, overflow="fold", no_wrap=index == 0)
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    Console(width=None if sys.stdout.isatty() else PIPE_WIDTH).print(table)


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
