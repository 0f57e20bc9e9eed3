"""What the page is told of a model: what can be chosen, and how far each slider goes."""

import math
from typing import Any

from latentwalk.cli.look.position import MOST_PICTURES
from latentwalk.client import Client, Direction, Encoding, LoadState, Model, Range, Slider

LARGEST_EXACT = 256
"""Pixels of a side, up to which pictures travel as PNG unless another form is chosen: above, that takes its time."""


def describe(client: Client, name: str) -> dict[str, Any]:
    """The model and its directions, in terms of JSON. Raises LatentwalkError."""
    model = client.model(name)
    return {
        "name": model.name,
        "told": _told(model),
        "width": model.width,
        "height": model.height,
        "classes": model.classes,
        "truncates": model.layers > 0,
        "encoding": usual_encoding(model),
        "most": min(model.max_rows, MOST_PICTURES),
        "directions": [_direction(one) for one in client.directions(name)],
    }


def usual_encoding(model: Model) -> Encoding:
    """How its pictures travel to the page unless another form is chosen."""
    return "png" if max(model.width, model.height) <= LARGEST_EXACT else "jpeg"


def _told(model: Model) -> str:
    """What it is, in words."""
    truncation = "" if model.truncation is None else f" at truncation {model.truncation:g}"
    return f"{model.family}{truncation}, version {model.version}, {model.width} x {model.height}"


def _direction(direction: Direction) -> dict[str, Any]:
    ready = direction.state is LoadState.READY
    sliders = [_slider(one) for one in direction.sliders] if ready else []
    return {"name": direction.name, "version": direction.version, "ready": ready, "sliders": sliders}


def _slider(slider: Slider) -> dict[str, Any]:
    """Its range and the part of that which it was trained on, in amounts if it has them, else in alpha."""
    measure = "alpha" if slider.limit.amount is None or slider.trained.amount is None else "amount"
    limit, trained = (sorted(getattr(bounds, measure)) for bounds in (slider.limit, slider.trained))
    multiplies = measure == "amount" and limit[0] > 0 and not _is_proportional(slider.limit)
    return {
        "name": slider.name,
        "class_id": slider.class_id,
        "measure": measure,
        "unit": slider.unit if measure == "amount" else "alpha",
        "limit": limit,
        "trained": trained,
        "multiplies": multiplies,
        "rest": 1 if multiplies else 0,
    }


def _is_proportional(bounds: Range) -> bool:
    """Whether amounts grow with alpha, from an amount of 0 that changes nothing; else they are factors, like zoom's."""
    (alpha_low, alpha_high), (low, high) = bounds.alpha, bounds.amount or (0, 0)
    return math.isclose(alpha_low * high, alpha_high * low, rel_tol=1e-6, abs_tol=1e-12)
