"""Where to walk: displacements, stretches and legs, as plain values that know their message.

How far is always said in one of two measures, by name:
    alpha    the direction's own latent units; `Slider.trained` says what it was trained on, and for a slider that
             imitates an edit 1 is the far end of that
    amount   the unit of the edit that the slider imitates: 1.5 (x) for zoom, 8 (px) for a shift, 0.2 (of the full
             range) for brightness, 10 (degrees) for a rotation
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Literal

from latentwalk.client._choices import chosen
from latentwalk.client._errors import InvalidRequest
from latentwalk.client._numbers import number, whole, wholes
from latentwalk.client._values import elements, one_or_several, pair, text
from latentwalk.v1 import generation_service_pb2 as pb

Easing = Literal["linear", "in", "out", "in_out"]
"""How time becomes progress: constant speed, slow at the start, at the end, or at both."""

EASINGS: Mapping[str, pb.Easing.ValueType] = {
    "linear": pb.EASING_LINEAR,
    "in": pb.EASING_IN,
    "out": pb.EASING_OUT,
    "in_out": pb.EASING_IN_OUT,
}


def easing_message(easing: str) -> pb.Easing.ValueType:
    """The easing on the wire; InvalidRequest for a name that is not one."""
    return chosen("easing", easing, EASINGS)


@dataclass(frozen=True, slots=True)
class Displacement:
    """How far to push a latent along one slider of one direction. Give `alpha` or `amount`."""

    direction: str
    """The direction's name."""
    _: KW_ONLY
    alpha: float | None = None
    """How far, in the direction's own latent units."""
    amount: float | None = None
    """How far, in the unit of the edit."""
    slider: str = ""
    """Which slider; may be empty for a direction with only one."""
    layers: Iterable[int] | None = None
    """Of a direction in w or w+: only these layers are moved, 0 is the coarsest; None for all that it moves."""

    def __post_init__(self) -> None:
        if (self.alpha is None) == (self.amount is None):
            raise InvalidRequest.of(self.direction, "give either alpha or amount")
        object.__setattr__(self, "layers", _kept(self.layers))

    def message(self, field: str) -> pb.Displacement:
        """The message of this displacement, which stands in `field`."""
        measures = {"alpha": self.alpha, "amount": self.amount}
        far = {name: number(f"{field}.{name}", value) for name, value in measures.items() if value is not None}
        direction, slider = text(f"{field}.direction", self.direction), text(f"{field}.slider", self.slider)
        layers = _layers(f"{field}.layers", self.layers)
        return pb.Displacement(direction=direction, slider=slider, extent=pb.Extent(**far), layers=layers)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A movement along one slider of one direction. Without `alpha` and `amount`: over all that it was trained on."""

    direction: str
    """The direction's name."""
    _: KW_ONLY
    alpha: tuple[float, float] | None = None
    """(from, to), in the direction's own latent units."""
    amount: tuple[float, float] | None = None
    """(from, to), in the unit of the edit."""
    slider: str = ""
    """Which slider; may be empty for a direction with only one."""
    layers: Iterable[int] | None = None
    """As of a Displacement."""

    def __post_init__(self) -> None:
        if self.alpha is not None and self.amount is not None:
            raise InvalidRequest.of(self.direction, "give alpha or amount, not both")
        object.__setattr__(self, "layers", _kept(self.layers))

    def message(self, field: str) -> pb.Stretch:
        """The message of this stretch, which stands in `field`."""
        measure, given = ("alpha", self.alpha) if self.amount is None else ("amount", self.amount)
        ends = () if given is None else pair(f"{field}.{measure}", given, "two numbers, (from, to)")
        extents = [pb.Extent(**{measure: number(f"{field}.{measure}[{i}]", end)}) for i, end in enumerate(ends)]
        direction, slider = text(f"{field}.direction", self.direction), text(f"{field}.slider", self.slider)
        layers = _layers(f"{field}.layers", self.layers)
        # `from` is a keyword of Python, so it can only be given by name in a mapping.
        named = dict(zip(("from", "to"), extents, strict=False))
        return pb.Stretch(direction=direction, slider=slider, layers=layers, **named)


@dataclass(frozen=True, slots=True)
class Leg:
    """A part of a walk: one stretch, or several that happen at once and add up.

    A slider that an earlier leg moved and this one does not name, or names in other layers, stays where it was.
    """

    stretches: Stretch | Sequence[Stretch]
    """What moves."""
    _: KW_ONLY
    frames: int = 16
    """How many frames, both ends included; at least 1."""
    easing: Easing = "linear"
    """How time becomes progress."""

    def message(self, field: str) -> pb.Leg:
        """The message of this leg, which stands in `field`."""
        stretches = one_or_several(f"{field}.stretches", self.stretches, Stretch)
        return pb.Leg(
            stretches=[stretch.message(f"{field}.stretches[{index}]") for index, stretch in enumerate(stretches)],
            frames=whole(f"{field}.frames", self.frames),
            easing=easing_message(self.easing),
        )


def _kept(layers: Iterable[int] | None) -> tuple[int, ...] | None:
    """The layers, to be read more than once: an iterator would be at its end after the first time."""
    return None if layers is None else tuple(elements("layers", layers, "a list of whole numbers"))


def _layers(field: str, layers: Iterable[int] | None) -> list[int]:
    """The layers on the wire, where none are all; so InvalidRequest for a list of none."""
    listed = [] if layers is None else wholes(field, layers)
    if layers is not None and not listed:
        raise InvalidRequest.of(field, "has none; at least 1 is needed, or None for all")
    return listed


def displacement_messages(displacements: Displacement | Iterable[Displacement]) -> list[pb.Displacement]:
    """The messages of one displacement or several."""
    pushes = one_or_several("displacements", displacements, Displacement)
    return [push.message(f"displacements[{index}]") for index, push in enumerate(pushes)]


def leg_messages(legs: Leg | Iterable[Leg]) -> list[pb.Leg]:
    """The messages of one leg or several."""
    return [leg.message(f"legs[{index}]") for index, leg in enumerate(one_or_several("legs", legs, Leg))]
