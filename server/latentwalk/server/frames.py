"""What is drawn for a request, frame by frame: of a walk, or of an interpolation."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from latentwalk.gan.keyframes import Interpolation
from latentwalk.gan.steps import Steps
from latentwalk.gan.styles import Lift
from latentwalk.gan.walks import Track, Walk
from latentwalk.server.engine import Noise, Row


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one slider stands in a frame: in latent units, and in the unit of its edit if it imitates one."""

    direction: str
    slider: str
    alpha: float
    amount: float | None
    layers: tuple[int, ...]
    """The layers of w+ in which it stands there; empty for all that its direction moves."""


class Frames(Protocol):
    """All of them have as many pictures as there are rows. A frame that is not asked for costs nothing."""

    def __len__(self) -> int:
        """How many frames there are."""
        ...

    @property
    def rows(self) -> int:
        """How many pictures each frame has."""
        ...

    @property
    def is_dear(self) -> bool:
        """Whether the rows of a frame take more than a moment to make, and are not to be made on the event loop."""
        ...

    def rows_at(self, index: int, earlier: "Frames | None" = None) -> Steps[list[Row]]:
        """The rows of one frame, in steps. What earlier frames have done is not done again."""
        ...

    def standings_at(self, index: int) -> list[Standing]:
        """Where the sliders stand in one frame."""
        ...


@dataclass(frozen=True, slots=True)
class WalkFrames:
    """Starts that walk along directions."""

    walk: Walk
    conditions: Sequence[NDArray[np.float32] | None]
    """[K] of each row; None without classes, and with a lift, which has it."""
    noise: Sequence[Noise | None]
    """Of each row."""

    def __len__(self) -> int:
        """How many frames there are."""
        return self.walk.frames

    @property
    def rows(self) -> int:
        """How many starts there are."""
        return self.walk.start.shape[0]

    @property
    def is_dear(self) -> bool:
        """Whether its starts are mapped, or moved by a network or many sliders."""
        return self.walk.is_dear

    def rows_at(self, index: int, earlier: Frames | None = None) -> Steps[list[Row]]:
        """The rows of one frame."""
        codes = yield from self.walk.in_steps(index, earlier.walk if isinstance(earlier, WalkFrames) else None)
        rows = zip(codes.numpy(), self.conditions, self.noise, strict=True)
        return [Row(code, condition, noise=noise) for code, condition, noise in rows]

    def standings_at(self, index: int) -> list[Standing]:
        """Where the sliders of the walk stand in one frame."""
        return [_standing(track, alpha) for track, alpha in self.walk.alphas_at(index).items()]


def _standing(track: Track, alpha: float) -> Standing:
    slider = track.direction.sliders[track.slider]
    amount = slider.amount_of(alpha) if slider.tells_amount(alpha) else None
    return Standing(track.direction.name, slider.name, alpha, amount, track.layers)


@dataclass(frozen=True, slots=True)
class InterpolationFrames:
    """One row that travels from keyframe to keyframe."""

    interpolation: Interpolation
    noise: Noise | None = None
    lift: Lift | None = None
    """Of one row: from z to the w+ that is drawn, where z is blended."""
    rows: int = 1

    def __len__(self) -> int:
        """How many frames there are."""
        return self.interpolation.frames

    @property
    def is_dear(self) -> bool:
        """Whether keyframes, or what is between them, are mapped."""
        return not (self.lift is None and self.interpolation.lift is None)

    def rows_at(self, index: int, earlier: Frames | None = None) -> Steps[list[Row]]:
        """The one row of one frame."""
        code = yield from self.interpolation.in_steps(index)
        condition = self.interpolation.condition_at(index)
        if self.lift is not None:
            lift = replace(self.lift, condition=None if condition is None else condition[None])
            code, condition = (yield from lift.row_in_steps(code[None], 0)), None
        return [Row(code.numpy(), None if condition is None else condition.numpy(), noise=self.noise)]

    def standings_at(self, index: int) -> list[Standing]:
        """Nothing: no slider takes part."""
        return []
