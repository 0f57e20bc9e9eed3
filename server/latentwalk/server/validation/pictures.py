"""A picture that a caller gives."""

import warnings
from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from latentwalk.rpc.errors import InvalidRequest
from latentwalk.server.encoder import MODES
from latentwalk.server.engine import PictureSize
from latentwalk.v1 import image_pb2

_FILES: Mapping[int, str] = {
    image_pb2.IMAGE_FORMAT_PNG: "PNG",
    image_pb2.IMAGE_FORMAT_JPEG: "JPEG",
    image_pb2.IMAGE_FORMAT_WEBP: "WEBP",
}

# Pillow warns of files in as many words as there are files, and Python remembers each of them for good.
warnings.filterwarnings("ignore", module=r"PIL\.")


def read_picture(field: str, image: image_pb2.Image, size: PictureSize) -> Tensor:
    """The pixels uint8 [H, W, C] of a picture that must be of this size."""
    for name in ("width", "height", "channels"):
        if getattr(image, name) != (needed := getattr(size, name)):
            raise InvalidRequest(f"{field}.{name}", f"{getattr(image, name):,} must be {needed:,} for this model")
    if image.format in (image_pb2.IMAGE_FORMAT_UNSPECIFIED, image_pb2.IMAGE_FORMAT_RAW):
        return _pixels(f"{field}.data", image.data, size)
    if image.format not in _FILES:
        raise InvalidRequest(
            f"{field}.format", f"{image.format} is no format; use one of RAW, {', '.join(_FILES.values())}"
        )
    return _pixels(f"{field}.data", _decoded(f"{field}.data", image, size), size)


def read_mask(field: str, image: image_pb2.Image, size: PictureSize) -> Tensor:
    """The grey values uint8 [H, W] of a picture of one channel that must be of this size otherwise, and not black."""
    mask = read_picture(field, image, replace(size, channels=1))[:, :, 0]
    if not mask.any():
        raise InvalidRequest(field, "is black: at least one pixel must count, for which white stands")
    return mask.contiguous()


def _pixels(field: str, data: bytes, size: PictureSize) -> Tensor:
    if len(data) != size.bytes:
        raise InvalidRequest(field, f"has {len(data):,} bytes; the pixels of this size are {size.bytes:,}")
    return torch.from_numpy(np.frombuffer(data, np.uint8).reshape(size.height, size.width, size.channels).copy())


def _decoded(field: str, image: image_pb2.Image, size: PictureSize) -> bytes:
    """The pixels of a file; its size is looked at before they are unfolded, which may take any amount of memory."""
    file = _FILES[image.format]
    if size.channels not in MODES:
        raise InvalidRequest(f"{field}", f"{file} cannot hold {size.channels} channels; use RAW for this model")
    try:
        with Image.open(BytesIO(image.data), formats=[file]) as opened:
            _check_size(field, opened, size)
            return _in_bytes(opened).convert(MODES[size.channels]).tobytes()
    except InvalidRequest:
        raise
    except UnidentifiedImageError as error:  # in words that say where in memory the file is
        raise InvalidRequest(field, f"is no {file}") from error
    except Exception as error:  # whatever a decoder stumbles over, such as a palette that is not there
        raise InvalidRequest(field, f"cannot be read as {file}: {error!r}") from error


def _check_size(field: str, image: Image.Image, size: PictureSize) -> None:
    if image.size != (size.width, size.height):
        found = " x ".join(f"{side:,}" for side in image.size)
        raise InvalidRequest(field, f"is a {image.format} of {found} pixels; must be {size.width:,} x {size.height:,}")


def _in_bytes(image: Image.Image) -> Image.Image:
    """The same with 8 bits a value: of 16, which only grey has, Pillow would cut off what is above 255."""
    return Image.fromarray((np.asarray(image) // 257).astype(np.uint8)) if image.mode.startswith("I") else image
