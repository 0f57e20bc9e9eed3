"""How far along sliders, as it is typed: `zoom=1.5` to be there, `zoom=0.5:2` to walk, `pca:1=2:0-3` in some layers."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple

import typer

from latentwalk.cli.parsing import Numbers, SliderName, parse_numbers, parse_slider, write_slider
from latentwalk.client import Displacement, Stretch

Measure = Literal["amount", "alpha"]


class Ends(NamedTuple):
    """From where to where."""

    start: float
    end: float


def displacement(measure: Measure) -> Callable[[str], Displacement]:
    """Reads a push like "zoom=1.5", or "bank:slider=1.5" for one slider of several; "zoom=1.5:0-3" in some layers."""

    def read(text: str) -> Displacement:
        direction, slider, ends, layers = _split(text, 1, "zoom=1.5, or zoom=1.5:0-3 in some layers")
        return Displacement(direction, slider=slider, layers=layers, **{measure: ends[0]})

    return read


def stretch(measure: Measure) -> Callable[[str], Stretch]:
    """Reads a way like "zoom=0.5:2", or "bank:slider=-2:2" for a slider of several; "zoom=0.5:2:0-3" in some layers."""

    def read(text: str) -> Stretch:
        form = "zoom=0.5:2, from where to where, or zoom=0.5:2:0-3 in some layers"
        direction, slider, (start, end), layers = _split(text, 2, form)
        return Stretch(direction, slider=slider, layers=layers, **{measure: (start, end)})

    return read


def parse_ends(text: str) -> Ends:
    """From where to where: "-2:2"."""
    try:
        start, end = map(float, text.split(":"))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not like -2:2, from where to where") from None
    return Ends(start, end)


def gathered(whole: Sequence[SliderName], parts: Sequence[Stretch], layers: Numbers | None) -> list[Stretch]:
    """All that moves at once: some sliders over all that they were trained on, others where it was said; in these
    layers, where none were said. Raises BadParameter for nothing, and for a slider in both.
    """
    for direction, slider in whole:
        if any((one.direction, one.slider) == (direction, slider) for one in parts):
            name = write_slider(direction, slider)
            problem = f"{name} is also in --amount or --alpha, which suffices: leave this one out"
            raise typer.BadParameter(problem, param_hint="DIRECTION")
    stretches = [*(Stretch(direction, slider=slider) for direction, slider in whole), *parts]
    if not stretches:
        raise typer.BadParameter("name one, e.g. zoom, or say how far: --amount zoom=0.5:2", param_hint="DIRECTION")
    return [replace(one, layers=layers) if one.layers is None else one for one in stretches]


def _split(text: str, count: int, form: str) -> tuple[str, str, list[float], Numbers | None]:
    """Direction, slider, so many numbers, and layers if there are any. BadParameter tells the form it must have."""
    path, _, far = text.partition("=")
    direction, slider = parse_slider(path)
    numbers, layers = far.split(":")[:count], far.split(":")[count:]
    try:
        ends = [float(number) for number in numbers]
    except ValueError:
        ends = []
    if not direction or len(ends) != count or len(layers) > 1:
        raise typer.BadParameter(f"{text!r} is not like {form}")
    return direction, slider, ends, parse_numbers(layers[0]) if layers else None
