"""`latentwalk generate | walk | interpolate`: pictures into files."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from latentwalk.cli.connection import connect
from latentwalk.cli.models import Name
from latentwalk.cli.output import Json, show_json
from latentwalk.cli.parsing import (
    parse_classes,
    parse_displacement,
    parse_mix,
    parse_noise,
    parse_numbers,
    parse_slider,
)
from latentwalk.client import Style, Walk

Out = Annotated[Path, typer.Option("--out", "-o", help="the file; its ending says how it is written")]
Seeds = Annotated[str, typer.Option(help="e.g. 7 or 1,2,5-8")]
Classes = Annotated[str | None, typer.Option(help="for a conditional model: one class for all, or 3,5,7 for each")]
AnyClass = Annotated[bool, typer.Option("--any-class", help="let a slider of one class move other classes too")]
Easing = Annotated[Literal["linear", "in", "out", "in_out"], typer.Option(help="how time becomes progress")]
Loop = Annotated[bool, typer.Option("--loop", help="let the last frame lead back to the first")]
Fps = Annotated[float, typer.Option(help="frames a second of a GIF or WebP, and how fast they are wanted")]
Importance = Annotated[Literal["low", "normal", "high"], typer.Option("--priority", help="who goes first when busy")]
Strict = Annotated[bool, typer.Option("--strict", help="the same bytes every time, whatever else is drawn; slower")]
FromFrame = Annotated[int, typer.Option(min=0, help="leave out the frames before this one")]
Truncation = Annotated[float, typer.Option(min=-2, max=2, help="of a StyleGAN: how far from the mean w; 1 as it is")]
TruncatedLayers = Annotated[int | None, typer.Option(min=1, help="only so many of its layers, from the coarsest")]
Mixes = Annotated[
    list[str] | None, typer.Option(help="of a StyleGAN: the style of a seed in layers, 8:0-3; with class 2, 8/2:0-3")
]
Noise = Annotated[str, typer.Option(help="of a StyleGAN: weights, none, or a seed")]
NoiseStrength = Annotated[float, typer.Option(min=0, max=4, help="of a StyleGAN: 1 as it was trained with")]
Ends = tuple[float, float]


def generate(
    context: typer.Context,
    model: Name,
    out: Out,
    seeds: Seeds = "0",
    classes: Classes = None,
    truncation: Truncation = 1.0,
    truncated_layers: TruncatedLayers = None,
    mix: Mixes = None,
    noise: Noise = "weights",
    noise_strength: NoiseStrength = 1.0,
    amount: Annotated[list[str] | None, typer.Option(help="push along a direction, e.g. zoom=1.5; repeatable")] = None,
    alpha: Annotated[list[str] | None, typer.Option(help="the same in latent units, e.g. zoom=0.4")] = None,
    any_class: AnyClass = False,
    columns: Annotated[int | None, typer.Option(min=1, help="of the grid; default: about as wide as high")] = None,
    priority: Importance = "normal",
    strict: Strict = False,
    as_json: Json = False,
) -> None:
    """Draws one picture for each seed and writes them as one grid."""
    pushes = [parse_displacement(text, "amount") for text in amount or ()]
    pushes += [parse_displacement(text, "alpha") for text in alpha or ()]
    with connect(context) as client:
        pictures = client.generate(
            model,
            seeds=parse_numbers(seeds),
            classes=parse_classes(classes),
            styles=_style(truncation, truncated_layers, mix, noise, noise_strength),
            displacements=pushes,
            any_class=any_class,
            determinism="strict" if strict else "default",
            priority=priority,
        )
    pictures.grid(columns).save(out)
    if as_json:
        digest = pictures.model_digest
        show_json({"file": str(out), "pictures": len(pictures), "version": pictures.model_version, "digest": digest})
    else:
        typer.echo(f"{out}: {len(pictures)} picture{'s' if len(pictures) > 1 else ''}")


def walk(
    context: typer.Context,
    model: Name,
    direction: Annotated[
        str, typer.Argument(metavar="DIRECTION[:SLIDER]", help="the direction, and which slider of several")
    ],
    out: Out,
    seeds: Seeds = "0",
    classes: Classes = None,
    truncation: Truncation = 1.0,
    truncated_layers: TruncatedLayers = None,
    mix: Mixes = None,
    noise: Noise = "weights",
    noise_strength: NoiseStrength = 1.0,
    amount: Annotated[Ends | None, typer.Option(help="from and to, in the edit's unit", metavar="FROM TO")] = None,
    alpha: Annotated[Ends | None, typer.Option(help="from and to, in latent units", metavar="FROM TO")] = None,
    any_class: AnyClass = False,
    frames: Annotated[int, typer.Option(min=1, help="how many, both ends included")] = 16,
    easing: Easing = "linear",
    loop: Loop = False,
    fps: Fps = 12.0,
    priority: Importance = "normal",
    strict: Strict = False,
    from_frame: FromFrame = 0,
    as_json: Json = False,
) -> None:
    """Walks seeds along a direction; a GIF or WebP moves, a PNG or JPEG is a strip.

    Without --amount and --alpha: over the whole range that the direction was trained on.
    """
    name, slider = parse_slider(direction)
    with connect(context) as client:
        steps = client.walk(
            model,
            name,
            seeds=parse_numbers(seeds),
            classes=parse_classes(classes),
            styles=_style(truncation, truncated_layers, mix, noise, noise_strength),
            amount=amount,
            alpha=alpha,
            slider=slider,
            any_class=any_class,
            frames=frames,
            easing=easing,
            loop=loop,
            determinism="strict" if strict else "default",
            priority=priority,
            fps=fps,
            first_frame=from_frame,
        )
        _keep(steps, out, fps, as_json)


def interpolate(
    context: typer.Context,
    model: Name,
    out: Out,
    seeds: Seeds = "0-3",
    classes: Classes = None,
    truncation: Truncation = 1.0,
    truncated_layers: TruncatedLayers = None,
    mix: Mixes = None,
    noise: Noise = "weights",
    noise_strength: NoiseStrength = 1.0,
    frames_per_leg: Annotated[int, typer.Option(min=1, help="from one seed up to the next")] = 12,
    space: Annotated[Literal["z", "w"] | None, typer.Option(help="to blend in; default: w if the model has it")] = None,
    method: Annotated[
        Literal["slerp", "lerp"] | None, typer.Option(help="along the arc, in z only, or along the line")
    ] = None,
    easing: Easing = "linear",
    loop: Loop = False,
    fps: Fps = 12.0,
    priority: Importance = "normal",
    strict: Strict = False,
    from_frame: FromFrame = 0,
    as_json: Json = False,
) -> None:
    """Travels from seed to seed; a GIF or WebP moves, a PNG or JPEG is a strip."""
    with connect(context) as client:
        steps = client.interpolate(
            model,
            seeds=parse_numbers(seeds),
            classes=parse_classes(classes),
            styles=_style(truncation, truncated_layers, mix, noise, noise_strength),
            frames_per_leg=frames_per_leg,
            space=space,
            method=method,
            easing=easing,
            loop=loop,
            determinism="strict" if strict else "default",
            priority=priority,
            fps=fps,
            first_frame=from_frame,
        )
        _keep(steps, out, fps, as_json)


def _style(
    truncation: float, truncated_layers: int | None, mix: list[str] | None, noise: str, noise_strength: float
) -> Style | None:
    """What a StyleGAN is told; None if nothing is, so that other models can be asked, too."""
    mixes = [parse_mix(text) for text in mix or ()]
    style = Style(truncation, truncated_layers, mixes, parse_noise(noise), noise_strength)
    return None if style == Style(mix=[]) else style


def _keep(steps: Walk, out: Path, fps: float, as_json: bool) -> None:
    with steps:
        header = steps.header()
        steps.save(out, fps=fps)
    frames = steps.next_index - header.first_frame
    if as_json:
        show_json({"file": str(out), "frames": frames, "rows": header.rows, "digest": header.model_digest})
    else:
        typer.echo(f"{out}: {frames} frames of {header.rows}")
