"""What comes out of the engine."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

Picture = bytes | Exception
"""The pixels of one row, uint8 [H, W, C] in row-major bytes, or why it has none."""


class NonFinitePicture(Exception):
    """A picture has pixels that are NaN or infinite."""


def finite_rows(pictures: Tensor) -> list[bool]:
    """Which of the pictures [N, C, H, W] have finite pixels only.

    A sum reads every pixel once and is finite if all of them are, short of an overflow: looking at each pixel costs
    thirty times as much, so that is left for the case that the sum is not.
    """
    if math.isfinite(pictures.sum(dtype=torch.float32).item()):
        return [True] * len(pictures)
    return pictures.isfinite().flatten(1).all(dim=1).tolist()


def split_pictures(pixels: Tensor, finite: Sequence[bool]) -> list[Picture]:
    """A picture for each row of the contiguous pixels uint8 [N, H, W, C], which are on the CPU.

    Each gets memory of its own: one that waits for its reader must not hold on to its whole batch.
    """
    return [
        picture.tobytes() if is_finite else NonFinitePicture("a pixel is NaN or infinite")
        for picture, is_finite in zip(pixels.numpy(), finite, strict=True)
    ]
