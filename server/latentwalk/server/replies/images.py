"""A picture that was drawn and encoded."""

from collections.abc import Mapping

from latentwalk.server.encoder import Format
from latentwalk.server.engine import PictureSize
from latentwalk.v1 import image_pb2

_FORMATS: Mapping[Format, image_pb2.ImageFormat.ValueType] = {
    Format.RAW: image_pb2.IMAGE_FORMAT_RAW,
    Format.PNG: image_pb2.IMAGE_FORMAT_PNG,
    Format.JPEG: image_pb2.IMAGE_FORMAT_JPEG,
    Format.WEBP: image_pb2.IMAGE_FORMAT_WEBP,
}


def image_message(data: bytes, size: PictureSize, format: Format) -> image_pb2.Image:
    """A picture of that size, of which the data is in that format."""
    return image_pb2.Image(
        format=_FORMATS[format], width=size.width, height=size.height, channels=size.channels, data=data
    )
