"""`latentwalk invert`: the latent of a picture of one's own, into a file that the other commands take."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Literal, Unpack, cast

import typer

from latentwalk.cli.connection import connect
from latentwalk.cli.interrupts import without_interrupts
from latentwalk.cli.models import Name
from latentwalk.cli.options import spelled_out
from latentwalk.cli.output import Json, show_json
from latentwalk.cli.parsing import Numbers, parse_numbers
from latentwalk.cli.pictures import Drawing, Out, Starting, drawing
from latentwalk.cli.progress import add_bar, job_bars
from latentwalk.client import Client, Found, Picture, Search

_STEPS = 200

_looking = partial(typer.Option, rich_help_panel="How it is looked for")


class Searching(Starting, total=False):
    """Where a latent is looked for, and how."""

    seeds: Annotated[
        Numbers,
        _looking(
            parser=parse_numbers,
            metavar="SEEDS",
            help="it begins at the one that is the most like the picture; default: 0-31",
        ),
    ]
    space: Annotated[Literal["z", "w", "w+"], _looking(help="default: w+ if the model has it, or z")]
    steps: Annotated[int, _looking(min=1, max=10_000, help=f"of the search; default: {_STEPS}")]
    prior: Annotated[float, _looking(min=0, max=100, help="how strongly it is held where latents lie; default: 0.001")]
    lpips: Annotated[
        float,
        _looking(
            min=0, max=100, help="weight of LPIPS beside the squared error; the server needs its backbone; default: 0"
        ),
    ]
    mask: Annotated[
        Path,
        _looking(
            exists=True,
            dir_okay=False,
            help="a picture of the same size: what is white there counts, what is black not",
        ),
    ]


@spelled_out
def invert(
    context: typer.Context,
    model: Name,
    picture: Annotated[
        Path, typer.Argument(metavar="PICTURE", exists=True, dir_okay=False, help="of any size; cut and scaled to fit")
    ],
    out: Out,
    to: Annotated[
        Path | None, typer.Option(dir_okay=False, help="the file for the latent; default: as --out, but .npz")
    ] = None,
    as_json: Json = False,
    **options: Unpack[Searching],
) -> None:
    """Finds the latent whose picture is the most like one of your own, for `latentwalk walk --latent`.

    Ctrl-C ends it with the best so far.
    """
    latent = to or out.with_suffix(".npz")
    if latent.resolve() == out.resolve():
        raise typer.BadParameter(f"{latent} is where --out has the picture; name another file", param_hint="--to")

    def keep(found: Found) -> None:
        found.picture.save(out)
        found.save(latent)

    with connect(context) as client:
        found = _followed(_search(client, model, picture, options), options.get("steps", _STEPS), keep)
    if as_json:
        told = {"classes": found.classes, "error": found.error, "lpips": found.lpips, "digest": found.model_digest}
        show_json({"file": str(out), "latent": str(latent), **told})
    else:
        typer.echo(f"{out}, {latent}: {_closeness(found)}")


def _search(client: Client, model: str, picture: Path, options: Searching) -> Search:
    """The search that is asked for, which has not begun."""
    given, counts = _fitting(client, model, picture, options.get("mask"))
    return client.invert(
        model,
        given,
        space=options.get("space"),
        steps=options.get("steps", _STEPS),
        prior=options.get("prior"),
        lpips=options.get("lpips"),
        mask=counts,
        **drawing(Drawing(**cast("Starting", options)), options.get("seeds"), range(32)),
    )


def _fitting(client: Client, name: str, path: Path, mask: Path | None) -> tuple[Picture, Picture | None]:
    """The picture as large as the model draws, and the mask, cut as it is."""
    picture, counts = _opened(path), _opened(mask) if mask else None
    if counts and (counts.width, counts.height) != (picture.width, picture.height):
        sizes = [f"{one.width} x {one.height} px" for one in (counts, picture)]
        raise typer.BadParameter(f"{mask} is {sizes[0]}: it must be {sizes[1]}, as {path}")
    model = client.model(name)
    size = model.width, model.height
    return picture.fitted(*size, model.channels), counts and counts.fitted(*size, 1)


def _opened(path: Path) -> Picture:
    try:
        return Picture.open(path)
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be read as a picture: {error}") from None


def _closeness(found: Found) -> str:
    perceived = "" if found.lpips is None else f", LPIPS {found.lpips:.4f}"
    return f"squared error {found.error:.5f}{perceived}"


def _followed(search: Search, steps: int, keep: Callable[[Found], object]) -> Found:
    """What is found in the end; a bar shows how it comes on.

    The first is kept at once, so that a file that cannot be written is told of before the search, and the best at the
    end, whatever ends it.
    """
    with search:
        first = next(search)  # before the bar: a call that is refused needs none
        try:
            keep(first)
            with job_bars() as bars:
                bar = add_bar(bars, "search")
                for found in search:
                    bars.update(bar, completed=found.step, total=steps, note=_closeness(found))
        finally:
            with without_interrupts():  # neither file is to be of another latent than the other
                search.close()
                keep(search.result())
        return search.result()
