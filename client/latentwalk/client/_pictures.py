"""Pictures: what the services draw, as bytes, as numpy arrays and as Pillow images.

Shapes: N pictures, H pixels high, W pixels wide, C channels (1 grey, 3 red-green-blue); uint8 everywhere.
"""

import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import DTypeLike, NDArray
from PIL import Image, ImageOps

from latentwalk.client._choices import chosen
from latentwalk.client._errors import InvalidRequest
from latentwalk.client._files import StrPath, file_kind, file_path, save_bytes, save_still
from latentwalk.client._numbers import count, whole
from latentwalk.client._values import instance
from latentwalk.v1 import image_pb2 as pb

Pixels = NDArray[np.uint8]

Encoding = Literal["raw", "png", "jpeg", "webp"]
"""How pictures travel: plain pixels (the fastest), or encoded by the server."""

ENCODINGS: Mapping[str, pb.ImageFormat.ValueType] = {
    "raw": pb.IMAGE_FORMAT_RAW,
    "png": pb.IMAGE_FORMAT_PNG,
    "jpeg": pb.IMAGE_FORMAT_JPEG,
    "webp": pb.IMAGE_FORMAT_WEBP,
}
# The most that JPEG can hold.
_LONGEST_SIDE = 65_535

ENCODING_NAMES = {number: name for name, number in ENCODINGS.items()}


def encoding_message(encoding: str, quality: int | None) -> pb.ImageEncoding:
    """The wanted encoding on the wire; InvalidRequest for a name that is not one."""
    return pb.ImageEncoding(format=chosen("encoding", encoding, ENCODINGS), quality=count("quality", quality))


@dataclass(frozen=True)
class Picture:
    """One picture. In a notebook it shows itself."""

    data: bytes = field(repr=False)
    """The picture as it came: plain pixels [H, W, C] if `encoding` is "raw", else a file of that format."""
    encoding: str
    """How `data` is encoded: "raw", "png", "jpeg" or "webp"."""
    width: int
    height: int
    channels: int

    @classmethod
    def from_message(cls, image: pb.Image) -> "Picture":
        """The picture in a message."""
        return cls(image.data, ENCODING_NAMES[image.format], image.width, image.height, image.channels)

    @classmethod
    def from_array(cls, pixels: Pixels) -> "Picture":
        """A picture of the pixels uint8 [H, W, C]. InvalidRequest for anything else."""
        array = checked_pixels("pixels", pixels)
        height, width, channels = array.shape
        return cls(array.tobytes(), "raw", width, height, channels)

    @classmethod
    def from_image(cls, image: Image.Image) -> "Picture":
        """A picture of a Pillow image, mode "L" or "RGB". InvalidRequest for anything else."""
        if instance("image", image, Image.Image).mode not in ("L", "RGB"):
            raise InvalidRequest.of("image", f"is in mode {image.mode!r}, must be in L or RGB")
        return cls(image.tobytes(), "raw", image.width, image.height, len(image.getbands()))

    @classmethod
    def open(cls, path: StrPath) -> "Picture":
        """The picture in a file of any kind that Pillow reads, grey or in colour, on white where one can see through.

        It is turned upright if its file says how, in words that can be read.

        Raises OSError for a file that cannot be read, or is no picture.
        """
        file = file_path("path", path)
        try:
            with Image.open(file) as image:
                upright = _on_white(_in_bytes(_turned(image)))
                return cls.from_image(upright.convert("L" if upright.mode in ("1", "L") else "RGB"))
        except OSError:
            raise
        except Exception as error:  # whatever a decoder stumbles over
            raise OSError(f"{str(file)!r} cannot be read as a picture: {error!r}") from error

    def fitted(self, width: int, height: int, channels: int) -> "Picture":
        """The picture in another size, cut so that nothing is stretched, grey (1 channel) or in colour (3)."""
        size = whole("width", width, low=1, high=_LONGEST_SIDE), whole("height", height, low=1, high=_LONGEST_SIDE)
        if whole("channels", channels) not in (1, 3):
            raise InvalidRequest.of("channels", f"{channels} is neither 1 nor 3")
        image = ImageOps.fit(self.image(), size, Image.Resampling.LANCZOS)
        return Picture.from_image(image.convert("L" if channels == 1 else "RGB"))

    @cached_property
    def array(self) -> Pixels:
        """The pixels, uint8 [H, W, C], read-only."""
        shape = (self.height, self.width, self.channels)
        if self.encoding == "raw":
            return np.frombuffer(self.data, np.uint8).reshape(shape)
        pixels = np.asarray(Image.open(io.BytesIO(self.data)).convert("L" if self.channels == 1 else "RGB"))
        pixels = pixels.reshape(shape)
        pixels.flags.writeable = False
        return pixels

    def image(self) -> Image.Image:
        """The picture as a Pillow image, mode "L" or "RGB"."""
        return Image.fromarray(self.array[:, :, 0] if self.channels == 1 else self.array)

    def save(self, path: StrPath) -> None:
        """Writes the picture; the ending of `path` says how. What came in that format is written as it came."""
        if file_kind(path).format.lower() == self.encoding:
            save_bytes(self.data, path)
        else:
            save_still(self.image(), path)

    def png(self) -> bytes:
        """The picture as a PNG file."""
        if self.encoding == "png":
            return self.data
        buffer = io.BytesIO()
        self.image().save(buffer, format="PNG")
        return buffer.getvalue()

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return for_numpy(self.array, dtype, copy)

    def _repr_png_(self) -> bytes:
        return self.png()


def for_numpy(pixels: Pixels, dtype: DTypeLike | None, copy: bool | None) -> NDArray[Any]:
    """What numpy asks an object for, of which it is to make an array: so `plt.imshow(picture)` shows the picture."""
    return np.array(pixels, dtype, copy=copy)


def checked_pixels(field: str, given: Any, wanted: str = "pixels") -> Pixels:
    """Pixels uint8 [H, W, C]. InvalidRequest, which says what is `wanted`, for anything else."""
    array = array_of(given)
    if array.dtype != np.uint8 or array.ndim != 3:
        raise InvalidRequest.of(
            field, f"{array.dtype} {list(array.shape)}, must be {wanted} uint8 [height, width, channels]"
        )
    return array


def array_of(given: Any) -> NDArray[Any]:
    """What a caller gives as an array; of rows of unequal length, one without any."""
    try:
        return np.asarray(given)
    except ValueError:
        return np.asarray(None)


def _turned(image: Image.Image) -> Image.Image:
    """The image as its file says that it is to be shown, if that can be read."""
    image.load()  # before the rest, so that what is broken is its EXIF
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # noqa: BLE001 - broken EXIF may make its reader fail in any way at all
        return image


def _on_white(image: Image.Image) -> Image.Image:
    """The image without its transparency, if it has any."""
    if not image.has_transparency_data:
        return image
    canvas = Image.new("RGBA", image.size, "white")
    canvas.alpha_composite(image.convert("RGBA"))
    return canvas.convert("L" if image.mode in ("L", "LA", "La") else "RGB")


def _in_bytes(image: Image.Image) -> Image.Image:
    """The same with 8 bits a value: of 16, which only grey has, Pillow would cut off what is above 255."""
    return Image.fromarray((np.asarray(image) // 257).astype(np.uint8)) if image.mode.startswith("I") else image


@dataclass(frozen=True)
class Pictures(Sequence[Picture]):
    """Several pictures of one size, in the order of the request. In a notebook they show themselves as a grid."""

    pictures: tuple[Picture, ...]
    model_version: str
    """Which version of the model drew them."""
    model_digest: str
    """The digest of the weights that drew them."""

    @overload
    def __getitem__(self, index: int) -> Picture: ...
    @overload
    def __getitem__(self, index: slice) -> "Pictures": ...
    def __getitem__(self, index: int | slice) -> "Picture | Pictures":
        if isinstance(index, slice):
            return Pictures(self.pictures[index], self.model_version, self.model_digest)
        return self.pictures[index]

    def __iter__(self) -> Iterator[Picture]:
        return iter(self.pictures)

    def __len__(self) -> int:
        return len(self.pictures)

    @cached_property
    def array(self) -> Pixels:
        """The pixels, uint8 [N, H, W, C]."""
        return np.stack([picture.array for picture in self.pictures])

    def strip(self) -> Picture:
        """All of them beside one another, as one picture."""
        return tile([self.pictures])

    def grid(self, columns: int | None = None) -> Picture:
        """All of them in rows of `columns` (default: as square as can be), as one picture."""
        width = math.ceil(math.sqrt(len(self))) if columns is None else columns
        return tile(wrapped(self.pictures, width))

    def save(self, path: StrPath) -> None:
        """Writes the grid; the ending of `path` says how."""
        self.grid().save(path)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        return for_numpy(self.array, dtype, copy)

    def _repr_png_(self) -> bytes:
        return self.grid().png()


GAP = 2
WHITE = 255


def wrapped(pictures: Sequence[Picture], columns: int) -> list[Sequence[Picture]]:
    """The pictures in rows of `columns`."""
    width = whole("columns", columns, low=1)
    return [pictures[start : start + width] for start in range(0, len(pictures), width)]


def tile(rows: Iterable[Sequence[Picture]]) -> Picture:
    """One picture of many: each row beside one another, the rows below one another, on white.

    A row may be shorter than the others. InvalidRequest unless there are pictures, all of one size.
    """
    listed = list(rows)
    sizes = {(picture.height, picture.width, picture.channels) for row in listed for picture in row}
    if len(sizes) != 1:
        raise InvalidRequest.of("pictures", f"have {len(sizes)} sizes; give at least one, and all of one size")
    first = listed[0][0]
    columns = max(len(row) for row in listed)
    step_y, step_x = first.height + GAP, first.width + GAP
    shape = (len(listed) * step_y - GAP, columns * step_x - GAP, first.channels)
    sheet = np.full(shape, WHITE, np.uint8)
    for y, row in enumerate(listed):
        for x, picture in enumerate(row):
            sheet[y * step_y :, x * step_x :][: first.height, : first.width] = picture.array
    return Picture.from_array(sheet)
