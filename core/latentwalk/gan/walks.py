"""Walks: paths of latents. Any frame can be asked for, in any order; what is not asked for costs nothing."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import accumulate
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor

from latentwalk.gan.directions import Direction
from latentwalk.gan.directions.direction import Path
from latentwalk.gan.errors import GanError, OutOfRange
from latentwalk.gan.interpolation import CURVES, EASINGS, INTERPOLATIONS, Curve, lerp
from latentwalk.gan.styles import Lift


class Track(NamedTuple):
    """What a walk moves, to some alpha: a slider of a direction, in some layers of w+."""

    direction: Direction
    slider: int
    layers: tuple[int, ...] = ()
    """Rising; empty for all that the direction moves."""


_Alphas: TypeAlias = Mapping[Track, float]


@dataclass(frozen=True)
class Stretch:
    """A movement along one slider of a direction, from alpha = start to alpha = stop."""

    direction: Direction
    slider: int
    start: float
    stop: float
    layers: tuple[int, ...] = ()
    """The layers of w+ that are moved, as of a Track; `Direction.chosen_layers` gives them."""

    @property
    def track(self) -> Track:
        """What it moves."""
        return Track(self.direction, self.slider, self.layers)


@dataclass(frozen=True)
class Leg:
    """Stretches that happen at once and add up, in so many frames, both ends included.

    A leg of a single frame stands at the start. Raises GanError for less than one frame or an unknown easing.
    """

    stretches: tuple[Stretch, ...]
    frames: int
    easing: str = "linear"

    def __post_init__(self) -> None:
        _check(self.frames, self.easing)

    def alphas_at(self, frame: int) -> _Alphas:
        """Where what this leg moves stands in its frame, from 0 to frames - 1."""
        t = EASINGS[self.easing](frame / max(1, self.frames - 1))
        alphas: dict[Track, float] = {}
        for stretch in self.stretches:
            alphas[stretch.track] = alphas.get(stretch.track, 0.0) + (1 - t) * stretch.start + t * stretch.stop
        return alphas


@dataclass(frozen=True, eq=False)
class Walk:
    """Legs walked one after the other; what a later leg does not move stays where it was. One slider in several
    choices of layers is moved by each of them: where they share a layer, they add up.

    ``start`` is z [R, Z], and all rows walk the same legs. ``lift`` is what makes w+ [R, L, W] of it, for a generator
    with a mapping network: sliders in z move what goes into it, the others what comes out. A looping walk comes back
    the way it went and shows neither of its two ends twice, so that its last frame is followed by its first. Raises
    GanError for a walk without legs.
    """

    start: Tensor
    legs: tuple[Leg, ...]
    loop: bool = False
    lift: Lift | None = None

    def __post_init__(self) -> None:
        if not self.legs:
            raise GanError("a walk has no legs: give it at least one")

    @cached_property
    def origin(self) -> Tensor:
        """Where the walk starts, as it is drawn: z [R, Z] or, with a lift, w+ [R, L, W]."""
        return self.start if self.lift is None else self.lift(self.start)

    @property
    def frames(self) -> int:
        """How many frames each row has."""
        there = self._ends[-1]
        return max(1, 2 * there - 2) if self.loop else there

    def alphas_at(self, index: int) -> Mapping[Track, float]:
        """Where everything stands that was moved so far, in one frame, from 0 to frames - 1. Raises OutOfRange."""
        _check_index(index, self.frames)
        frame = index if index < self._ends[-1] else self.frames - index  # the way back is the way there
        leg = bisect_right(self._ends, frame)
        first = self._ends[leg] - self.legs[leg].frames
        return {**self._held[leg], **self.legs[leg].alphas_at(frame - first)}

    def code_at(self, index: int) -> Tensor:
        """The codes of one frame, from 0 to frames - 1: z [R, Z] or, with a lift, w+ [R, L, W]. Raises OutOfRange.

        Sliders add up: each moves the start as if it were alone, so that their order is of no account.
        """
        alphas = self.alphas_at(index)
        z = self._z_at(alphas)
        if self.lift is None:
            return z
        w_plus = self._only_w_plus if self.frames == 1 else self._lifted(z)
        return self._moved(w_plus, {track: alpha for track, alpha in alphas.items() if track.direction.space != "z"})

    def rehearsals(self, earlier: "Walk | None" = None) -> Iterator[Callable[[], object]]:
        """What to call beforehand, one after the other, so that code_at is cheap.

        Maps the start, takes the steps of the paths that are walked in steps, and maps the only frame of a walk that
        stands still; but not what is at hand, nor steps that an earlier walk from the same start has taken. Other
        frames in which a slider moves z are mapped one by one, when they are asked for.
        """
        if self.lift is not None and not self.lift.is_at_hand(self.start):
            yield lambda: self.origin
        if earlier is not None:
            self._follow(earlier)
        for leg in self.legs:
            for frame in (0, leg.frames - 1):
                for track, alpha in leg.alphas_at(frame).items():
                    if track.direction.is_stepped:
                        yield partial(self._path(track), alpha)
        if self.lift is not None and self.frames == 1:
            z = self._z_at(self.alphas_at(0))
            if z is not self.start and not self.lift.is_at_hand(z):
                yield lambda: self._only_w_plus

    def _z_at(self, alphas: _Alphas) -> Tensor:
        moves = {track: alpha for track, alpha in alphas.items() if track.direction.space == "z"}
        return self._moved(self.start, moves)

    @cached_property
    def _only_w_plus(self) -> Tensor:
        """What the lift makes of the only frame."""
        return self._lifted(self._z_at(self.alphas_at(0)))

    def _lifted(self, z: Tensor) -> Tensor:
        return self.origin if self.lift is None or z is self.start else self.lift(z)

    def _follow(self, earlier: "Walk") -> None:
        """Spares itself the steps that an earlier walk has taken, if it began at the same start."""
        if torch.equal(self.start, earlier.start) and torch.equal(self.origin, earlier.origin):
            sliders = {(stretch.direction, stretch.slider) for leg in self.legs for stretch in leg.stretches}
            self.paths.update({slider: path for slider, path in earlier.paths.items() if slider in sliders})

    def _path(self, track: Track) -> Path:
        direction, slider = track.direction, track.slider
        if (direction, slider) not in self.paths:
            start = self.start if direction.space == "z" else self.origin
            self.paths[direction, slider] = direction.path(start, slider)
        return self.paths[direction, slider]

    def _moved(self, code: Tensor, alphas: _Alphas) -> Tensor:
        for track, alpha in alphas.items():
            shift = self._path(track)(alpha)
            code = code + (_confined(shift, track.layers, code.shape[1]) if track.layers else shift)
        return code

    @cached_property
    def paths(self) -> dict[tuple[Direction, int], Path]:
        """Those of the sliders that were asked for, from the start, in all layers: some of them are a part of each."""
        return {}

    @cached_property
    def _ends(self) -> tuple[int, ...]:
        """The first frame after each leg."""
        return tuple(accumulate(leg.frames for leg in self.legs))

    @cached_property
    def _held(self) -> tuple[_Alphas, ...]:
        """Where everything stands before each leg."""

        def after(held: _Alphas, leg: Leg) -> _Alphas:
            return {**held, **leg.alphas_at(leg.frames - 1)}

        return tuple(accumulate(self.legs, after, initial={}))


@dataclass(frozen=True, eq=False)
class Interpolation:
    """Travels from keyframe to keyframe, ``frames_per_leg`` frames from one up to, and without, the next.

    ``keyframes`` is z [K, Z] or w+ [K, L, W], ``conditions`` is [K, classes], always blended linearly, or None.
    The last keyframe is the last frame; a looping interpolation travels on to the first one instead, without
    repeating it. Raises GanError for less than two keyframes or less than one frame, and for an unknown method
    or easing.
    """

    keyframes: Tensor
    conditions: Tensor | None
    frames_per_leg: int
    method: str
    easing: str
    loop: bool

    def __post_init__(self) -> None:
        _check(self.frames_per_leg, self.easing)
        if self.method not in INTERPOLATIONS:
            raise GanError(f"method of interpolation is {self.method!r}: use one of {', '.join(INTERPOLATIONS)}")
        if len(self.keyframes) < 2:
            raise GanError(f"an interpolation has {len(self.keyframes)} keyframes: it must have at least 2")
        if self.conditions is not None and len(self.conditions) != len(self.keyframes):
            raise GanError(f"{len(self.keyframes)} keyframes have {len(self.conditions)} conditions: give one each")

    @property
    def frames(self) -> int:
        """How many frames there are."""
        legs = len(self.keyframes) - 1
        return (legs + 1) * self.frames_per_leg if self.loop else legs * self.frames_per_leg + 1

    def code_at(self, index: int) -> Tensor:
        """The code of one frame, z [Z] or w+ [L, W], from 0 to frames - 1. Raises OutOfRange beyond."""
        leg, t = self._progress(index)
        if leg not in self._curves:
            self._curves[leg] = CURVES[self.method](*_ends_of(self.keyframes, leg))
        return self._curves[leg](t)

    def condition_at(self, index: int) -> Tensor | None:
        """The condition [classes] of one frame; None if there are no conditions."""
        leg, t = self._progress(index)
        return None if self.conditions is None else lerp(*_ends_of(self.conditions, leg), t)

    def _progress(self, index: int) -> tuple[int, float]:
        """The leg of a frame, and how far along."""
        _check_index(index, self.frames)
        leg, frame = divmod(index, self.frames_per_leg)
        return leg, EASINGS[self.easing](frame / self.frames_per_leg)

    @cached_property
    def _curves(self) -> dict[int, Curve]:
        """Those of the legs that were asked for."""
        return {}


def _confined(shift: Tensor, layers: tuple[int, ...], count: int) -> Tensor:
    """A shift [R, L, W], or [W] for all rows and layers alike, in some of `count` layers: [R, L, W] or [L, W]."""
    # Not by indices, which cost several times as much as the sum itself.
    share = shift.new_zeros(count, 1)
    share[list(layers)] = 1
    return share * shift


def _ends_of(keyframes: Tensor, leg: int) -> tuple[Tensor, Tensor]:
    return keyframes[leg], keyframes[(leg + 1) % len(keyframes)]


def _check(frames: int, easing: str) -> None:
    if frames < 1:
        raise GanError(f"a leg has {frames} frames: it must have at least 1")
    if easing not in EASINGS:
        raise GanError(f"easing is {easing!r}: use one of {', '.join(EASINGS)}")


def _check_index(index: int, frames: int) -> None:
    if not 0 <= index < frames:
        raise OutOfRange("frame", index, 0, frames - 1)
