"""From the pictures of a generator to the bytes of an image."""

import torch
from torch import Tensor


def to_uint8(pictures: Tensor, value_range: tuple[float, float] = (-1.0, 1.0)) -> Tensor:
    """Pictures [N, C, H, W] in value_range -> contiguous uint8 [N, H, W, C]; black is 0 and white is 255.

    Values are clipped to the range and rounded to the nearest integer, halves to the even one. Refusing
    pictures that are not finite is up to the caller: NaN has no colour.
    """
    black, white = value_range
    scaled = (pictures.float() - black).mul_(255 / (white - black))
    return scaled.clamp_(0, 255).round_().to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def as_served(pictures: Tensor, value_range: tuple[float, float] = (-1.0, 1.0)) -> Tensor:
    """Pictures [N, C, H, W] in value_range -> the same as float32, of the colours that their bytes have."""
    black, white = value_range
    return to_uint8(pictures, value_range).permute(0, 3, 1, 2).float().mul_((white - black) / 255).add_(black)
