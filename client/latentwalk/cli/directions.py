"""`latentwalk directions`: along what a model can be walked."""

from typing import Annotated

import typer

from latentwalk.cli.connection import connect
from latentwalk.cli.models import Name
from latentwalk.cli.output import Json, show_json, show_table
from latentwalk.client import Direction, Slider

app = typer.Typer(no_args_is_help=True, help="Lists, loads and unloads directions.")

DirectionName = Annotated[str, typer.Argument(metavar="DIRECTION", help="the direction's name")]


@app.command("list")
def list_directions(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="only those of this model")] = "",
    as_json: Json = False,
) -> None:
    """Lists the directions that are loaded or could be."""
    with connect(context) as client:
        directions = client.directions(model)
    if as_json:
        show_json(directions)
    else:
        show_table(("model", "direction", "version", "state", "form", "sliders"), map(_row, directions))


@app.command()
def load(
    context: typer.Context,
    model: Name,
    direction: DirectionName,
    version: Annotated[str, typer.Option(help="default: the newest")] = "",
    as_json: Json = False,
) -> None:
    """Loads a version of a direction for a loaded model."""
    with connect(context) as client:
        loaded = client.load_direction(model, direction, version=version)
    if as_json:
        show_json(loaded)
    else:
        typer.echo(f"{model}/{direction} version {loaded.version} can be walked")


@app.command()
def unload(context: typer.Context, model: Name, direction: DirectionName) -> None:
    """Takes a direction out of service."""
    with connect(context) as client:
        client.unload_direction(model, direction)
    typer.echo(f"{model}/{direction} is no longer loaded")


def _row(direction: Direction) -> tuple[object, ...]:
    sliders = ", ".join(map(_describe, direction.sliders))
    return direction.model, direction.name, direction.version, direction.state, direction.form, sliders


def _describe(slider: Slider) -> str:
    name = slider.name if slider.class_id is None else f"{slider.name} of class {slider.class_id}"
    if slider.limit.amount is None:
        return f"{name} (alpha {slider.limit.alpha[0]:g} to {slider.limit.alpha[1]:g})"
    low, high = slider.limit.amount
    return f"{name} ({low:.3g} to {high:.3g} {slider.unit})"
