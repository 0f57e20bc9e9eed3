"""Layers of frozen weights that oneDNN or MKL has packed for its kernels.

oneDNN applies the ReLU before it rounds. A matrix product in fp32 is MKL's, where there is one.

torch has these operators for its own compiler, and keeps them private: whoever builds on them must be ready for them
to be gone, and look whether they still draw what they should. The trial does both.

Shapes: N batch, C inputs, C' outputs, `side` height and width; pictures lie in memory as [N, height, width, C].
"""
# ruff: noqa: SLF001

from collections.abc import Callable
from functools import cache, partial

import torch
from torch import Tensor, nn

Layer = Callable[[Tensor], Tensor]


def packed_product(weight: Tensor, bias: Tensor | None, precision: torch.dtype) -> Layer:
    """[N, C] -> [N, C'], and the ReLU, for a weight [C', C]."""
    weight, bias = _cast(weight, bias, precision)
    if precision == torch.float32:  # which oneDNN does not pack for a matrix product
        product = _product(weight, bias)
        return lambda signal: product(signal).relu_()
    packed = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), 1)
    multiply = torch.ops.mkldnn._linear_pointwise
    return lambda signal: multiply(signal, packed, bias, "relu", [], "")


def packed_doubling(weight: Tensor, bias: Tensor | None, precision: torch.dtype, side: int) -> Layer:
    """[N, C, side, side] -> [N, C', 2 side, 2 side], and the ReLU: transposed, kernel [C, C', 4, 4], stride 2."""
    weight, bias = _cast(weight, bias, precision)
    padding, output_padding, stride, dilation, groups = [1, 1], [0, 0], [2, 2], [1, 1], 1
    geometry = padding, output_padding, stride, dilation, groups
    shape = [1, weight.shape[0], side, side]
    packed = torch.ops.mkldnn._reorder_convolution_transpose_weight(_channels_last(weight), *geometry, shape)
    convolve = torch.ops.mkldnn._convolution_transpose_pointwise
    return lambda signal: convolve(signal, packed, bias, *geometry, "relu", [], "")


def spread_doubling(weight: Tensor, bias: Tensor | None, side: int) -> Layer:
    """As packed_doubling, in fp32, for few pixels of many channels: one matrix product, of which patches are added up.

    Each pixel spreads into a patch of 4x4, which overlaps with its neighbours'. A convolution gives the kernels so few
    pixels of a row at a time that they idle.
    """
    channels, outputs = weight.shape[:2]
    spread = _product(weight.permute(2, 3, 1, 0).reshape(16 * outputs, channels), None)

    def convolve(signal: Tensor) -> Tensor:
        pixels = signal.permute(0, 2, 3, 1).reshape(-1, channels)
        patches = spread(pixels).view(-1, side, side, 4, 4, outputs)  # [N, row, column, row, column, C']
        canvas = _overlapped(_overlapped(patches.transpose(2, 3), 1), 2)
        inner = canvas[:, 1:-1, 1:-1]
        biased = inner.contiguous() if bias is None else inner + bias
        return biased.relu_().permute(0, 3, 1, 2)

    return convolve


def side_by_side(doubling: Layer) -> Layer:
    """As packed_doubling, to the bit, for pictures in one row, each followed by a column of zeros.

    The matrix units take 16 pixels of a row at a time, and idle where a row has fewer.
    """

    def convolve(signal: Tensor) -> Tensor:
        batch, channels, side, _ = signal.shape
        if batch == 1:
            return doubling(signal)
        row = nn.functional.pad(signal.permute(2, 0, 3, 1), (0, 0, 0, 1)).view(1, side, -1, channels)
        doubled = doubling(row.permute(0, 3, 1, 2)).permute(0, 2, 3, 1).view(2 * side, batch, 2 * side + 2, -1)
        return doubled[:, :, : 2 * side].transpose(0, 1).contiguous().permute(0, 3, 1, 2)

    return convolve


def packed_patches(weight: Tensor, bias: Tensor | None, precision: torch.dtype, side: int) -> Layer:
    """[N, C, side, side] -> [N, C', side + 1, side + 1]: kernel [C', C, 2, 2], padding 1, no ReLU."""
    weight, bias = _cast(weight, bias, precision)
    padding, stride, dilation, groups = [1, 1], [1, 1], [1, 1], 1
    geometry = padding, stride, dilation, groups
    shape = [1, weight.shape[1], side, side]
    packed = torch.ops.mkldnn._reorder_convolution_weight(_channels_last(weight), *geometry, shape)
    convolve = torch.ops.mkldnn._convolution_pointwise
    return lambda signal: convolve(signal, packed, bias, *geometry, "none", [], "")


def _product(weight: Tensor, bias: Tensor | None) -> Layer:
    """[N, C] -> [N, C'], for a weight [C', C] in fp32; MKL packs it anew for each N, of which there must be few."""
    if not torch.backends.mkl.is_available():
        return lambda rows: nn.functional.linear(rows, weight, bias)
    weight = weight.contiguous()
    packed = cache(partial(torch.ops.mkl._mkl_reorder_linear_weight, weight))
    multiply = torch.ops.mkl._mkl_linear
    return lambda rows: multiply(rows, packed(len(rows)), weight, bias, len(rows))


def _overlapped(strips: Tensor, axis: int) -> Tensor:
    """Adds strips [..., side, 4, ...] at `axis` up to [..., 2 side + 2, ...]: strip i begins at 2 i."""
    side = strips.shape[axis]
    shape = [*strips.shape[:axis], 2 * side + 2, *strips.shape[axis + 2 :]]
    canvas = strips.new_zeros(shape)
    for place, strip in enumerate(strips.unbind(axis + 1)):
        canvas[(slice(None),) * axis + (slice(place, place + 2 * side, 2),)] += strip
    return canvas


def _cast(weight: Tensor, bias: Tensor | None, precision: torch.dtype) -> tuple[Tensor, Tensor | None]:
    return weight.to(precision), None if bias is None else bias.to(precision)


def _channels_last(kernel: Tensor) -> Tensor:
    return kernel.contiguous(memory_format=torch.channels_last)
