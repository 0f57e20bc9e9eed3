"""Interpolations between keyframes. Any frame can be asked for, in any order; what is not asked for costs nothing."""

from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from latentwalk.gan.easing import EASINGS, check_frame, check_leg
from latentwalk.gan.errors import GanError
from latentwalk.gan.interpolation import CURVES, INTERPOLATIONS, Curve, lerp
from latentwalk.gan.steps import Steps, finish
from latentwalk.gan.styles import Lift


def interpolation_length(keyframes: int, frames_per_leg: int, *, loop: bool) -> int:
    """How many frames an interpolation of so many keyframes has."""
    return keyframes * frames_per_leg if loop else (keyframes - 1) * frames_per_leg + 1


@dataclass(frozen=True, eq=False)
class Interpolation:
    """Travels from keyframe to keyframe, ``frames_per_leg`` frames from one up to, and without, the next.

    ``keyframes`` is z [K, Z], ``conditions`` is [K, classes], always blended linearly, or None. With a ``lift``, w+
    [L, W] is blended, which it makes of a keyframe when its leg comes. The last keyframe is the last frame; a looping
    interpolation travels on to the first one instead, without repeating it. Raises GanError for less than two keyframes
    or less than one frame, and for an unknown method or easing.
    """

    keyframes: Tensor
    conditions: Tensor | None
    frames_per_leg: int
    method: str
    easing: str
    loop: bool
    lift: Lift | None = None

    def __post_init__(self) -> None:
        check_leg(self.frames_per_leg, self.easing)
        if self.method not in INTERPOLATIONS:
            raise GanError(f"method of interpolation is {self.method!r}: use one of {', '.join(INTERPOLATIONS)}")
        if len(self.keyframes) < 2:
            raise GanError(f"an interpolation has {len(self.keyframes)} keyframes: it must have at least 2")
        if self.conditions is not None and len(self.conditions) != len(self.keyframes):
            raise GanError(f"{len(self.keyframes)} keyframes have {len(self.conditions)} conditions: give one each")

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return interpolation_length(len(self.keyframes), self.frames_per_leg, loop=self.loop)

    def code_at(self, index: int) -> Tensor:
        """The code of one frame, z [Z] or w+ [L, W], from 0 to frames - 1. Raises OutOfRange beyond."""
        return finish(self.in_steps(index))

    def in_steps(self, index: int) -> Steps[Tensor]:
        """As code_at, in steps: each maps a latent. What the leg of the frame before needed is still there."""
        leg, t = self._progress(index)
        if leg not in self._curve:
            first = yield from self._keyframe(leg)
            second = yield from self._keyframe((leg + 1) % len(self.keyframes))
            self._curve.clear()  # there may be a thousand legs
            self._curve[leg] = CURVES[self.method](first, second)
        return self._curve[leg](t)

    def _keyframe(self, index: int) -> Steps[Tensor]:
        if self.lift is None:
            return self.keyframes[index]
        return (yield from self.lift.row_in_steps(self.keyframes, index))

    def condition_at(self, index: int) -> Tensor | None:
        """The condition [classes] of one frame; None if there are no conditions."""
        leg, t = self._progress(index)
        if self.conditions is None:
            return None
        return lerp(self.conditions[leg], self.conditions[(leg + 1) % len(self.conditions)], t)

    def _progress(self, index: int) -> tuple[int, float]:
        """The leg of a frame, and how far along."""
        check_frame(index, self.frames)
        leg, frame = divmod(index, self.frames_per_leg)
        return leg, EASINGS[self.easing](frame / self.frames_per_leg)

    @cached_property
    def _curve(self) -> dict[int, Curve]:
        """Of the leg that was asked for last."""
        return {}
