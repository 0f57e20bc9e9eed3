"""`latentwalk figure mixing | truncation | noise`: the figures of the StyleGAN paper, for a model of one's own."""

from typing import Annotated, Any

import typer

from latentwalk.cli.connection import connect
from latentwalk.cli.models import Name
from latentwalk.cli.parsing import Numbers, parse_numbers
from latentwalk.cli.pictures import OneClass, Out
from latentwalk.client import Picture

app = typer.Typer(
    no_args_is_help=True, help="Draws sheets of what styles, truncation and noise do to the pictures of a StyleGAN."
)

Rows = Annotated[
    Numbers | None,
    typer.Option(parser=parse_numbers, metavar="SEEDS", help="one a row, e.g. 7 or 1,2,5-8; default: 0-2"),
]
Truncation = Annotated[float, typer.Option(min=-2, max=2, help="how far from the mean w; 1 is as it is")]


@app.command()
def mixing(
    context: typer.Context,
    model: Name,
    out: Out,
    rows: Annotated[
        Numbers | None,
        typer.Option(
            parser=parse_numbers, metavar="SEEDS", help="that keep the rest of their styles, one a row; default: 0-2"
        ),
    ] = None,
    columns: Annotated[
        Numbers | None,
        typer.Option(parser=parse_numbers, metavar="SEEDS", help="that lend some, one a column; default: 3-6"),
    ] = None,
    layers: Annotated[
        list[Numbers] | None,
        typer.Option(
            parser=parse_numbers,
            metavar="LAYERS",
            help="whose styles are lent; a block for each; default: 0-3, 4-7 and those from 8 on",
        ),
    ] = None,
    class_id: OneClass = None,
    truncation: Truncation = 1.0,
) -> None:
    """Draws seeds with the coarse, middle and fine styles of others."""
    lent: dict[str, Any] = {"rows": rows or range(3), "columns": columns or range(3, 7), "layers": layers or None}
    with connect(context) as client:
        _keep(client.mixing_figure(model, **lent, class_id=class_id, truncation=truncation), out)


@app.command()
def truncation(
    context: typer.Context,
    model: Name,
    out: Out,
    seeds: Rows = None,
    psi: Annotated[list[float] | None, typer.Option(help="one a column; default: 1 0.7 0.5 0 -0.5 -1")] = None,
    class_id: OneClass = None,
) -> None:
    """Draws seeds nearer and nearer to the mean w, and beyond it."""
    psis: dict[str, Any] = {"psis": psi} if psi else {}
    with connect(context) as client:
        _keep(client.truncation_figure(model, seeds=seeds or range(3), class_id=class_id, **psis), out)


@app.command()
def noise(
    context: typer.Context,
    model: Name,
    out: Out,
    seeds: Rows = None,
    realisations: Annotated[int, typer.Option(min=2, help="of the noise, over which pixels vary")] = 100,
    class_id: OneClass = None,
    truncation: Truncation = 1.0,
) -> None:
    """Draws seeds with noise in all layers, in none, the coarse, the fine ones, and anew; and how each pixel varies."""
    how: dict[str, Any] = {"realisations": realisations, "class_id": class_id, "truncation": truncation}
    with connect(context) as client:
        _keep(client.noise_figure(model, seeds=seeds or range(3), **how), out)


def _keep(sheet: Picture, out: Out) -> None:
    sheet.save(out)
    typer.echo(f"{out}: {sheet.width} x {sheet.height} pixels")
