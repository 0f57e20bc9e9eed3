"""Writes settings.md beside it, from the settings themselves; with --check, only says whether it is up to date."""

import argparse
import sys
from collections.abc import Iterable
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

from latentwalk.rpc.settings import Check
from latentwalk.server.settings import Settings as ServerSettings
from latentwalk.trainer.settings import Settings as TrainerSettings

PAGE = Path(__file__).with_name("settings.md")
HEAD = """\
# Settings

A flag beats the environment, which beats the file, which beats the default: `--max-batch 64`,
`LATENTWALK_MAX_BATCH=64`, or `max_batch = 64` in the TOML file that `--config` or `LATENTWALK_CONFIG` names. What is
true or false has a flag for either: `--reflection`, `--no-reflection`. `latentwalk serve --help` and
`latentwalk trainer --help` say the same as this page, which `make docs` writes.
"""


def page() -> str:
    """What settings.md must be: first what both services share, then what is said of either."""
    server, trainer = _described(ServerSettings), _described(TrainerSettings)
    shared = [row for row in server if row in trainer]
    sections = {
        "Both services": shared,
        "Generation server": [row for row in server if row not in shared],
        "Trainer": [row for row in trainer if row not in shared],
    }
    return HEAD + "".join(_table(title, rows) for title, rows in sections.items())


def _table(title: str, rows: Iterable[str]) -> str:
    return "\n".join(("", f"## {title}", "| setting | default | limits | meaning |", "|---|---|---|---|", *rows, ""))


def _described(settings: type[ServerSettings] | type[TrainerSettings]) -> list[str]:
    return [f"| `{one.name}` | {_shown(one)} | {_limit(one)} | {one.metadata['help']} |" for one in fields(settings)]


def _shown(one: "Field[Any]") -> str:
    if one.default in ("", ()):
        return ""
    return f"`{str(one.default).lower() if isinstance(one.default, bool) else one.default}`"


def _limit(one: "Field[Any]") -> str:
    check: Check | None = one.metadata["check"]
    return check.limit if check else ""


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the page is out of date")
    if not parser.parse_args().check:
        PAGE.write_text(page())
    elif PAGE.read_text() != page():
        sys.exit(f"{PAGE.name} is out of date, run `make docs`")


if __name__ == "__main__":
    main()
