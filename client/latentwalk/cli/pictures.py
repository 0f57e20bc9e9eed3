"""`latentwalk generate | walk | interpolate`: pictures into files."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict, Unpack

import typer

from latentwalk.cli import completing
from latentwalk.cli.connection import connect
from latentwalk.cli.models import Name
from latentwalk.cli.movements import displacement, gathered, stretch
from latentwalk.cli.options import spelled_out, writable, writable_frames
from latentwalk.cli.output import Json, show_json
from latentwalk.cli.parsing import (
    Numbers,
    SliderName,
    parse_classes,
    parse_mix,
    parse_noise,
    parse_numbers,
    parse_slider,
)
from latentwalk.cli.progress import counting
from latentwalk.client import Displacement, Leg, Mix, Stretch, Style, Walk, load_latents

Out = Annotated[
    Path,
    typer.Option("--out", "-o", dir_okay=False, callback=writable, help="the file; its ending says how it is written"),
]
MovingOut = Annotated[
    Path,
    typer.Option(
        "--out", "-o", dir_okay=False, callback=writable_frames, help="the file; its ending says how it is written"
    ),
]
Seeds = Annotated[
    Numbers | None, typer.Option(parser=parse_numbers, metavar="SEEDS", help="e.g. 7 or 1,2,5-8; default: 0")
]
AnyClass = Annotated[bool, typer.Option("--any-class", help="let a slider of one class move other classes too")]

FPS = 12.0

_start = partial(typer.Option, rich_help_panel="Where it starts, and how it is served")
_noise = partial(typer.Option, rich_help_panel="Noise of a StyleGAN")
_pace = partial(typer.Option, rich_help_panel="How frames follow one another")


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


class Moving(Drawing, total=False):
    """How frames are drawn, and how they follow one another."""

    easing: Annotated[
        Literal["linear", "in", "out", "in_out"],
        _pace(help="how time becomes progress; default: linear"),
    ]
    loop: Annotated[bool, _pace("--loop", help="let the last frame lead back to the first")]
    fps: Annotated[
        float,
        _pace(help=f"frames a second of a file that moves, and how fast they are wanted; default: {FPS:g}"),
    ]
    from_frame: Annotated[int, _pace(min=0, help="leave out the frames before this one; default: 0")]


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
        typer.echo(f"{out}: {_counted(len(pictures), 'picture')}")


@spelled_out
def walk(
    context: typer.Context,
    model: Name,
    out: MovingOut,
    directions: Annotated[
        list[SliderName] | None,
        typer.Argument(
            parser=parse_slider,
            metavar="DIRECTION[:SLIDER]",
            autocompletion=completing.directions,
            help="over all that it was trained on; :SLIDER where it has several; more than one move at once",
        ),
    ] = None,
    seeds: Seeds = None,
    amount: Annotated[
        list[Stretch] | None,
        typer.Option(
            parser=stretch("amount"),
            metavar="WAY",
            help="from and to in the edit's unit, e.g. zoom=0.5:2, or only layers 0-3: zoom=0.5:2:0-3; repeatable",
        ),
    ] = None,
    alpha: Annotated[
        list[Stretch] | None,
        typer.Option(parser=stretch("alpha"), metavar="WAY", help="the same in latent units, e.g. pca:1=-2:2"),
    ] = None,
    layers: Annotated[
        Numbers | None,
        typer.Option(
            parser=parse_numbers,
            metavar="LAYERS",
            help="of a StyleGAN: move only these, e.g. 0-3,6; default: all that the direction moves",
        ),
    ] = None,
    any_class: AnyClass = False,
    frames: Annotated[int, typer.Option(min=1, help="how many, both ends included")] = 16,
    as_json: Json = False,
    **options: Unpack[Moving],
) -> None:
    """Walks seeds along a direction, or several at once; a GIF, WebP or MP4 moves, a PNG or JPEG is a strip.

    From where to where is said in place of DIRECTION: latentwalk walk faces --amount zoom=0.5:2 --out zoom.gif
    """
    stretches = gathered(directions or (), [*(amount or ()), *(alpha or ())], layers)
    leg = Leg(stretches, frames=frames, easing=options.get("easing", "linear"))
    with connect(context) as client:
        steps = client.walk_legs(model, leg, any_class=any_class, **_moving(options, seeds, [0]))
        _keep(steps, out, options.get("fps", FPS), as_json)


@spelled_out
def interpolate(
    context: typer.Context,
    model: Name,
    out: MovingOut,
    seeds: Annotated[
        Numbers | None, typer.Option(parser=parse_numbers, metavar="SEEDS", help="e.g. 1,2,5-8; default: 0-3")
    ] = None,
    frames_per_leg: Annotated[int, typer.Option(min=1, help="from one seed up to the next")] = 12,
    space: Annotated[Literal["z", "w"] | None, typer.Option(help="to blend in; default: w if the model has it")] = None,
    method: Annotated[
        Literal["slerp", "lerp"] | None, typer.Option(help="along the arc, in z only, or along the line")
    ] = None,
    as_json: Json = False,
    **options: Unpack[Moving],
) -> None:
    """Travels from seed to seed; a GIF, WebP or MP4 moves, a PNG or JPEG is a strip."""
    easing = options.get("easing", "linear")
    how = {"frames_per_leg": frames_per_leg, "space": space, "method": method, "easing": easing}
    with connect(context) as client:
        steps = client.interpolate(model, **how, **_moving(options, seeds, range(4)))
        _keep(steps, out, options.get("fps", FPS), as_json)


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
        raise typer.BadParameter(f"{error.filename} cannot be read: {error.strerror}") from None


def _moving(options: Moving, seeds: Numbers | None, default: Sequence[int]) -> dict[str, Any]:
    """What the SDK is told of it, all but the easing."""
    return drawing(options, seeds, default) | {
        "loop": options.get("loop", False),
        "fps": options.get("fps", FPS),
        "first_frame": options.get("from_frame", 0),
    }


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


def _keep(steps: Walk, out: Path, fps: float, as_json: bool) -> None:
    with steps:
        header = steps.header()
        first = header.first_frame
        with counting(lambda: steps.next_index - first, header.frames - first, "frames"):
            steps.save(out, fps=fps)
    frames = steps.next_index - first
    if as_json:
        show_json({"file": str(out), "frames": frames, "rows": header.rows, "digest": header.model_digest})
    else:
        typer.echo(f"{out}: {_counted(frames, 'frame')} of {_counted(header.rows, 'picture')}")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
