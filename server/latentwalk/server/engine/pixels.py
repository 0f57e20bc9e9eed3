"""What comes out of the engine."""

from collections.abc import Sequence

import torch
from torch import Tensor

Picture = bytes | Exception
"""The pixels of one row, uint8 [H, W, C] in row-major bytes, or why it has none."""


class NonFinitePicture(Exception):
    """A picture has pixels that are NaN or infinite."""


def finite_rows(pictures: Tensor) -> Tensor:
    """Which of the pictures [N, C, H, W] have finite pixels only: bool [N].

    A sum reads every pixel once and is finite if all of them are, short of an overflow: looking at each pixel costs
    thirty times as much, so that is left for the case that a sum is not.
    """
    finite = pictures.sum(dim=(1, 2, 3), dtype=torch.float32).isfinite()
    return finite if finite.all() else pictures.isfinite().flatten(1).all(dim=1)


def split_pictures(pixels: Tensor, finite: Sequence[bool]) -> list[Picture]:
    """A picture for each row of the contiguous pixels uint8 [N, H, W, C], which are on the CPU.

    Each gets memory of its own: one that waits for its reader must not hold on to its whole batch.
    """
    return [
        picture.tobytes() if is_finite else NonFinitePicture("a pixel is NaN or infinite")
        for picture, is_finite in zip(pixels.numpy(), finite, strict=True)
    ]
