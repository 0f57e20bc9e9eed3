"""`latentwalk directions figure`: what every slider of a direction does to one start, on one sheet."""

from fnmatch import fnmatchcase
from typing import Annotated

import typer

from latentwalk.cli.connection import connect
from latentwalk.cli.directions import DirectionName
from latentwalk.cli.models import Name
from latentwalk.cli.movements import Ends, parse_ends
from latentwalk.cli.output import Json, show_json
from latentwalk.cli.pictures import OneClass, Out
from latentwalk.client import Client, Direction, Frames, Leg, LoadState, Slider, Stretch, contact_sheet


def figure(
    context: typer.Context,
    model: Name,
    direction: DirectionName,
    out: Out,
    class_id: OneClass = None,
    slider: Annotated[list[str] | None, typer.Option(help="only these, e.g. 'global.*'; repeatable")] = None,
    seed: Annotated[int, typer.Option(min=0, help="where every row starts")] = 0,
    columns: Annotated[int, typer.Option(min=2, help="amounts, both ends included")] = 13,
    alpha: Annotated[
        Ends | None, typer.Option(parser=parse_ends, metavar="FROM:TO", help="in latent units, e.g. -2:2")
    ] = None,
    as_json: Json = False,
) -> None:
    """Draws a sheet with a slider a row and an amount a column, zero in the middle.

    Without --slider: those that were found for the class, if there are any; else those for every class.
    Without --alpha: over the whole range that each was trained on. A direction that is not loaded is loaded.
    """
    with connect(context) as client:
        found = client.direction(model, direction)
        if found.state is not LoadState.READY:
            found = client.load_direction(model, direction)
        chosen = choose_sliders(found, class_id, slider or ())
        walks = [
            (one.name, _walk(client, model, figure_legs(direction, one, columns, alpha), class_id, seed))
            for one in chosen
        ]
    contact_sheet(walks).save(out)
    names = [one.name for one in chosen]
    if as_json:
        show_json({"file": str(out), "sliders": names, "columns": columns})
    else:
        typer.echo(f"{out}: {', '.join(names)} from top to bottom, {columns} amounts from left to right")


def choose_sliders(direction: Direction, class_id: int | None, patterns: list[str] | tuple[()]) -> list[Slider]:
    """The sliders whose names match a pattern; without patterns, those of the class, or else those of every class."""
    sliders = direction.sliders
    if patterns:
        chosen = [one for one in sliders if any(fnmatchcase(one.name, pattern) for pattern in patterns)]
        if not chosen:
            names = ", ".join(one.name for one in sliders)
            raise typer.BadParameter(f"no slider of {direction.name} matches {', '.join(patterns)}; there are: {names}")
        return chosen
    own = [one for one in sliders if class_id is not None and one.class_id == class_id]
    chosen = own or [one for one in sliders if one.class_id is None]
    if not chosen:
        wanted = "no --class is given" if class_id is None else f"none of them is for class {class_id}"
        raise typer.BadParameter(
            f"each slider of {direction.name} is for one class, and {wanted}: give --class, e.g. --class "
            f"{sliders[0].class_id}, or --slider, e.g. --slider '{sliders[0].name}'"
        )
    return chosen


def figure_legs(direction: str, slider: Slider, columns: int, alpha: tuple[float, float] | None) -> list[Leg]:
    """From end to end in so many columns; over what was trained in even steps on either side of a zero in the middle.

    Without zero in the middle: a range that is given, one that does not go through zero, an even number of columns.
    """
    low, high = alpha or slider.trained.alpha

    def leg(start: float, end: float, frames: int) -> Leg:
        return Leg(Stretch(direction, slider=slider.name, alpha=(start, end)), frames=frames)

    half = columns // 2
    if alpha or not low < 0 < high or columns == 2 * half:
        return [leg(low, high, columns)]
    return [leg(low, 0, half + 1), leg(high / half, high, half)]


def _walk(client: Client, model: str, legs: list[Leg], class_id: int | None, seed: int) -> Frames:
    return client.walk_legs(model, legs, seeds=seed, classes=class_id, any_class=True).collect()
