"""`latentwalk invert`: the latent of a picture of one's own, into a file that the other commands take."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal, Unpack

import typer

from latentwalk.cli.connection import connect
from latentwalk.cli.models import Name
from latentwalk.cli.options import spelled_out
from latentwalk.cli.output import Json, show_json
from latentwalk.cli.pictures import Drawing, Out, Starting, drawing
from latentwalk.cli.progress import add_bar, job_bars
from latentwalk.client import Client, Found, Picture, Search


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
    seeds: Annotated[
        str | None, typer.Option(help="it begins at the one that is the most like the picture; default: 0-31")
    ] = None,
    space: Annotated[Literal["z", "w", "w+"] | None, typer.Option(help="default: w+ if the model has it, or z")] = None,
    steps: Annotated[int, typer.Option(min=1, max=10_000, help="of the search")] = 200,
    prior: Annotated[
        float | None,
        typer.Option(min=0, max=100, help="how strongly it is held where latents lie; default: 0.001"),
    ] = None,
    as_json: Json = False,
    **options: Unpack[Starting],
) -> None:
    """Finds the latent whose picture is the most like one of your own, for `latentwalk walk --latent`.

    Ctrl-C ends it with the best so far.
    """
    file = to or out.with_suffix(".npz")

    def keep(found: Found) -> None:
        found.picture.save(out)
        found.save(file)

    with connect(context) as client:
        given, how = _fitting(client, model, picture), drawing(Drawing(**options), seeds, "0-31")
        search = client.invert(model, given, space=space, steps=steps, prior=prior, **how)
        found = _followed(search, steps, keep)
    if as_json:
        told = {"classes": found.classes, "error": found.error, "digest": found.model_digest}
        show_json({"file": str(out), "latent": str(file), **told})
    else:
        typer.echo(f"{out}, {file}: squared error {found.error:.5f}")


def _fitting(client: Client, name: str, path: Path) -> Picture:
    try:
        picture = Picture.open(path)
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be read as a picture: {error}") from None
    model = client.model(name)
    return picture.fitted(model.width, model.height, model.channels)


def _followed(search: Search, steps: int, keep: Callable[[Found], object]) -> Found:
    """What is found in the end; a bar shows how it comes on.

    The first is kept at once, so that a file that cannot be written is told of before the search, and the best at the
    end, whatever ends it.
    """
    with search, job_bars() as bars:
        keep(next(search))  # before the bar: a call that is refused needs none
        bar = add_bar(bars, "search")
        try:
            for found in search:
                bars.update(bar, completed=found.step, total=steps, note=f"squared error {found.error:.5f}")
        finally:
            search.close()
            keep(search.result())
        return search.result()
