"""A picture that a caller gives."""

from collections.abc import Mapping
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


def read_picture(field: str, image: image_pb2.Image, size: PictureSize) -> Tensor:
    """The pixels uint8 [H, W, C] of a picture that must be of this size."""
    for name in ("width", "height", "channels"):
        if getattr(image, name) != (needed := getattr(size, name)):
            raise InvalidRequest(f"{field}.{name}", f"{getattr(image, name):,} must be {needed:,}, as the model draws")
    if image.format in (image_pb2.IMAGE_FORMAT_UNSPECIFIED, image_pb2.IMAGE_FORMAT_RAW):
        return _pixels(f"{field}.data", image.data, size)
    if image.format not in _FILES:
        raise InvalidRequest(
            f"{field}.format", f"{image.format} is no format; use one of RAW, {', '.join(_FILES.values())}"
        )
    return _pixels(f"{field}.data", _decoded(f"{field}.data", image, size), size)


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
            if opened.size != (size.width, size.height):
                found = " x ".join(f"{side:,}" for side in opened.size)
                raise InvalidRequest(field, f"is a {file} of {found} pixels; must be {size.width:,} x {size.height:,}")
            return opened.convert(MODES[size.channels]).tobytes()
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InvalidRequest(field, f"cannot be read as {file}: {error}") from error
