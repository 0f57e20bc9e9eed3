"""From a file to the pixels that one sees: upright, on white, of 8 bits."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from torch import Tensor

from latentwalk.trainer.data.pictures import DataRefused

_GREY = frozenset({"1", "L", "LA", "I", "I;16"})
# Of 16 bits to a pixel, whether Pillow tells it or not.
_DEEP = frozenset({"I", "I;16", "I;16B", "I;16L"})
_DEEP_WHITE = 2**16 - 1


def is_grey(path: Path) -> bool:
    """Whether a picture has no colours, by the head of its file. Raises DataRefused for what is no picture."""
    try:
        with Image.open(path) as picture:
            mode = picture.mode
    except Exception as error:  # a broken file may make its decoder fail in any way at all
        raise DataRefused(f"{shown(path)} is no picture: {error}") from error
    if mode == "F":
        raise DataRefused(
            f"{shown(path)} has pixels that are fractions, of which none is known to be white: save it anew"
        )
    return mode in _GREY


def decoded(path: Path, channels: int) -> Tensor:
    """uint8 [1, C, H, W]: grey for one channel, else in colour. Raises DataRefused for a broken picture."""
    from torchvision.transforms.v2.functional import pil_to_tensor

    try:
        with Image.open(path) as picture:
            seen = _on_white(_with_bytes(_upright(picture)))
            return pil_to_tensor(seen.convert("L" if channels == 1 else "RGB"))[None]
    except Exception as error:
        raise DataRefused(f"{shown(path)} is a broken picture: {error}") from error


def _upright(picture: Image.Image) -> Image.Image:
    """A picture, turned as its file says that it is to be shown, if that can be read."""
    picture.load()
    try:
        return ImageOps.exif_transpose(picture)
    except Exception:  # noqa: BLE001 - broken EXIF may make its reader fail in any way at all
        return picture


def _on_white(picture: Image.Image) -> Image.Image:
    """A picture without its transparency, if it has any: of what cannot be seen, a file may have any colour."""
    if not picture.has_transparency_data:
        return picture
    canvas = Image.new("RGBA", picture.size, "white")
    canvas.alpha_composite(picture.convert("RGBA"))
    return canvas


def _with_bytes(picture: Image.Image) -> Image.Image:
    """A picture of 16 bits to a pixel with the upper 8 of them, where Pillow would clip; others as they are."""
    if picture.mode not in _DEEP:
        return picture
    return Image.fromarray((np.asarray(picture).astype(np.int32).clip(0, _DEEP_WHITE) // 257).astype(np.uint8))


def shown(path: Path) -> str:
    """A path in messages, which are UTF-8; the name of a file may be of any bytes."""
    return bytes(path).decode("utf-8", "replace")
