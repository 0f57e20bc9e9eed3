"""What finished directions do to the same pictures, measured on the pictures alone. Shapes: F frames, R rows."""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentwalk.client import _catalog as catalog
from latentwalk.client import _generation as generation
from latentwalk.client._attributes import ATTRIBUTES
from latentwalk.client._errors import InvalidRequest
from latentwalk.client._frames import Frames
from latentwalk.client._latents import Classes, Seeds
from latentwalk.client._models import Direction, LoadState, Slider
from latentwalk.client._numbers import whole
from latentwalk.client._pictures import Picture, Pictures
from latentwalk.client._plans import Plan
from latentwalk.client._sheets import contact_sheet
from latentwalk.client._values import one_or_several

SATURATED = 0.9
"""The part of its greatest change at which a slider is said to have done what it can."""
_MOST_SLIDERS = 256
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class SliderMeasures:
    """What one slider does to the pictures of some seeds."""

    direction: str
    slider: str
    effect: float
    """How much a pixel changes with one alpha, in the mean over what was trained: 1 is from black to white."""
    attribute: str
    """What moves most: the name of a plain measure of a picture, e.g. "luminance"."""
    disentanglement: float
    """The part that `attribute` has in the movement of all measures, each counted in its own deviation among the
    untouched pictures. 1: nothing else moves."""
    reach: tuple[float, float]
    """Between these alphas the pictures go on changing: at either, they have changed by 90 % of the most that they do
    on that side of the slider's limits."""
    milliseconds: float
    """For one picture, as the client waited for it. Pictures that the server has kept cost less."""


@dataclass(frozen=True)
class Comparison:
    """Sliders, side by side on the same seeds. In a notebook it shows its sheet."""

    sliders: tuple[SliderMeasures, ...]
    """In the order in which they were asked for."""
    sheet: Picture = field(repr=False)
    """For each slider a row for each of the first seeds, from one end of what was trained to the other; named."""

    def _repr_png_(self) -> bytes:
        return self.sheet.png()


def compare_directions(
    model: str,
    directions: str | Iterable[str],
    *,
    seeds: Seeds = tuple(range(16)),
    classes: Classes | None = None,
    frames: int = 9,
) -> Plan[Comparison]:
    """Compares the sliders of finished directions on identical seeds: effect, disentanglement, reach and cost.

    directions: names, or "name:slider" for one slider of several. What is not loaded is loaded.
    seeds, classes: of the pictures, as for `generate`; at least two seeds.
    frames: how finely the range of a slider is looked at; at least 3.
    """
    frames = whole("frames", frames, low=3)
    asked = one_or_several("directions", directions, str)
    # They are asked for more than once: an iterator would be at its end after the first time.
    seeds = tuple(seeds) if isinstance(seeds, Iterator) else seeds
    sliders = list[tuple[Direction, Slider]]()
    for name in asked:
        sliders += yield from _found(model, name)
    if not 0 < len(sliders) <= _MOST_SLIDERS:
        raise InvalidRequest.of("directions", f"have {len(sliders)} sliders, which must be from 1 to {_MOST_SLIDERS}")
    untouched: Pictures = yield generation.generate(model, seeds=seeds, classes=classes)
    if len(untouched) < 2:
        raise InvalidRequest.of("seeds", "are fewer than 2, which cannot be told apart")
    measured, shown = list[SliderMeasures](), list[tuple[str, Frames]]()
    for direction, slider in sliders:
        walk = _Walk(model, direction.name, slider, seeds, classes, frames)
        began = time.perf_counter()
        far: Frames = yield walk.over(slider.limit.alpha)
        seconds = time.perf_counter() - began
        near: Frames = yield walk.over(slider.trained.alpha)
        measured.append(_measures(direction.name, slider, untouched, near, far, seconds))
        name = direction.name if len(direction.sliders) == 1 else f"{direction.name}:{slider.name}"
        shown.append((name, Frames(tuple(replace(one, pictures=one.pictures[:_SHOWN]) for one in near))))
    return Comparison(tuple(measured), contact_sheet(shown))


@dataclass(frozen=True, slots=True)
class _Walk:
    model: str
    direction: str
    slider: Slider
    seeds: Seeds
    classes: Classes | None
    frames: int

    def over(self, alpha: tuple[float, float]) -> generation.FramesCall[Any]:
        """From the one alpha to the other."""
        return generation.walk(
            self.model,
            self.direction,
            alpha=alpha,
            slider=self.slider.name,
            frames=self.frames,
            seeds=self.seeds,
            classes=self.classes,
            any_class=True,
        )


def _found(model: str, name: str) -> Plan[list[tuple[Direction, Slider]]]:
    """The sliders that a name stands for."""
    direction_name, colon, wanted = name.partition(":")
    direction: Direction = yield catalog.direction(model, direction_name)
    if direction.state is not LoadState.READY:
        direction = yield catalog.load_direction(model, direction_name)
    chosen = [slider for slider in direction.sliders if not colon or slider.name == wanted]
    if not chosen:
        known = ", ".join(slider.name for slider in direction.sliders)
        raise InvalidRequest.of("directions", f"{direction_name} has no slider {wanted!r}; it has {known}")
    return [(direction, slider) for slider in chosen]


def _measures(
    direction: str, slider: Slider, untouched: Pictures, near: Frames, far: Frames, seconds: float
) -> SliderMeasures:
    moved = _movements(untouched, near)
    attribute = max(moved, key=lambda name: moved[name])
    total = sum(moved.values())
    return SliderMeasures(
        direction=direction,
        slider=slider.name,
        effect=_effect(untouched, near),
        attribute=attribute,
        disentanglement=moved[attribute] / total if total else 0.0,
        reach=_reach(untouched, far),
        milliseconds=1000 * seconds / (len(far) * len(untouched)),
    )


def _alphas(frames: Frames) -> NDArray[np.float64]:
    return np.array([frame.positions[0].alpha for frame in frames])


def _changes(untouched: Pictures, frames: Frames) -> NDArray[np.float64]:
    """The mean change of a pixel in each frame [F]."""
    before = untouched.array.astype(np.float32)
    return np.array([np.abs(frame.pictures.array - before).mean() / 255 for frame in frames])


def _effect(untouched: Pictures, frames: Frames) -> float:
    """The slope through the untouched picture that fits the changes best."""
    distances = np.abs(_alphas(frames))
    return float(distances @ _changes(untouched, frames) / max(distances @ distances, 1e-12))


def _movements(untouched: Pictures, frames: Frames) -> Mapping[str, float]:
    """How far each attribute moves between the ends, in its deviations among the untouched pictures."""
    start, end = frames[0].pictures.array / 255, frames[-1].pictures.array / 255
    movements: dict[str, float] = {}
    for name, measure in ATTRIBUTES.items():
        deviation = float(measure(untouched.array / 255).std())
        movements[name] = float(np.abs(measure(end) - measure(start)).mean()) / max(deviation, 1e-6)
    return movements


def _reach(untouched: Pictures, frames: Frames) -> tuple[float, float]:
    alphas, changes = _alphas(frames), _changes(untouched, frames)
    return _end(alphas, changes, alphas <= 0), _end(alphas, changes, alphas >= 0)


def _end(alphas: NDArray[np.float64], changes: NDArray[np.float64], side: NDArray[np.bool_]) -> float:
    """The alpha nearest to 0, of one side, at which the change is nearly the greatest of that side; 0 without any."""
    order = np.argsort(np.abs(alphas[side]))
    distances = np.concatenate([[0.0], alphas[side][order]])
    reached = np.maximum.accumulate(np.concatenate([[0.0], changes[side][order]]))
    wanted = SATURATED * reached[-1]
    after = int(np.searchsorted(reached, wanted))
    if after == 0:
        return 0.0
    share = (wanted - reached[after - 1]) / (reached[after] - reached[after - 1])
    return float(distances[after - 1] + share * (distances[after] - distances[after - 1]))
