"""Walks along directions. Any frame can be asked for, in any order; what is not asked for costs nothing."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor

from latentwalk.gan.directions import Direction
from latentwalk.gan.directions.direction import Path
from latentwalk.gan.easing import EASINGS, check_frame, check_leg
from latentwalk.gan.errors import GanError
from latentwalk.gan.steps import Steps, finish
from latentwalk.gan.styles import Lift


class Track(NamedTuple):
    """What a walk moves, to some alpha: a slider of a direction, in some layers of w+."""

    direction: Direction
    slider: int
    layers: tuple[int, ...] = ()
    """Rising; empty for all that the direction moves."""


_Alphas: TypeAlias = Mapping[Track, float]

# So many shifts without a network to them take a tenth of a millisecond.
_MOST_AT_ONCE = 16


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
        check_leg(self.frames, self.easing)

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

    @property
    def frames(self) -> int:
        """How many frames each row has."""
        return walk_length(self._ends[-1], loop=self.loop)

    @property
    def is_dear(self) -> bool:
        """Whether a frame takes more than a moment: a network maps or moves its codes, or many sliders do."""
        tracks = {stretch.track for leg in self.legs for stretch in leg.stretches}
        many = len(tracks) > _MOST_AT_ONCE
        return self.lift is not None or many or any(track.direction.is_dear for track in tracks)

    def alphas_at(self, index: int) -> Mapping[Track, float]:
        """Where everything stands that was moved so far, in one frame, from 0 to frames - 1. Raises OutOfRange."""
        check_frame(index, self.frames)
        frame = index if index < self._ends[-1] else self.frames - index  # the way back is the way there
        leg = bisect_right(self._ends, frame)
        first = self._ends[leg] - self.legs[leg].frames
        return {**self._held[leg], **self.legs[leg].alphas_at(frame - first)}

    def code_at(self, index: int) -> Tensor:
        """The codes of one frame, from 0 to frames - 1: z [R, Z] or, with a lift, w+ [R, L, W]. Raises OutOfRange.

        Sliders add up: each moves the start as if it were alone, so that their order is of no account.
        """
        return finish(self.in_steps(index))

    def in_steps(self, index: int, earlier: "Walk | None" = None) -> Steps[Tensor]:
        """As code_at, in steps: each maps a latent, moves one along a stepped path, or moves all along a slider.

        What earlier frames have mapped and stepped is not done again; nor are steps that an earlier walk from the same
        start has taken.
        """
        alphas = self.alphas_at(index)
        origin = yield from self._origin()
        if earlier is not None:
            self._follow(earlier)
        in_z = {track: alpha for track, alpha in alphas.items() if track.direction.space == "z"}
        z = yield from self._moved(self.start, in_z, self.start)
        if self.lift is None:
            return z
        w_plus = (yield from self.lift.in_steps(z)) if in_z else origin
        rest = {track: alpha for track, alpha in alphas.items() if track not in in_z}
        return (yield from self._moved(w_plus, rest, origin))

    def _origin(self) -> Steps[Tensor]:
        """Where it starts, as it is drawn: z [R, Z] or, with a lift, w+ [R, L, W]."""
        if not self.origins:
            self.origins.append(self.start if self.lift is None else (yield from self.lift.in_steps(self.start)))
        return self.origins[0]

    def _follow(self, earlier: "Walk") -> None:
        """Shares the paths of an earlier walk, if it began at the same start."""
        if torch.equal(self.start, earlier.start) and all(map(torch.equal, self.origins, earlier.origins)):
            sliders = {(stretch.direction, stretch.slider) for leg in self.legs for stretch in leg.stretches}
            self.paths.update({slider: path for slider, path in earlier.paths.items() if slider in sliders})

    def _moved(self, code: Tensor, alphas: _Alphas, start: Tensor) -> Steps[Tensor]:
        """The code, moved along paths from a start."""
        for track, alpha in alphas.items():
            shift = yield from self._path(track, start).in_steps(alpha)
            code = code + (_confined(shift, track.layers, code.shape[1]) if track.layers else shift)
        return code

    def _path(self, track: Track, start: Tensor) -> Path:
        direction, slider = track.direction, track.slider
        if (direction, slider) not in self.paths:
            self.paths[direction, slider] = direction.path(start, slider)
        return self.paths[direction, slider]

    @cached_property
    def origins(self) -> list[Tensor]:
        """Where it starts, as it is drawn: one tensor, once it was made."""
        return []

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


def walk_length(there: int, *, loop: bool) -> int:
    """How many frames a walk has of which the way there has so many."""
    return max(1, 2 * there - 2) if loop else there


def _confined(shift: Tensor, layers: tuple[int, ...], count: int) -> Tensor:
    """A shift [R, L, W], or [W] for all rows and layers alike, in some of `count` layers: [R, L, W] or [L, W]."""
    # Not by indices, which cost several times as much as the sum itself.
    share = shift.new_zeros(count, 1)
    share[list(layers)] = 1
    return share * shift
