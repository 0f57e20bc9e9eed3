"""How the pictures of a request are to be encoded."""

from collections.abc import Mapping

from latentwalk.rpc.errors import InvalidRequest
from latentwalk.server.encoder import DEFAULT_QUALITY, HAS_QUALITY, MODES, Encoding, Format
from latentwalk.server.engine import PictureSize
from latentwalk.v1 import image_pb2

_FORMATS: Mapping[int, Format] = {
    image_pb2.IMAGE_FORMAT_UNSPECIFIED: Format.RAW,
    image_pb2.IMAGE_FORMAT_RAW: Format.RAW,
    image_pb2.IMAGE_FORMAT_PNG: Format.PNG,
    image_pb2.IMAGE_FORMAT_JPEG: Format.JPEG,
    image_pb2.IMAGE_FORMAT_WEBP: Format.WEBP,
}


def read_encoding(encoding: image_pb2.ImageEncoding, size: PictureSize) -> Encoding:
    """The encoding of pictures of that size."""
    if encoding.format not in _FORMATS:
        known = ", ".join(one.name for one in Format)
        raise InvalidRequest("encoding.format", f"{encoding.format} is no format; use one of {known}")
    chosen = _FORMATS[encoding.format]
    if encoding.quality and chosen not in HAS_QUALITY:
        raise InvalidRequest("encoding.quality", f"{encoding.quality} is refused: {chosen.name} has no quality")
    if encoding.quality > 100:
        raise InvalidRequest("encoding.quality", f"{encoding.quality} must be from 1 to 100")
    if chosen is not Format.RAW and size.channels not in MODES:
        raise InvalidRequest(
            "encoding.format", f"{chosen.name} cannot hold {size.channels} channels; use RAW for this model"
        )
    return Encoding(chosen, encoding.quality or DEFAULT_QUALITY)
