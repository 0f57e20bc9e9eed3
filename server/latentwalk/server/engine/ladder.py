"""A DCGAN as the CPU likes it best: the same arithmetic in other shapes.

* Batch normalisation is folded into the convolution before it.
* The first transposed convolution, from 1x1 to 4x4, is one matrix product [N, Z] x [Z, 16 C].
* The last one has so few channels that the vector units idle: it becomes its sub-pixel form (Shi et al. 2016,
  arXiv:1609.05158), a 2x2 convolution with four times the channels whose outputs interleave.
* In fp32, the one from 4x4 to 8x8 is one matrix product too, whose overlapping patches are added up.
* Where the processor has matrix units, the pictures of that one lie side by side: rows of 4 pixels fill a quarter of
  one. Not a bit of a picture changes with that.
* Weights are packed once for the kernels of oneDNN, which also apply the ReLU before they round, or of MKL.

Shapes: N batch, Z latent size and classes, C channels, H height, W width. Pictures lie in memory as [N, H, W, C].
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from latentwalk.gan.families.dcgan import DCGAN
from latentwalk.gan.processor import has_matrix_units
from latentwalk.server.engine.onednn import (
    Layer,
    packed_doubling,
    packed_patches,
    packed_product,
    side_by_side,
    spread_doubling,
)

# The kernel row that carries input row i - 1 + p into output row 2 i - 1 + q, of a 4x4 kernel with stride 2 and
# padding 1: _ROWS[q][p].
_ROWS = ((2, 0), (3, 1))

# Up to this height and width, a layer has too few pixels in a row for the kernels of a convolution.
_SMALL_SIDE = 4


class Ladder:
    """Draws what a frozen DCGAN on the CPU draws, in that precision. Raises what oneDNN raises if it cannot."""

    def __init__(self, generator: DCGAN, precision: torch.dtype) -> None:
        *hidden, last = _folded(generator)
        first, *rungs = hidden
        self._precision = precision
        self._layers: list[Layer] = [_from_code(first, precision)]
        side = 4
        for rung in rungs:
            self._layers.append(_doubling(rung, precision, side))
            side *= 2
        self._layers.append(_subpixel(last, precision, side))

    def __call__(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Pictures float32 [N, C, H, W] in (-1, 1) from z [N, Z] and a condition [N, K] or None."""
        signal = (z if condition is None else torch.cat([z, condition], dim=1)).to(self._precision)
        for layer in self._layers:
            signal = layer(signal)
        return _tanh_of_half(signal.float())


def _tanh_of_half(signal: Tensor) -> Tensor:
    """In place, as 2 sigmoid(signal) - 1: some processors (AMD's) take four times as long for tanh itself."""
    return signal.sigmoid_().mul_(2).sub_(1)


def _folded(generator: DCGAN) -> list[nn.ConvTranspose2d]:
    """The convolutions, each with the batch normalisation that follows it."""
    layers = list(generator.main)
    convolutions: list[nn.ConvTranspose2d] = []
    for layer, following in pairwise(layers):
        if isinstance(layer, nn.ConvTranspose2d) and isinstance(following, nn.BatchNorm2d):
            convolutions.append(fuse_conv_bn_eval(layer, following, transpose=True))
        elif isinstance(layer, nn.ConvTranspose2d):
            convolutions.append(layer)
    return convolutions


def _from_code(convolution: nn.ConvTranspose2d, precision: torch.dtype) -> Layer:
    """[N, Z] -> [N, C, 4, 4], and the ReLU."""
    channels = convolution.out_channels
    columns = convolution.weight.detach().permute(2, 3, 1, 0).reshape(16 * channels, -1)
    multiply = packed_product(columns, _bias(convolution, 16), precision)
    return lambda code: multiply(code).view(-1, 4, 4, channels).permute(0, 3, 1, 2)


def _doubling(convolution: nn.ConvTranspose2d, precision: torch.dtype, side: int) -> Layer:
    """[N, C, side, side] -> [N, C', 2 side, 2 side], and the ReLU."""
    weight, bias = convolution.weight.detach(), _bias(convolution, 1)
    if side <= _SMALL_SIDE and precision == torch.float32:  # a sum of patches in bf16 would round too often
        return spread_doubling(weight, bias, side)
    doubling = packed_doubling(weight, bias, precision, side)
    return side_by_side(doubling) if side <= _SMALL_SIDE and has_matrix_units() else doubling


def _subpixel(convolution: nn.ConvTranspose2d, precision: torch.dtype, side: int) -> Layer:
    """[N, C, side, side] -> twice the signal [N, C', 2 side, 2 side], which is exact, for _tanh_of_half."""
    kernel, bias = _subpixel_kernel(convolution.weight.detach()), _bias(convolution, 4)
    convolve = packed_patches(2 * kernel, None if bias is None else 2 * bias, precision, side)
    return lambda signal: _interleaved(convolve(signal), convolution.out_channels)


def _bias(convolution: nn.ConvTranspose2d, times: int) -> Tensor | None:
    return None if convolution.bias is None else convolution.bias.detach().repeat(times)


def _subpixel_kernel(weight: Tensor) -> Tensor:
    """The kernel [4 C', C, 2, 2] of the sub-pixel form of a transposed convolution with the kernel [C, C', 4, 4].

    Its 4 C' outputs are those of the transposed convolution, by row, column and channel of a 2x2 patch.
    """
    rows = torch.tensor(_ROWS)
    patches = weight[:, :, rows[:, :, None, None], rows[None, None]]  # [C, C', row, p, column, p']
    return patches.permute(2, 4, 1, 0, 3, 5).flatten(0, 2)


def _interleaved(patches: Tensor, channels: int) -> Tensor:
    """Patches [N, 4 C, H + 1, W + 1] -> [N, C, 2 H, 2 W]; the outermost pixel on each side is none of the picture."""
    batch, _, height, width = patches.shape
    grid = patches.permute(0, 2, 3, 1).reshape(batch, height, width, 2, 2, channels)
    pixels = grid.transpose(2, 3).reshape(batch, 2 * height, 2 * width, channels)
    return pixels[:, 1:-1, 1:-1].permute(0, 3, 1, 2)
