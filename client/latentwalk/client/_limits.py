"""How far sliders can go, read off the measures of a job."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_ENDS, _OF_REAL = ("low", "high"), ("deviation", "reach", "correlation")
_PLACE = "|".join((r"[-+][0-9.e+-]+", *_ENDS, *_OF_REAL))
_NAME = re.compile(rf"limits\.(?P<slider>.+)\.(?P<what>[a-z0-9_]+)\.(?P<place>{_PLACE})")


@dataclass(frozen=True, slots=True)
class SliderLimits:
    """How far one slider can go, and what becomes of pictures on the way."""

    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])
    """Between which amounts, or, of a slider that imitates no edit, between which alphas: "gain": the walk removes at
    least half of the share of error that it removes at its best on that side; "class_kept": 90 % of the pictures keep
    their class."""
    rungs: Mapping[float, Mapping[str, float]] = field(default_factory=dict[float, Mapping[str, float]])
    """What was measured, by name, at each alpha, which rise."""
    real: Mapping[str, Mapping[str, float]] = field(default_factory=dict[str, Mapping[str, float]])
    """With real pictures, by attribute: its "deviation" among them, the "reach" of its mean from the least to the
    greatest over all alphas, and, over the classes, the "correlation" of the two."""


def limits_in(measures: Mapping[str, float]) -> Mapping[str, SliderLimits]:
    """The limits among measures, by "<direction>.<slider>"."""
    ends: dict[str, dict[str, dict[str, float]]] = {}
    real: dict[str, dict[str, dict[str, float]]] = {}
    rungs: dict[str, dict[float, dict[str, float]]] = {}
    for name, value in measures.items():
        if not (found := _NAME.fullmatch(name)):
            continue
        slider, what, place = found.group("slider", "what", "place")
        at = rungs.setdefault(slider, {})
        if place in _ENDS or place in _OF_REAL:
            kind = ends if place in _ENDS else real
            kind.setdefault(slider, {}).setdefault(what, {})[place] = value
        else:
            at.setdefault(float(place), {})[what] = value
    return {
        slider: SliderLimits(_ranges(ends.get(slider, {})), dict(sorted(at.items())), real.get(slider, {}))
        for slider, at in rungs.items()
    }


def _ranges(ends: Mapping[str, Mapping[str, float]]) -> dict[str, tuple[float, float]]:
    return {what: (of["low"], of["high"]) for what, of in ends.items()}
