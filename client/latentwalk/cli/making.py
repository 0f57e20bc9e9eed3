"""Commands that make a job: each says what its method needs, and gets the options that every job has."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, TypedDict

import typer

from latentwalk.cli.connection import connect
from latentwalk.cli.jobs import watch_job
from latentwalk.cli.options import parameters, present, said
from latentwalk.cli.output import Json, show_json
from latentwalk.client import JobHandle

_option = partial(typer.Option, rich_help_panel="Options of every job")

Detach = Annotated[bool, _option("--detach", help="print the job's id and leave")]


class EveryJob(TypedDict, total=False):
    """The SDK's JobOptions, as options of the command line."""

    seed: Annotated[int, _option(min=0, help="everything random in the job follows from it; default: 0")]
    checkpoint_every: Annotated[int | None, _option(min=1, help="steps; default: 50")]
    priority: Annotated[int, _option(min=-100, max=100, help="higher goes first; default: 0")]
    request_id: Annotated[str | None, _option(help="two calls with one id make one job")]


class EveryModelJob(EveryJob, total=False):
    """The SDK's ModelJobOptions, as options of the command line."""

    model_version: Annotated[str, _option(help="of the model; default: the newest")]


def makes_job(command: Callable[..., JobHandle]) -> Callable[..., None]:
    """The command line's form of `command(client, ...)`, which makes a job and gives its handle.

    `**options: Unpack[EveryJob]` becomes options of the command line one by one; those that were given are handed on.
    The job is followed to its end, unless it is to be left alone.
    """

    def run(context: typer.Context, *, detach: Detach = False, as_json: Json = False, **given: Any) -> None:
        with connect(context) as client:
            handle = command(client, **said(given))
            _follow(handle, detach, as_json)

    context, *after = list(inspect.signature(run).parameters.values())[:-1]
    _client, *own = parameters(command)
    present(run, command, [context, *own, *after])
    return run


def _follow(handle: JobHandle, detach: bool, as_json: bool) -> None:
    if not detach:
        watch_job(handle, after=0, as_json=as_json)
    elif as_json:
        show_json({"id": handle.id})
    else:
        typer.echo(handle.id)
