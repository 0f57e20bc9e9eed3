"""`latentwalk generate`: pictures into files, and the options of all commands that draw some."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict, Unpack

import typer

from latentwalk.cli.connection import connect
from latentwalk.cli.models import Name
from latentwalk.cli.movements import displacement
from latentwalk.cli.options import spelled_out, writable
from latentwalk.cli.output import Json, show_json
from latentwalk.cli.parsing import Numbers, parse_classes, parse_mix, parse_noise, parse_numbers
from latentwalk.client import Displacement, Mix, Style, load_latents

Out = Annotated[
    Path,
    typer.Option("--out", "-o", dir_okay=False, callback=writable, help="the file; its ending says how it is written"),
]
Seeds = Annotated[
    Numbers | None, typer.Option(parser=parse_numbers, metavar="SEEDS", help="e.g. 7 or 1,2,5-8; default: 0")
]
OneClass = Annotated[
    int | None, typer.Option("--class", "--classes", min=0, metavar="CLASS", help="what a conditional model draws")
]
AnyClass = Annotated[bool, typer.Option("--any-class", help="let a slider of one class move other classes too")]

_start = partial(typer.Option, rich_help_panel="Where it starts, and how it is served")
_noise = partial(typer.Option, rich_help_panel="Noise of a StyleGAN")


class Starting(TypedDict, total=False):
    """Which latents there are, and how they are served."""

    latent: Annotated[list[Path], _start(help="what `invert` has found, in place of a seed; repeatable")]
    classes: Annotated[
        Any,
        _start(
            parser=parse_classes,
            metavar="CLASSES",
            help="for a conditional model: one class for all, or 3,5,7 for each",
        ),
    ]
    truncation: Annotated[
        float, _start(min=-2, max=2, help="of a StyleGAN: how far from the mean w; default: 1, as it is")
    ]
    truncated_layers: Annotated[int, _start(min=1, help="only so many of its layers, from the coarsest; default: all")]
    threshold: Annotated[
        float,
        _start(min=0, max=100, help="of a BigGAN or DCGAN: cut the numbers of a seed off at +- this"),
    ]
    mix: Annotated[
        list[Mix],
        _start(
            parser=parse_mix,
            metavar="MIX",
            help="of a StyleGAN: the style of a seed in layers, 8:0-3; with class 2, 8/2:0-3; repeatable",
        ),
    ]
    priority: Annotated[Literal["low", "normal", "high"], _start(help="who goes first when busy; default: normal")]
    strict: Annotated[bool, _start("--strict", help="the same bytes every time, whatever else is drawn; slower")]


class Drawing(Starting, total=False):
    """How latents are drawn."""

    noise: Annotated[
        Any,
        _noise(parser=parse_noise, metavar="NOISE", help="weights, none, or a seed; default: weights"),
    ]
    noise_strength: Annotated[float, _noise(min=0, max=4, help="default: 1, as it was trained with")]
    noise_layers: Annotated[
        Numbers,
        _noise(
            parser=parse_numbers,
            metavar="LAYERS",
            help="give only these such noise, e.g. 8-17; default: all",
        ),
    ]


@spelled_out
def generate(
    context: typer.Context,
    model: Name,
    out: Out,
    seeds: Seeds = None,
    amount: Annotated[
        list[Displacement] | None,
        typer.Option(
            parser=displacement("amount"),
            metavar="PUSH",
            help="push along a direction, e.g. zoom=1.5, or only layers 0-3: zoom=1.5:0-3; repeatable",
        ),
    ] = None,
    alpha: Annotated[
        list[Displacement] | None,
        typer.Option(parser=displacement("alpha"), metavar="PUSH", help="the same in latent units, e.g. zoom=0.4"),
    ] = None,
    any_class: AnyClass = False,
    columns: Annotated[int | None, typer.Option(min=1, help="of the grid; default: about as wide as high")] = None,
    as_json: Json = False,
    **options: Unpack[Drawing],
) -> None:
    """Draws one picture for each seed and writes them as one grid."""
    pushes = [*(amount or ()), *(alpha or ())]
    with connect(context) as client:
        pictures = client.generate(model, displacements=pushes, any_class=any_class, **drawing(options, seeds, [0]))
    pictures.grid(columns).save(out)
    if as_json:
        digest = pictures.model_digest
        show_json({"file": str(out), "pictures": len(pictures), "version": pictures.model_version, "digest": digest})
    else:
        typer.echo(f"{out}: {counted(len(pictures), 'picture')}")


def drawing(options: Drawing, seeds: Numbers | None, default: Sequence[int]) -> dict[str, Any]:
    """What the SDK is told of it, and which latents are drawn: those of files, or of seeds, by default these."""
    told: dict[str, Any] = {
        "styles": _style(options),
        "determinism": "strict" if options.get("strict") else "default",
        "priority": options.get("priority", "normal"),
    }
    if "classes" in options:
        told["classes"] = options["classes"]
    return {**_latents(options.get("latent", []), seeds, default), **told}


def _latents(files: list[Path], seeds: Numbers | None, default: Sequence[int]) -> dict[str, Any]:
    if files and seeds is not None:
        raise typer.BadParameter("give either --seeds or --latent")
    try:
        return load_latents(*files) if files else {"seeds": seeds or default}
    except OSError as error:
        raise typer.BadParameter(f"{error.filename} cannot be read: {error.strerror}", param_hint="--latent") from None


def _style(options: Drawing) -> Style:
    """What is told with each latent. Where nothing is said, nothing is sent, so that any model can be asked."""
    return Style(
        truncation=options.get("truncation", 1.0),
        truncated_layers=options.get("truncated_layers"),
        mix=options.get("mix", ()),
        noise=options.get("noise", "weights"),
        noise_strength=options.get("noise_strength", 1.0),
        noise_layers=options.get("noise_layers"),
        threshold=options.get("threshold"),
    )


def counted(number: int, what: str) -> str:
    """So many of it, in words: "1 frame", "2 frames"."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
