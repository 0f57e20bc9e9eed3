"""What a valid request asks for, and how it is to be handed over."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from latentwalk.gan.steps import Steps, finish
from latentwalk.server.encoder import Encoding
from latentwalk.server.engine import Row
from latentwalk.server.frames import Frames
from latentwalk.server.scheduler import DEFAULT_FPS, Priority
from latentwalk.server.served import ServedModel


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
    frames_per_message: int = 1
    """The most frames that are sent together, if they are ready at the same time."""


@dataclass(frozen=True, slots=True)
class Order:
    """A valid request: draw these frames with this model, and encode them so."""

    kind: str
    """generate, walk, interpolate, steer or invert."""
    model: ServedModel
    frames: Frames
    encoding: Encoding
    field: str
    """The field of the request that the rows came from, for errors."""
    delivery: Delivery = Delivery()

    @property
    def indices(self) -> range:
        """Those of the frames to draw."""
        return range(self.delivery.first_frame, len(self.frames))

    @property
    def is_dear(self) -> bool:
        """Whether its rows are not to be made on the event loop."""
        return self.frames.is_dear

    def rows_at(self, index: int, earlier: Frames | None = None) -> Steps[list[Row]]:
        """The rows of one frame, in steps, by what earlier frames have done, if there were any."""
        rows = yield from self.frames.rows_at(index, earlier)
        return [replace(row, strict=True) for row in rows] if self.delivery.strict else rows

    def rows(self) -> Iterator[Row]:
        """The rows of the frames, one after the other, each frame's made when its first row is asked for."""
        for index in self.indices:
            yield from finish(self.rows_at(index))
