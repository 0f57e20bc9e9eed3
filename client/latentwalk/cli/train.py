"""`latentwalk train`: asks the trainer for new directions."""

from typing import Annotated

import typer

from latentwalk.cli.connection import connect
from latentwalk.cli.jobs import watch_job
from latentwalk.cli.models import Name
from latentwalk.cli.output import Json, show_json
from latentwalk.cli.parsing import parse_edit

app = typer.Typer(no_args_is_help=True, help="Trains directions.")


@app.callback()
def train() -> None:
    """Trains directions."""


@app.command()
def edit(
    context: typer.Context,
    model: Name,
    direction: Annotated[str, typer.Argument(metavar="DIRECTION", help="the name of the new direction")],
    edits: Annotated[
        list[str], typer.Option("--edit", help="what to imitate: zoom, or zoom:0.5:2 with a range; repeatable")
    ],
    steps: Annotated[int | None, typer.Option(min=1, help="of the optimiser; default: the trainer's own")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="fresh latents for each step")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="of the optimiser")] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    priority: Annotated[int, typer.Option(min=-100, max=100, help="higher goes first")] = 0,
    detach: Annotated[bool, typer.Option("--detach", help="print the job's id and leave")] = False,
    as_json: Json = False,
) -> None:
    """Trains a linear direction that imitates edits, and follows the job. Ctrl-C stops watching, not the job."""
    with connect(context) as client:
        handle = client.train_edit(
            model,
            direction,
            edits=[parse_edit(text) for text in edits],
            steps=steps,
            batch_size=batch_size,
            learning_rate=learning_rate,
            seed=seed,
            priority=priority,
        )
        if not detach:
            watch_job(handle, after=0, as_json=as_json)
        elif as_json:
            show_json({"id": handle.id})
        else:
            typer.echo(handle.id)
