"""Frames: the pictures of a walk or an interpolation. Shapes: F frames, R rows (starts), H, W, C as for pictures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, overload

import numpy as np
from numpy.typing import DTypeLike, NDArray
from PIL import Image

from latentwalk.client._errors import InvalidRequest
from latentwalk.client._files import StrPath, moves, save_moving
from latentwalk.client._numbers import whole
from latentwalk.client._pacing import evenly_spread
from latentwalk.client._pictures import Picture, Pictures, Pixels, for_numpy, tile, wrapped
from latentwalk.v1 import generation_service_pb2 as pb


@dataclass(frozen=True, slots=True)
class Header:
    """What a stream of frames begins with."""

    frames: int
    """How many frames the whole path has."""
    rows: int
    """How many pictures each frame has."""
    model_version: str
    model_digest: str
    first_frame: int = 0
    """The index of the first frame that follows, as asked for."""

    @classmethod
    def from_message(cls, header: pb.StreamHeader) -> "Header":
        """The header in a message."""
        return cls(header.frames, header.rows, header.model_version, header.model_digest, header.first_frame)


@dataclass(frozen=True, slots=True)
class Position:
    """Where one slider stands in a frame."""

    direction: str
    slider: str
    alpha: float
    """In the direction's own latent units."""
    amount: float | None
    """In the unit of the slider's edit; None for a slider that imitates no edit."""
    layers: tuple[int, ...] = ()
    """The layers of w+ in which it stands there, if only some were asked for."""

    @classmethod
    def from_message(cls, position: pb.Position) -> "Position":
        """The position in a message."""
        amount = position.amount if position.HasField("amount") else None
        return cls(position.direction, position.slider, position.alpha, amount, tuple(position.layers))


@dataclass(frozen=True, slots=True)
class Frame:
    """One step of a walk or an interpolation. In a notebook it shows its pictures."""

    index: int
    """From 0, without gaps."""
    pictures: Pictures
    """One picture for each row."""
    positions: tuple[Position, ...]
    """Where every slider of the walk stands; empty for an interpolation."""

    def _repr_png_(self) -> bytes:
        return self.pictures.strip().png()

    @classmethod
    def from_message(cls, frame: pb.Frame, header: Header) -> "Frame":
        """The frame in a message of the stream that began with `header`."""
        images = tuple(Picture.from_message(image) for image in frame.images)
        pictures = Pictures(images, header.model_version, header.model_digest)
        return cls(frame.index, pictures, tuple(Position.from_message(p) for p in frame.positions))

    def image(self) -> Image.Image:
        """Its pictures beside one another, as a Pillow image."""
        return self.pictures.strip().image()


@dataclass(frozen=True)
class Frames(Sequence[Frame]):
    """All frames of a walk or an interpolation. In a notebook they show themselves as a strip."""

    frames: tuple[Frame, ...]

    @overload
    def __getitem__(self, index: int) -> Frame: ...
    @overload
    def __getitem__(self, index: slice) -> "Frames": ...
    def __getitem__(self, index: int | slice) -> "Frame | Frames":
        return Frames(self.frames[index]) if isinstance(index, slice) else self.frames[index]

    def __iter__(self) -> Iterator[Frame]:
        return iter(self.frames)

    def __len__(self) -> int:
        return len(self.frames)

    @cached_property
    def array(self) -> Pixels:
        """The pixels, uint8 [F, R, H, W, C]."""
        return np.stack([frame.pictures.array for frame in self.frames])

    @property
    def rows(self) -> list[tuple[Picture, ...]]:
        """For each start its pictures, in the order of time."""
        return list(zip(*(frame.pictures for frame in self.frames), strict=True))

    def strip(self) -> Picture:
        """One picture with a row for each start and a column for each frame."""
        return tile(self.rows)

    def grid(self, columns: int) -> Picture:
        """One picture with the frames of each start in rows of `columns`, one start below the other."""
        return tile(line for row in self.rows for line in wrapped(row, columns))

    def evenly(self, count: int, *, loop: bool = False) -> "Frames":
        """So many of the frames, of which each differs as much from the next; the first is one of them.

        Latents that move at constant speed make pictures that linger and jump. Draw several times as many frames as are
        to be shown: `client.interpolate(..., frames_per_leg=96).collect().evenly(24)`. They keep indices and positions.

        loop: the last frame leads back to the first; without it, the last one is the last of those that were drawn.

        InvalidRequest unless there are so many, and `count` is at least 2.
        """
        whole("count", count, low=2, high=len(self.frames))
        pixels = np.concatenate([self.array, self.array[:1]]) if loop else self.array
        return Frames(tuple(self.frames[place] for place in evenly_spread(pixels, count + loop)[:count]))

    def save(self, path: StrPath, *, fps: float = 12.0) -> None:
        """Writes the frames; the ending of `path` says how.

        ".gif" and ".webp" play for ever, `fps` frames a second, the starts beside one another; ".mp4" is a video of
        them, for which PyAV is needed (the extra "video"); ".png" and ".jpg" hold the strip.
        """
        if moves(path):
            save_moving((frame.image() for frame in self.frames), path, fps=fps)
        else:
            self.strip().save(path)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return for_numpy(self.array, dtype, copy)

    def _repr_png_(self) -> bytes:
        return self.strip().png()


def check_unread(header: Header | None, next_index: int) -> None:
    """InvalidRequest for a stream of frames that was read to its end, lest it be taken for an empty one."""
    if header is not None and next_index >= header.frames:
        raise InvalidRequest.of("walk", "has no more frames: it can be read once; keep what `collect()` gives")


def show_reading(name: str, next_index: int, header: Header | None) -> str:
    """How a stream of frames shows itself."""
    if header is None:
        return f"<{name}: nothing drawn yet; collect() has it drawn>"
    return f"<{name}: read up to frame {next_index} of {header.frames}; collect() gives the others>"
