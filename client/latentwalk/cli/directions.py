"""`latentwalk directions`: along what a model can be walked."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from latentwalk.cli import completing
from latentwalk.cli.connection import Everywhere, answers, connect
from latentwalk.cli.models import Name
from latentwalk.cli.options import writable
from latentwalk.cli.output import Json, show_json, show_table, show_time
from latentwalk.cli.parsing import Numbers, parse_classes, parse_numbers, parse_pick, write_numbers
from latentwalk.client import Direction, Provenance, Range, Slider, SliderMeasures, SliderPick

app = typer.Typer(no_args_is_help=True, help="Lists, shows, loads and unloads directions.")

MAX_SLIDERS = 4
"""Of a direction, in the table; a bank may have hundreds. --json lists all."""

DirectionName = Annotated[
    str, typer.Argument(metavar="DIRECTION", autocompletion=completing.directions, help="the direction's name")
]


@app.command("list")
def list_directions(
    context: typer.Context,
    model: Annotated[str, typer.Argument(autocompletion=completing.models, help="only those of this model")] = "",
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
def show(context: typer.Context, model: Name, direction: DirectionName, as_json: Json = False) -> None:
    """Shows where a direction comes from, and of each of its sliders the range and what was measured."""
    with connect(context) as client:
        found = client.direction(model, direction)
    if as_json:
        show_json(found)
        return
    typer.echo(f"{model}/{found.name} version {found.version} {found.state}")
    if found.provenance is None:
        typer.echo("more is known of what is loaded")
        return
    typer.echo(f"{_movement(found)}, for generator {found.generator_digest}")
    typer.echo(_origin(found.provenance))
    measures = dict.fromkeys(name for slider in found.sliders for name in slider.measures)
    told = {what: tell for what, tell in _TOLD.items() if any(map(tell, found.sliders))}
    columns = ("slider", "class", "unit", "trained", "limit", *measures, *told)
    rows = ((*_slider_row(one, measures), *(tell(one) for tell in told.values())) for one in found.sliders)
    show_table(columns, rows)


@app.command()
def load(
    context: typer.Context,
    model: Name,
    direction: DirectionName,
    version: Annotated[str, typer.Option(help="default: the newest")] = "",
    everywhere: Everywhere = False,
    as_json: Json = False,
) -> None:
    """Loads a version of a direction for a loaded model."""
    for told in answers(context, everywhere, lambda client: client.load_direction(model, direction, version=version)):
        if as_json:
            show_json(told.document(told.answer))
        else:
            typer.echo(f"{model}/{direction} version {told.answer.version} can be walked{told.place}")


@app.command()
def unload(
    context: typer.Context,
    model: Name,
    direction: DirectionName,
    everywhere: Everywhere = False,
    as_json: Json = False,
) -> None:
    """Takes a direction out of service."""
    for told in answers(context, everywhere, lambda client: client.unload_direction(model, direction)):
        if as_json:
            show_json(told.document({"unloaded": f"{model}/{direction}"}))
        else:
            typer.echo(f"{model}/{direction} is no longer loaded{told.place}")


@app.command()
def pick(
    context: typer.Context,
    model: Name,
    direction: DirectionName,
    slider: Annotated[
        list[SliderPick],
        typer.Option(
            parser=parse_pick,
            metavar="PICK",
            help="3=smile takes slider 3 and calls it smile; 7=-age turns it round; 3=smile:-4:5 allows so much alpha; "
            "pca:0=pose is one of another direction; repeatable",
        ),
    ],
    name: Annotated[
        str, typer.Option("--as", help="of the direction that they become; default: DIRECTION itself")
    ] = "",
    without: Annotated[
        list[str] | None,
        typer.Option(help="a slider, name or name:slider, that none of them is to move any more; repeatable"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Publishes some sliders of loaded directions, under names of their own, as a direction that is loaded at once."""
    picks = [replace(one, direction=one.direction or direction, without=without or ()) for one in slider]
    with connect(context) as client:
        picked = client.pick_sliders(model, name or direction, picks)
    if as_json:
        show_json(picked)
    else:
        sliders = ", ".join(one.name for one in picked.sliders)
        typer.echo(f"{model}/{picked.name} version {picked.version} can be walked: {sliders}")


@app.command()
def compare(
    context: typer.Context,
    model: Name,
    directions: Annotated[
        list[str],
        typer.Argument(
            metavar="DIRECTION[:SLIDER]", autocompletion=completing.directions, help="all their sliders, or one"
        ),
    ],
    seeds: Annotated[
        Numbers | None,
        typer.Option(
            parser=parse_numbers,
            metavar="SEEDS",
            help="of the pictures, the same for all, e.g. 7 or 1,2,5-8; default: 0-15",
        ),
    ] = None,
    classes: Annotated[
        Any,
        typer.Option(
            parser=parse_classes, metavar="CLASSES", help="for a conditional model: one class, or 3,5,7 for each"
        ),
    ] = None,
    frames: Annotated[int, typer.Option(min=3, help="how finely a range is looked at")] = 9,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", dir_okay=False, callback=writable, help="the contact sheet")
    ] = None,
    as_json: Json = False,
) -> None:
    """Measures what finished directions do to the same pictures: effect, disentanglement, reach and cost.

    The rows of the contact sheet are in the order of the table, up to three seeds each.
    """
    with connect(context) as client:
        compared = client.compare_directions(
            model, directions, seeds=seeds or range(16), classes=classes, frames=frames
        )
    if out:
        compared.sheet.save(out)
    if as_json:
        show_json(compared.sliders)
    else:
        columns = ("direction", "slider", "effect", "moves", "disentanglement", "reach (alpha)", "ms each")
        show_table(columns, map(_measured, compared.sliders))


def _origin(provenance: Provenance) -> str:
    """In words, with what was measured of all of it."""
    said = {"found by": provenance.method, "job": provenance.job, "file": provenance.file}
    said["published"] = show_time(provenance.create_time)
    said["calibrated by job"] = provenance.calibration_job
    measures = {name: f"{value:.4g}" for name, value in provenance.measures.items()}
    return ", ".join(f"{what} {value}" for what, value in (said | measures).items() if value) or "of unknown origin"


def _slider_row(slider: Slider, measures: Iterable[str]) -> tuple[object, ...]:
    numbers = (f"{slider.measures[name]:.4g}" if name in slider.measures else "" for name in measures)
    unit, class_id = slider.unit if slider.edit else "alpha", "" if slider.class_id is None else slider.class_id
    return slider.name, class_id, unit, _ends(slider.trained), _ends(slider.limit), *numbers


def _source(slider: Slider) -> str:
    """Where it was picked, and by what that was found: "-7 of found version 3 (discovery, job a1b2)"; or empty."""
    if (source := slider.source) is None:
        return ""
    found = ", ".join(said for said in (source.method, source.job and f"job {source.job}") if said)
    sign = "-" if source.opposite else ""
    without = f" without {', '.join(source.without)}" if source.without else ""
    told = f" ({found})" if found else ""
    return f"{sign}{source.slider} of {source.direction} version {source.version}{told}{without}"


def _calibration(slider: Slider) -> str:
    """Between which alphas, and that its amounts are what was measured: "alpha -2 to 3"; or empty."""
    return f"alpha {slider.calibration[0][0]:.3g} to {slider.calibration[-1][0]:.3g}" if slider.calibration else ""


_TOLD: Mapping[str, Callable[[Slider], str]] = {"calibrated": _calibration, "picked from": _source}
"""Columns of what only some sliders have."""


def _ends(bounds: Range) -> str:
    low, high = bounds.amount or bounds.alpha
    return f"{low:.3g} to {high:.3g}"


def _measured(slider: SliderMeasures) -> tuple[object, ...]:
    low, high = slider.reach
    reach, share = f"{low:.2g} to {high:.2g}", f"{slider.disentanglement:.0%}"
    effect, cost = f"{slider.effect:.4f}", f"{slider.milliseconds:.2f}"
    return slider.direction, slider.slider, effect, slider.attribute, share, reach, cost


def _row(direction: Direction) -> tuple[object, ...]:
    sliders = ", ".join(map(_describe, direction.sliders[:MAX_SLIDERS]))
    more = len(direction.sliders) - MAX_SLIDERS
    told = f"{sliders} and {more} more" if more > 0 else sliders
    return direction.model, direction.name, direction.version, direction.state, _movement(direction), told


def _movement(direction: Direction) -> str:
    """The form, and where it moves a latent, unless that is z."""
    if direction.space in ("", "z"):
        return direction.form
    layers = f" layers {write_numbers(direction.layers)}" if direction.layers else ""
    return f"{direction.form} in {direction.space}{layers}"


def _describe(slider: Slider) -> str:
    name = slider.name if slider.class_id is None else f"{slider.name} of class {slider.class_id}"
    if slider.limit.amount is None:
        return f"{name} (alpha {slider.limit.alpha[0]:g} to {slider.limit.alpha[1]:g})"
    low, high = slider.limit.amount
    return f"{name} ({low:.3g} to {high:.3g} {slider.unit})"
