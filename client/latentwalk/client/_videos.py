"""Videos on disk: MP4 with H.264, by PyAV, which has FFmpeg with it and comes with the extra "video"."""

import threading
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from latentwalk.client._aside import Aside
from latentwalk.client._errors import InvalidRequest

if TYPE_CHECKING:
    from av.video.stream import VideoStream

# Nearly without visible loss; the index stands before the pictures, so that a browser plays while it loads.
_CODEC, _QUALITY, _CONTAINER = "libx264", {"crf": "17"}, {"movflags": "faststart"}
# BT.709, as players take videos to be; said in the file, so that none has to guess.
_COLOURS = 1
_FINEST = 1_000
"""Frames a second are told as a fraction, with no more than this below the line."""


def check_videos(path: str) -> None:
    """InvalidRequest if no video can be written here, to `path` or elsewhere."""
    if find_spec("av") is None:
        raise InvalidRequest.of("path", f"{path!r} is a video, which takes PyAV: pip install 'latentwalk[video]'")


class Video:
    """A video that is being written, beside its file until it is finished; it must be closed.

    It keeps no picture, so that it may be as long as there is room for on the disk. fps: frames a second, above 0.
    Who gives up in an event loop closes it while a thread may still write: one waits for the other.
    """

    def __init__(self, file: Path, fps: float) -> None:
        import av

        self._aside = Aside(file)
        self._rate = Fraction(fps).limit_denominator(_FINEST)
        self._container = av.open(self._aside.path, "w", format="mp4", options=_CONTAINER)
        self._stream: VideoStream | None = None
        self._turn, self._closed = threading.Lock(), False

    def add(self, image: Image.Image) -> None:
        """Appends a frame, of the size of those before; nothing to a video that is closed."""
        with self._turn:
            if not self._closed:
                self._append(image)

    def finish(self) -> None:
        """Puts the file where it is to be, unless it is closed. InvalidRequest without a frame."""
        with self._turn:
            if self._closed:
                return
            if self._stream is None:
                raise InvalidRequest.of("pictures", "are none: there is nothing to show")
            self._container.mux(self._stream.encode(None))
            self._container.close()
            self._aside.keep()

    def close(self) -> None:
        """Leaves nothing of what is not finished."""
        with self._turn:
            self._closed = True
            try:
                self._container.close()
            finally:  # it may want to write where there is no room
                self._aside.drop()

    def _append(self, image: Image.Image) -> None:
        import av

        # Colours are coded in blocks of 2 x 2 pixels: an odd side is made even by repeating its last pixels.
        pixels = np.asarray(image.convert("RGB"))
        pixels = np.pad(pixels, ((0, image.height % 2), (0, image.width % 2), (0, 0)), mode="edge")
        if self._stream is None:
            self._stream = self._open(*pixels.shape[:2])
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p", dst_colorspace=_COLOURS)
        self._container.mux(self._stream.encode(frame))

    def _open(self, height: int, width: int) -> "VideoStream":
        stream = self._container.add_stream(_CODEC, self._rate, _QUALITY)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        context = stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = _COLOURS
        return stream
