"""`latentwalk walk | interpolate`: frames into files."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, Unpack

import typer

from latentwalk.cli import completing
from latentwalk.cli.connection import connect
from latentwalk.cli.models import Name
from latentwalk.cli.movements import gathered, stretch
from latentwalk.cli.options import spelled_out, writable_frames
from latentwalk.cli.output import Json, show_json
from latentwalk.cli.parsing import Numbers, SliderName, parse_numbers, parse_slider
from latentwalk.cli.pictures import AnyClass, Drawing, Seeds, counted, drawing
from latentwalk.cli.progress import counting
from latentwalk.client import Frames, Leg, Stretch, Walk

MovingOut = Annotated[
    Path,
    typer.Option(
        "--out", "-o", dir_okay=False, callback=writable_frames, help="the file; its ending says how it is written"
    ),
]
_FPS = 12.0
# How many times as many frames are drawn as are picked: enough for most paths to be even to the eye.
_FINER = 4

_pace = partial(typer.Option, rich_help_panel="How frames follow one another")


class Moving(Drawing, total=False):
    """How frames are drawn, and how they follow one another."""

    easing: Annotated[
        Literal["linear", "in", "out", "in_out"],
        _pace(help="how time becomes progress; default: linear"),
    ]
    loop: Annotated[bool, _pace("--loop", help="let the last frame lead back to the first")]
    fps: Annotated[
        float,
        _pace(help=f"frames a second of a file that moves, and how fast they are wanted; default: {_FPS:g}"),
    ]
    from_frame: Annotated[int, _pace(min=0, help="leave out the frames before this one; default: 0")]
    evenly: Annotated[
        bool,
        _pace("--evenly", help=f"pick those that differ as much from the next, of {_FINER} times as many drawn"),
    ]


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
    leg = Leg(stretches, frames=(frames - 1) * _finer(options) + 1, easing=options.get("easing", "linear"))
    with connect(context) as client:
        steps = client.walk_legs(model, leg, any_class=any_class, **_moving(options, seeds, [0]))
        _keep(steps, out, options, as_json)


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
    how = {"frames_per_leg": frames_per_leg * _finer(options), "space": space, "method": method, "easing": easing}
    with connect(context) as client:
        steps = client.interpolate(model, **how, **_moving(options, seeds, range(4)))
        _keep(steps, out, options, as_json)


def _moving(options: Moving, seeds: Numbers | None, default: Sequence[int]) -> dict[str, Any]:
    """What the SDK is told of it, all but the easing."""
    return drawing(options, seeds, default) | {
        "loop": options.get("loop", False),
        "fps": options.get("fps", _FPS),
        "first_frame": options.get("from_frame", 0),
    }


def _finer(options: Moving) -> int:
    """How many times as many frames are drawn as are asked for."""
    if options.get("evenly") and options.get("from_frame"):
        raise typer.BadParameter("give either --evenly or --from-frame: what comes before decides which are picked")
    return _FINER if options.get("evenly") else 1


def _keep(steps: Walk, out: Path, options: Moving, as_json: bool) -> None:
    fps = options.get("fps", _FPS)
    with steps:
        header = steps.header()
        first = header.first_frame
        with counting(lambda: steps.next_index - first, header.frames - first, "frames"):
            frames = _picked(steps, options) if options.get("evenly") else steps
            frames.save(out, fps=fps)
    count = len(frames) if isinstance(frames, Frames) else steps.next_index - first
    if as_json:
        show_json({"file": str(out), "frames": count, "rows": header.rows, "digest": header.model_digest})
    else:
        typer.echo(f"{out}: {counted(count, 'frame')} of {counted(header.rows, 'picture')}")


def _picked(steps: Walk, options: Moving) -> Frames:
    frames = steps.collect()
    return frames.evenly((len(frames) - 1) // _FINER + 1, loop=options.get("loop", False))
