"""What a valid request asks for: a path whose frames can be had one by one, and how to hand them over."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from latentwalk.gan.walks import Interpolation, Track, Walk
from latentwalk.server.encoder import Encoding
from latentwalk.server.engine import Noise, Row
from latentwalk.server.scheduler import DEFAULT_FPS, Priority
from latentwalk.server.served import ServedModel


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one slider stands in a frame: in latent units, and in the unit of its edit if it imitates one."""

    direction: str
    slider: str
    alpha: float
    amount: float | None
    layers: tuple[int, ...]
    """The layers of w+ in which it stands there; empty for all that its direction moves."""


class Path(Protocol):
    """Frames of as many pictures as there are rows. A frame that is not asked for costs nothing."""

    @property
    def frames(self) -> int:
        """How many frames there are."""
        ...

    @property
    def rows(self) -> int:
        """How many pictures each frame has."""
        ...

    def rehearsals(self, earlier: "Path | None" = None) -> Iterator[Callable[[], object]]:
        """What to call beforehand, in another thread, one after the other, so that rows_at costs next to nothing.

        What an earlier path has done is not done again.
        """
        ...

    def rows_at(self, index: int) -> list[Row]:
        """The rows of one frame."""
        ...

    def standings_at(self, index: int) -> list[Standing]:
        """Where the sliders stand in one frame."""
        ...


@dataclass(frozen=True, slots=True)
class WalkPath:
    """Starts that walk along directions."""

    walk: Walk
    conditions: Sequence[NDArray[np.float32] | None]
    """[K] of each row; None without classes, and with a lift, which has it."""
    noise: Sequence[Noise | None]
    """Of each row."""

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return self.walk.frames

    @property
    def rows(self) -> int:
        """How many starts there are."""
        return self.walk.start.shape[0]

    def rehearsals(self, earlier: Path | None = None) -> Iterator[Callable[[], object]]:
        """The mapping of the starts, and the steps of the paths that are walked in steps."""
        return self.walk.rehearsals(earlier.walk if isinstance(earlier, WalkPath) else None)

    def rows_at(self, index: int) -> list[Row]:
        """The rows of one frame."""
        rows = zip(self.walk.code_at(index).numpy(), self.conditions, self.noise, strict=True)
        return [Row(code, condition, noise=noise) for code, condition, noise in rows]

    def standings_at(self, index: int) -> list[Standing]:
        """Where the sliders of the walk stand in one frame."""
        return [_standing(track, alpha) for track, alpha in self.walk.alphas_at(index).items()]


def _standing(track: Track, alpha: float) -> Standing:
    slider = track.direction.sliders[track.slider]
    amount = slider.amount_of(alpha) if slider.edit else None
    return Standing(track.direction.name, slider.name, alpha, amount, track.layers)


@dataclass(frozen=True, slots=True)
class InterpolationPath:
    """One row that travels from keyframe to keyframe."""

    interpolation: Interpolation
    noise: Noise | None = None
    lift: Callable[[Tensor, Tensor | None], Tensor] | None = None
    """From z [1, Z] and a condition [1, K] or None to w+ [1, L, W], where z is blended but w+ is drawn."""
    rows: int = 1

    @property
    def frames(self) -> int:
        """How many frames there are."""
        return self.interpolation.frames

    def rehearsals(self, earlier: Path | None = None) -> Iterator[Callable[[], object]]:
        """Nothing: every frame is as cheap as any other."""
        return iter(())

    def rows_at(self, index: int) -> list[Row]:
        """The one row of one frame."""
        code, condition = self.interpolation.code_at(index), self.interpolation.condition_at(index)
        if self.lift is not None:
            code, condition = self.lift(code[None], None if condition is None else condition[None])[0], None
        return [Row(code.numpy(), None if condition is None else condition.numpy(), noise=self.noise)]

    def standings_at(self, index: int) -> list[Standing]:
        """Nothing: no slider takes part."""
        return []


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the frames of a request are drawn."""

    strict: bool = False
    """Whether the bytes must be the same whatever else is drawn."""
    priority: Priority = Priority.NORMAL
    fps: float = DEFAULT_FPS
    """How many frames a second are wanted."""
    first_frame: int = 0
    """The frame to begin with; those before it are not drawn."""


@dataclass(frozen=True, slots=True)
class Order:
    """A valid request: draw this path with this model, and encode it so."""

    kind: str
    """generate, walk, interpolate, steer or invert."""
    model: ServedModel
    path: Path
    encoding: Encoding
    field: str
    """The field of the request that the rows came from, for errors."""
    delivery: Delivery = Delivery()

    @property
    def frames(self) -> range:
        """The indices of the frames to draw."""
        return range(self.delivery.first_frame, self.path.frames)

    @property
    def is_rehearsed(self) -> bool:
        """Whether its rows can be made at once, without a rehearsal."""
        return next(self.path.rehearsals(), None) is None

    async def rehearse(self, earlier: "Order | None" = None) -> None:
        """Prepares the path without holding up the event loop, by what an earlier order has done, if there was one.

        A straight path from latents that need no mapping needs nothing, and takes no time.
        """
        for rehearsal in self.path.rehearsals(earlier and earlier.path):
            await asyncio.to_thread(rehearsal)

    def rows(self) -> Iterator[Row]:
        """The rows of the frames, one after the other, each frame's made when its first row is asked for."""
        for index in self.frames:
            for row in self.path.rows_at(index):
                yield replace(row, strict=True) if self.delivery.strict else row
