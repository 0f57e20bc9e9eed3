"""Commands that make a job: each says what its method needs, and gets the options that every job has."""

import inspect
from collections.abc import Callable, Iterator
from typing import Annotated, Any, get_args, get_type_hints

import typer

from latentwalk.cli.connection import connect
from latentwalk.cli.jobs import watch_job
from latentwalk.cli.output import Json, show_json
from latentwalk.client import JobHandle

_PANEL = "Options of every job"

ModelVersion = Annotated[str, typer.Option(help="of the model; default: the newest", rich_help_panel=_PANEL)]
Seed = Annotated[int, typer.Option(min=0, help="everything random in the job follows from it", rich_help_panel=_PANEL)]
CheckpointEvery = Annotated[
    int | None, typer.Option(min=1, help="steps; default: the trainer's own", rich_help_panel=_PANEL)
]
Priority = Annotated[int, typer.Option(min=-100, max=100, help="higher goes first", rich_help_panel=_PANEL)]
RequestId = Annotated[str | None, typer.Option(help="two calls with one id make one job", rich_help_panel=_PANEL)]
Detach = Annotated[bool, typer.Option("--detach", help="print the job's id and leave", rich_help_panel=_PANEL)]


def every_job(
    *,
    model_version: ModelVersion = "",
    seed: Seed = 0,
    checkpoint_every: CheckpointEvery = None,
    priority: Priority = 0,
    request_id: RequestId = None,
) -> None:
    """The SDK's JobOptions and ModelJobOptions, as options of the command line."""


def makes_job(command: Callable[..., JobHandle]) -> Callable[..., None]:
    """The command line's form of `command(client, ...)`, which makes a job and gives its handle.

    `**options: Unpack[JobOptions]` becomes the options of `every_job` that are among them, and the job is followed to
    its end, unless it is to be left alone.
    """

    def run(context: typer.Context, *, detach: Detach = False, as_json: Json = False, **given: Any) -> None:
        with connect(context) as client:
            _follow(command(client, **given), detach, as_json)

    context, *after = list(inspect.signature(run).parameters.values())[:-1]
    parameters = [context, *_parameters(command), *after]
    run.__name__, run.__doc__ = command.__name__, command.__doc__
    # typer reads a command's options from these two.
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    vars(run).update(__signature__=inspect.Signature(parameters))
    return run


def _parameters(command: Callable[..., JobHandle]) -> Iterator[inspect.Parameter]:
    _, *own, together = inspect.signature(command).parameters.values()
    for parameter in own:
        yield parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
    (options,) = get_args(together.annotation)
    taken = get_type_hints(options)
    for name, parameter in inspect.signature(every_job).parameters.items():
        if name in taken:
            yield parameter


def _follow(handle: JobHandle, detach: bool, as_json: bool) -> None:
    if not detach:
        watch_job(handle, after=0, as_json=as_json)
    elif as_json:
        show_json({"id": handle.id})
    else:
        typer.echo(handle.id)
