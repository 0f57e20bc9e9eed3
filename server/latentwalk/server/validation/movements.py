"""Displacements, stretches and legs: movements along the sliders of loaded directions."""

import math
from collections.abc import Mapping, Sequence

from latentwalk.gan.directions import Direction, Slider
from latentwalk.gan.errors import InvalidLayers, OutOfRange, UnknownSlider
from latentwalk.gan.walks import Leg, Stretch
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.server.served import ServedModel
from latentwalk.server.validation.sums import Sums
from latentwalk.v1 import generation_service_pb2 as pb

EASINGS: Mapping[int, str] = {
    pb.EASING_UNSPECIFIED: "linear",
    pb.EASING_LINEAR: "linear",
    pb.EASING_IN: "ease_in",
    pb.EASING_OUT: "ease_out",
    pb.EASING_IN_OUT: "ease_in_out",
}

MOST_MOVEMENTS = 1_024
"""The most displacements or stretches of one request, so that reading it cannot hold up the others."""


def read_displacements(displacements: Sequence[pb.Displacement], model: ServedModel) -> Leg:
    """All displacements, as a leg of one frame."""
    _check_count("displacements", "displacements", len(displacements))
    stretches: list[Stretch] = []
    for index, displacement in enumerate(displacements):
        field = f"displacements[{index}]"
        direction, slider = find_slider(field, displacement.direction, displacement.slider, model)
        alpha = _alpha(f"{field}.extent", displacement.extent, direction, slider)
        layers = _layers(field, displacement.layers, direction, model)
        stretches.append(Stretch(direction, slider, alpha, alpha, layers))
    leg = Leg(tuple(stretches), frames=1)
    Sums(model.spec.layers).add("displacements", leg)
    return leg


def read_legs(legs: Sequence[pb.Leg], model: ServedModel) -> tuple[Leg, ...]:
    """The legs of a walk, of which there must be at least one."""
    if not legs:
        raise InvalidRequest("legs", "has none; at least 1 is needed")
    _check_count("legs", "legs", len(legs))
    _check_count("legs", "stretches", sum(len(leg.stretches) for leg in legs))
    sums, read = Sums(model.spec.layers), list[Leg]()
    for index, message in enumerate(legs):
        leg = _leg(f"legs[{index}]", message, model)
        sums.add(f"legs[{index}].stretches", leg)
        read.append(leg)
    return tuple(read)


def read_easing(field: str, easing: int) -> str:
    """The name of an easing."""
    if easing not in EASINGS:
        raise InvalidRequest(field, f"{easing} is no easing; the greatest is {max(EASINGS)}")
    return EASINGS[easing]


def _leg(field: str, leg: pb.Leg, model: ServedModel) -> Leg:
    if not leg.stretches:
        raise InvalidRequest(f"{field}.stretches", "has none; at least 1 is needed")
    if not 1 <= leg.frames <= model.max_frames:
        raise InvalidRequest(f"{field}.frames", f"{leg.frames:,} must be from 1 to {model.max_frames:,}")
    stretches = tuple(
        _stretch(f"{field}.stretches[{index}]", stretch, model) for index, stretch in enumerate(leg.stretches)
    )
    return Leg(stretches, leg.frames, read_easing(f"{field}.easing", leg.easing))


def _stretch(field: str, stretch: pb.Stretch, model: ServedModel) -> Stretch:
    direction, slider = find_slider(field, stretch.direction, stretch.slider, model)
    # `from` is a keyword of Python.
    start, stop = getattr(stretch, "from"), stretch.to
    low, high = direction.sliders[slider].trained
    return Stretch(
        direction,
        slider,
        _alpha(f"{field}.from", start, direction, slider) if start.WhichOneof("unit") else low,
        _alpha(f"{field}.to", stop, direction, slider) if stop.WhichOneof("unit") else high,
        _layers(field, stretch.layers, direction, model),
    )


def find_slider(field: str, direction_name: str, slider_name: str, model: ServedModel) -> tuple[Direction, int]:
    """A direction that is loaded, and which of its sliders is meant; the field is that of the movement."""
    direction = model.direction(direction_name).direction
    if not slider_name and len(direction.sliders) > 1:
        names = ", ".join(slider.name for slider in direction.sliders)
        raise InvalidRequest(f"{field}.slider", f"is needed: direction {direction_name!r} has {names}")
    try:
        return direction, direction.slider_index(slider_name)
    except UnknownSlider as error:
        raise InvalidRequest(f"{field}.slider", f"{slider_name!r} is none of {', '.join(error.existing)}") from error


def _layers(field: str, layers: Sequence[int], direction: Direction, model: ServedModel) -> tuple[int, ...]:
    try:
        return direction.chosen_layers(layers, model.spec)
    except InvalidLayers as error:
        raise InvalidRequest(f"{field}.layers", error.reason) from error


def _alpha(field: str, extent: pb.Extent, direction: Direction, index: int) -> float:
    """The alpha of an extent, within the limit of the slider."""
    slider, unit = direction.sliders[index], extent.WhichOneof("unit")
    if unit is None:
        raise InvalidRequest(field, "is needed; give an alpha or an amount")
    field = f"{field}.{unit}"
    if unit == "alpha":
        value, alpha, low, high, suffix = extent.alpha, extent.alpha, *slider.limit, ""
    else:
        low, high = _amount_limit(field, slider)
        value, suffix = extent.amount, f" {slider.unit}"
        alpha = _alpha_of(value, slider)
    if not math.isfinite(value):
        raise InvalidRequest(field, f"{value} is not finite")
    if not slider.may_stand_at(alpha):
        measured = ", as far as it is calibrated" if unit == "amount" and slider.calibration else ""
        ends = f"from {low:.6g} to {high:.6g}{suffix}{measured}"
        raise InvalidRequest(field, f"{value:g}{suffix} is beyond slider {slider.name!r}, {ends}")
    return min(max(alpha, slider.limit[0]), slider.limit[1])


def _amount_limit(field: str, slider: Slider) -> tuple[float, float]:
    if not slider.edit:
        raise InvalidRequest(field, f"slider {slider.name!r} imitates no edit; give an alpha")
    return slider.amounts(slider.limit)


def _alpha_of(amount: float, slider: Slider) -> float:
    """NaN for an amount for which the edit is not even defined, or the slider not calibrated; it is within no limit."""
    try:
        return slider.alpha_of(amount)
    except OutOfRange:
        return math.nan


def _check_count(field: str, what: str, count: int) -> None:
    if count > MOST_MOVEMENTS:
        raise InvalidRequest(field, f"{count:,} {what} are more than {MOST_MOVEMENTS:,}")
