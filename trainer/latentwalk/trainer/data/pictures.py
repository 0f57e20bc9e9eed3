"""Pictures in memory, of one size."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

import torch
from torch import Tensor

from latentwalk.trainer.devices import CPU

Part: TypeAlias = Literal["train", "test"]

MAX_BYTES = 8 * 2**30
"""Of a data set in memory; more is refused."""
_LONGEST = 16
"""Of a picture, the longer side beside the shorter one. What a longer one has beyond is cut off before it is scaled,
not after: scaled, a line of 60,000 pixels has 4 billion."""


class DataRefused(Exception):
    """What was to be learned from is not there, does not consist of pictures, or is not what it was."""


@dataclass(frozen=True, slots=True)
class Form:
    """What can be told of a data set without reading all of it."""

    channels: int
    """C: 1 for grey, 3 for colour."""
    classes: int
    """K; 0 without classes."""
    tested: int
    """Pictures in the test part."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """A data set in memory."""

    images: Tensor
    """uint8 [M, C, H, W]."""
    labels: Tensor | None
    """int64 [M], each from 0 to K - 1; None without classes."""
    classes: tuple[str, ...]
    """The names of the K classes."""
    device: torch.device = CPU
    """Where they are learned from; the set itself stays in the machine's memory."""

    def __len__(self) -> int:
        """M."""
        return len(self.images)

    def pictures(self, rows: Tensor) -> Tensor:
        """Some pictures as float32 [N, C, H, W] in (-1, 1), on the device."""
        return self.images[rows].to(self.device).float().mul_(2 / 255).sub_(1)

    def classes_of(self, rows: Tensor) -> Tensor:
        """The classes of some pictures, int64 [N], on the device; only of a set that has classes."""
        assert self.labels is not None  # noqa: S101 - validation refuses data without classes where they are needed
        return self.labels[rows].to(self.device)

    @cached_property
    def digest(self) -> str:
        """The sha256 of pictures and labels, as they are in memory: a second or two for each GiB."""
        hasher = hashlib.sha256(repr(tuple(self.images.shape)).encode())
        for tensor in (self.images, self.labels):
            if tensor is not None:
                hasher.update(tensor.contiguous().numpy().data)
        return f"sha256:{hasher.hexdigest()}"


def fit(images: Tensor, resolution: int) -> Tensor:
    """uint8 [N, C, H, W] -> [N, C, resolution, resolution]: bilinear, without aliases, then the middle."""
    if images.shape[2:] == (resolution, resolution):
        return images
    from torchvision.transforms.v2.functional import center_crop, resize

    longest = _LONGEST * min(images.shape[2:])
    height, width = (min(side, longest) for side in images.shape[2:])
    fitting = images if (height, width) == images.shape[2:] else center_crop(images, [height, width])
    return center_crop(resize(fitting, [resolution], antialias=True), [resolution])


def check_size(count: int, channels: int, resolution: int) -> None:
    """Raises DataRefused for more pictures than fit in memory."""
    size = count * channels * resolution**2
    if size > MAX_BYTES:
        raise DataRefused(
            f"{count:,} pictures of {resolution} px need {size / 2**30:.1f} GiB of memory: at most "
            f"{MAX_BYTES / 2**30:.0f} are allowed; take fewer, or a lower resolution"
        )
