"""`latentwalk train`: asks the trainer for new directions."""

from typing import Annotated, Literal

import typer

from latentwalk.cli.connection import connect
from latentwalk.cli.jobs import watch_job
from latentwalk.cli.models import Name
from latentwalk.cli.output import Json, show_json
from latentwalk.cli.parsing import parse_class, parse_class_choice, parse_edit, parse_slider
from latentwalk.client import JobHandle

app = typer.Typer(no_args_is_help=True, help="Trains directions.")


Form = Literal["linear", "nonlinear"]
Loss = Literal["l2", "lpips"]
Direction = Annotated[str, typer.Argument(metavar="DIRECTION", help="the name of the new direction")]
Directions = Annotated[int, typer.Option(min=1, help="how many")]
Samples = Annotated[int | None, typer.Option(min=1, help="latents to look at; default: the trainer's own")]
Seed = Annotated[int, typer.Option(min=0)]
Priority = Annotated[int, typer.Option(min=-100, max=100, help="higher goes first")]
Detach = Annotated[bool, typer.Option("--detach", help="print the job's id and leave")]


@app.callback()
def train() -> None:
    """Trains directions."""


@app.command()
def edit(
    context: typer.Context,
    model: Name,
    direction: Direction,
    edits: Annotated[
        list[str], typer.Option("--edit", help="what to imitate: zoom, or zoom:0.5:2 with a range; repeatable")
    ],
    steps: Annotated[int | None, typer.Option(min=1, help="of the optimiser; default: the trainer's own")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="fresh latents for each step")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="of the optimiser")] = None,
    form: Annotated[Form, typer.Option(help="linear, or a small network that is applied step by step")] = "linear",
    loss: Annotated[Loss, typer.Option(help="what walked and edited pictures are compared by")] = "l2",
    space: Annotated[str, typer.Option(help="z, w or w+; default: z")] = "",
    classes: Annotated[str | None, typer.Option("--class", help="one class, or 'each' for one walk a class")] = None,
    seed: Seed = 0,
    priority: Priority = 0,
    detach: Detach = False,
    as_json: Json = False,
) -> None:
    """Trains a direction that imitates edits, and follows the job. Ctrl-C stops watching, not the job."""
    with connect(context) as client:
        handle = client.train_edit(
            model,
            direction,
            edits=[parse_edit(text) for text in edits],
            steps=steps,
            batch_size=batch_size,
            learning_rate=learning_rate,
            form=form,
            loss=loss,
            space=space,
            classes=parse_class_choice(classes),
            seed=seed,
            priority=priority,
        )
        follow(handle, detach, as_json)


@app.command()
def sefa(
    context: typer.Context,
    model: Name,
    direction: Direction,
    directions: Directions = 8,
    priority: Priority = 0,
    detach: Detach = False,
    as_json: Json = False,
) -> None:
    """Finds the directions that change the first features most, in closed form."""
    with connect(context) as client:
        follow(client.train_sefa(model, direction, directions=directions, priority=priority), detach, as_json)


@app.command()
def pca(
    context: typer.Context,
    model: Name,
    direction: Direction,
    directions: Directions = 8,
    samples: Samples = None,
    seed: Seed = 0,
    priority: Priority = 0,
    detach: Detach = False,
    as_json: Json = False,
) -> None:
    """Finds the principal components of the first features."""
    with connect(context) as client:
        handle = client.train_pca(
            model, direction, directions=directions, samples=samples, seed=seed, priority=priority
        )
        follow(handle, detach, as_json)


@app.command()
def boundary(
    context: typer.Context,
    model: Name,
    direction: Direction,
    attribute: Annotated[str | None, typer.Option(help="luminance, contrast, saturation, red, green or blue")] = None,
    classifier: Annotated[str | None, typer.Option(help="or NAME:CLASS, the probability of a class")] = None,
    condition: Annotated[
        list[str] | None, typer.Option(help="DIRECTION or DIRECTION:SLIDER that must not move with it; repeatable")
    ] = None,
    samples: Samples = None,
    fraction: Annotated[float | None, typer.Option(help="which part of them, at either end, is told apart")] = None,
    seed: Seed = 0,
    priority: Priority = 0,
    detach: Detach = False,
    as_json: Json = False,
) -> None:
    """Finds the boundary between latents with a high and a low score."""
    with connect(context) as client:
        handle = client.train_boundary(
            model,
            direction,
            attribute=attribute,
            classifier=None if classifier is None else parse_class(classifier),
            conditions=[parse_slider(text) for text in condition or ()],
            samples=samples,
            fraction=fraction,
            seed=seed,
            priority=priority,
        )
        follow(handle, detach, as_json)


def follow(handle: JobHandle, detach: bool, as_json: bool) -> None:
    """Follows the job to its end, or only tells its id."""
    if not detach:
        watch_job(handle, after=0, as_json=as_json)
    elif as_json:
        show_json({"id": handle.id})
    else:
        typer.echo(handle.id)
