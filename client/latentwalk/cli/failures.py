"""What a failure looks like on the command line: a clear line on stderr and exit code 1, never a traceback."""

import errno
from typing import Any

import typer
from typer.core import TyperGroup

from latentwalk.client import LatentwalkError


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
            raise fail(str(failure)) from failure
        except OSError as failure:
            # A reader that went away (`latentwalk ... | head`) is no failure; typer ends quietly.
            if failure.errno == errno.EPIPE:
                raise
            raise fail(str(failure)) from failure


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
