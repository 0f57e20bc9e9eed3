"""Pictures on disk. The ending of the file decides; one table knows the endings."""

import errno
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import Any

from PIL import Image

from latentwalk.client._aside import written_aside
from latentwalk.client._errors import InvalidRequest
from latentwalk.client._numbers import number
from latentwalk.client._values import instance
from latentwalk.client._videos import Video, check_videos

StrPath = str | PathLike[str]

_LEAST_FPS = 0.01
"""A frame may be shown for 100 s; no GIF can tell of more than 655."""


@dataclass(frozen=True, slots=True)
class FileKind:
    """One kind of file: Pillow's name of it, how a still is written, and how frames are (None: it holds none)."""

    format: str
    """Empty for a video, which Pillow does not write."""
    still: Mapping[str, Any] | None = field(default_factory=dict[str, Any])
    moving: Mapping[str, Any] | None = None
    tick: int = 1
    """Milliseconds in which it counts how long a frame is shown."""
    shortest: int = 1
    """Milliseconds for which a frame is shown at least."""


KINDS: Mapping[str, FileKind] = {
    ".png": FileKind("PNG"),
    ".jpg": FileKind("JPEG", still={"quality": 95}),
    ".jpeg": FileKind("JPEG", still={"quality": 95}),
    ".webp": FileKind("WEBP", still={"lossless": True}, moving={"quality": 90}),
    # disposal 2 clears each frame before the next: without it Pillow may merge frames that are alike.
    # What is shown for less than 20 ms, browsers show for 100.
    ".gif": FileKind("GIF", moving={"disposal": 2, "optimize": False}, tick=10, shortest=20),
    ".mp4": FileKind("", still=None, moving={}),
}


def file_path(field: str, path: StrPath) -> Path:
    """`path` as a Path. InvalidRequest for anything that can be none."""
    given = str(instance(field, path, str, PathLike))
    try:
        is_one = b"\0" not in os.fsencode(given)
    except UnicodeEncodeError:
        is_one = False
    if not is_one:
        raise InvalidRequest.of(field, f"{given!r} can be no path")
    return Path(given)


def file_kind(path: StrPath, *, moving: bool = False) -> FileKind:
    """What the ending of `path` asks for: of one picture or, if `moving`, of frames.

    InvalidRequest, with the endings that exist, if it asks for nothing; and of a video if none can be written here.
    """
    ending = file_path("path", path).suffix.lower()
    fitting = [one for one, kind in KINDS.items() if moving or kind.still is not None]
    if ending not in fitting:
        raise InvalidRequest.of("path", f"{str(path)!r} ends with {ending!r}, must be one of {', '.join(fitting)}")
    if not KINDS[ending].format:
        check_videos(str(path))
    return KINDS[ending]


def moves(path: StrPath) -> bool:
    """Whether frames that are written to `path` move; or else it holds their strip. InvalidRequest as `file_kind`."""
    return file_kind(path, moving=True).moving is not None


def check_picture_file(path: StrPath, *, moving: bool = False) -> None:
    """Whether a picture, or frames if `moving`, can be written to `path`: to be asked before they are drawn.

    InvalidRequest for an ending that asks for nothing; OSError, as the writing would raise it, where no file can be.
    """
    file_kind(path, moving=moving)
    file = file_path("path", path)
    troubles = (
        (errno.EISDIR, file.is_dir()),
        (errno.ENOENT, not file.parent.exists()),
        (errno.ENOTDIR, not file.parent.is_dir()),
        (errno.EACCES, not os.access(file if file.exists() else file.parent, os.W_OK)),
    )
    for trouble, is_there in troubles:
        if is_there:
            raise OSError(trouble, os.strerror(trouble), str(file))


def check_frames_file(path: StrPath, fps: float) -> None:
    """As check_picture_file, of frames; and InvalidRequest for a pace at which none can be shown there."""
    check_picture_file(path, moving=True)
    if moves(path):
        checked_fps(fps)


def save_still(image: Image.Image, path: StrPath) -> None:
    """Writes one picture."""
    kind = file_kind(path)
    with written_aside(file_path("path", path)) as part:
        image.save(part, format=kind.format, **(kind.still or {}))


def save_bytes(content: bytes, path: StrPath) -> None:
    """Writes a file of which there is all that is to be in it."""
    with written_aside(file_path("path", path)) as part:
        part.write_bytes(content)


def save_moving(images: Iterable[Image.Image], path: StrPath, fps: float) -> None:
    """Writes frames, `fps` of them a second, or as many as the file can show: a video as they come, others at the end.

    The kind of the file must be one that can move.
    """
    if video := video_at(path, fps):
        with closing(video):
            for image in images:
                video.add(image)
            video.finish()
    else:
        _save_looping(list(images), path, checked_fps(fps))


def video_at(path: StrPath, fps: float) -> Video | None:
    """The video that is to be written to `path`, None if frames become a file of another kind."""
    return None if file_kind(path, moving=True).format else Video(file_path("path", path), checked_fps(fps))


def checked_fps(fps: float) -> float:
    """`fps` if frames can be shown at that pace. InvalidRequest if not."""
    if not number("fps", fps) >= _LEAST_FPS:
        raise InvalidRequest.of("fps", f"{fps} is not {_LEAST_FPS} or more")
    return fps


def _save_looping(images: Sequence[Image.Image], path: StrPath, fps: float) -> None:
    """Frames that play for ever."""
    kind = file_kind(path, moving=True)
    if not images:
        raise InvalidRequest.of("pictures", "are none: there is nothing to show")
    how = {"duration": _durations(len(images), fps, kind), "loop": 0, **(kind.moving or {})}
    with written_aside(file_path("path", path)) as part:
        images[0].save(part, format=kind.format, save_all=True, append_images=images[1:], **how)


def _durations(frames: int, fps: float, kind: FileKind) -> list[int]:
    """Milliseconds for each frame: rounded so that those before a frame never lag, or hurry, by as much as a tick."""
    each = max(1000 / fps, kind.shortest)
    ends = [round(each * number / kind.tick) * kind.tick for number in range(frames + 1)]
    return [end - begin for begin, end in pairwise(ends)]
