"""What a failure looks like on the command line: a clear line on stderr and exit code 1, never a traceback."""

import errno
import re
from collections.abc import Mapping
from typing import Any

import typer
from typer.core import TyperGroup

from latentwalk.client import InvalidRequest, LatentwalkError

_OPTIONS: Mapping[str, str] = {
    r"\w+\[\d+\]\.condition": "--classes",
    r"(keyframes|latents|starts)$": "--seeds",
    r"delivery\.first_frame": "--from-frame",
}
"""Which option says what a field of a request does, where they do not have the same name."""


class CommandFailed(Exception):
    """A command cannot do what it was asked for; the message is for the person in front of it."""


class Commands(TyperGroup):
    """A group whose commands' failures become a line and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Runs the command that was asked for."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as failure:
            failure.message = _with_value(failure)
            raise
        except (LatentwalkError, CommandFailed) as failure:
            raise fail(_with_option(failure)) from failure
        except OSError as failure:
            # A reader that went away (`latentwalk ... | head`) is no failure; typer ends quietly.
            if failure.errno == errno.EPIPE:
                raise
            raise fail(_told(failure)) from failure


def _told(failure: OSError) -> str:
    """What is wrong with which file, without the number that programs know it by."""
    return f"{failure.strerror}: {failure.filename!r}" if failure.strerror and failure.filename else str(failure)


def _with_option(failure: LatentwalkError | CommandFailed) -> str:
    """What is wrong, and which option says it."""
    fields = [one.field for one in failure.violations] if isinstance(failure, InvalidRequest) else []
    options = {option for field in fields for form, option in _OPTIONS.items() if re.match(form, field)}
    return f"{failure} ({', '.join(sorted(options))})" if options else str(failure)


def _with_value(failure: typer.BadParameter) -> str:
    """What is wrong with a parameter, and what was given: newer versions of typer leave that out."""
    told = getattr(failure.__cause__, "errors", None)
    if told is None:
        return failure.message
    problem = failure.message.removeprefix("Value error, ").removeprefix("Input ")
    given = repr(told()[0]["input"])
    return problem if problem.startswith(given) else f"{given} {problem}"


def fail(message: str) -> typer.Exit:
    """Says what went wrong; to be raised."""
    typer.echo(f"error: {message}", err=True)
    return typer.Exit(1)
