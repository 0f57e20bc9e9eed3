"""The encoder: pixels in, bytes of an image format out."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from io import BytesIO
from typing import Any

from PIL import Image

from latentwalk.server.engine import PictureSize

DEFAULT_QUALITY = 90


class Format(Enum):
    """How pictures are encoded. RAW is the pixels themselves, uint8 [H, W, C]."""

    RAW = "raw"
    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"


@dataclass(frozen=True, slots=True)
class Encoding:
    """A format, and a quality from 1 to 100 for those that have one."""

    format: Format = Format.RAW
    quality: int = DEFAULT_QUALITY


MODES: Mapping[int, str] = {1: "L", 3: "RGB"}
"""Pillow's name for pictures of so many channels; no others can be encoded."""

HAS_QUALITY = frozenset({Format.JPEG, Format.WEBP})
"""The formats to which a quality means something."""


class Encoder:
    """Encodes in a few threads of its own; Pillow lets go of the interpreter while it works.

    Of each request, only so many pictures wait for a thread at once as keep all of them busy: the next request waits
    behind a few pictures, and not behind all.
    """

    def __init__(self, threads: int) -> None:
        self._at_once = 2 * threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="encoder")

    async def encode(self, pictures: Sequence[bytes], size: PictureSize, encoding: Encoding) -> Sequence[bytes]:
        """One encoded image for each of `pictures`, which are the pixels of `size`."""
        if encoding.format is Format.RAW:
            return pictures
        loop, encode = asyncio.get_running_loop(), _ENCODERS[encoding.format]
        encoded: dict[int, bytes] = {}
        waiting = iter(enumerate(pictures))

        async def work() -> None:
            for place, picture in waiting:
                encoded[place] = await loop.run_in_executor(self._pool, encode, picture, size, encoding.quality)

        await asyncio.gather(*(work() for _ in range(min(self._at_once, len(pictures)))))
        return [encoded[place] for place in range(len(pictures))]

    def close(self) -> None:
        """Ends the threads; what still waits is not encoded."""
        self._pool.shutdown(cancel_futures=True)


def _saved(pixels: bytes, size: PictureSize, **options: Any) -> bytes:
    buffer = BytesIO()
    image = Image.frombuffer(MODES[size.channels], (size.width, size.height), pixels)
    image.save(buffer, **options)
    return buffer.getvalue()


def _png(pixels: bytes, size: PictureSize, quality: int) -> bytes:
    # Level 1 takes half the time of Pillow's default 6 and makes files a tenth larger.
    return _saved(pixels, size, format="PNG", compress_level=1)


def _jpeg(pixels: bytes, size: PictureSize, quality: int) -> bytes:
    return _saved(pixels, size, format="JPEG", quality=quality)


def _webp(pixels: bytes, size: PictureSize, quality: int) -> bytes:
    return _saved(pixels, size, format="WEBP", quality=quality, lossless=quality == 100, method=1)


_ENCODERS: Mapping[Format, Callable[[bytes, PictureSize, int], bytes]] = {
    Format.PNG: _png,
    Format.JPEG: _jpeg,
    Format.WEBP: _webp,
}
