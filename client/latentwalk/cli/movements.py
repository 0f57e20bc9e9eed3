"""How far along sliders, as it is typed: `zoom=1.5`, or `pca:1=2:0-3` in some layers only."""

from collections.abc import Callable
from typing import Literal

import typer

from latentwalk.cli.parsing import Numbers, parse_numbers, parse_slider
from latentwalk.client import Displacement

Measure = Literal["amount", "alpha"]


def displacement(measure: Measure) -> Callable[[str], Displacement]:
    """Reads a push like "zoom=1.5", or "bank:slider=1.5" for one slider of several; "zoom=1.5:0-3" in some layers."""

    def read(text: str) -> Displacement:
        direction, slider, ends, layers = _split(text, 1, "zoom=1.5, or zoom=1.5:0-3 in some layers")
        return Displacement(direction, slider=slider, layers=layers, **{measure: ends[0]})

    return read


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
