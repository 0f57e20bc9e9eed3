"""`latentwalk serve | trainer | import | import-direction`: becomes that program; every flag goes through."""

import importlib.util
import os
import sys
from typing import Any

import typer

from latentwalk.cli.failures import CommandFailed

PASS_THROUGH: dict[str, Any] = {
    "add_help_option": False,
    "context_settings": {"allow_extra_args": True, "ignore_unknown_options": True},
}


def serve(context: typer.Context) -> None:
    """Runs the generation server; `latentwalk serve --help` lists its flags."""
    become("latentwalk.server", "server", context.args)


def trainer(context: typer.Context) -> None:
    """Runs the trainer; `latentwalk trainer --help` lists its flags."""
    become("latentwalk.trainer", "trainer", context.args)


def import_generator(context: typer.Context) -> None:
    """Publishes a checkpoint of others as a generator; `latentwalk import --help` lists the flags."""
    become("latentwalk.gan", "server", ["import", *context.args])


def import_direction(context: typer.Context) -> None:
    """Publishes vectors of others as a direction; `latentwalk import-direction --help` lists the flags."""
    become("latentwalk.gan", "server", ["import-direction", *context.args])


def become(module: str, extra: str, arguments: list[str]) -> None:
    """Replaces this process by `python -m module arguments`: signals and exit codes are its own."""
    require(module, extra)
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])  # noqa: S606 - no shell, a list that we wrote


def require(module: str, extra: str) -> None:
    """CommandFailed, with what to install, unless `module` and torch are there. Loads neither."""
    missing = [name for name in (module, "torch") if not _installed(name)]
    if missing:
        raise CommandFailed(f"{' and '.join(missing)} not installed; pip install 'latentwalk[{extra}]'")


def _installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None
