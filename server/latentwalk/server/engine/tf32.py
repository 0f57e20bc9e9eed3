"""Convolutions in TF32: float32 of which a CUDA device multiplies 10 bits after the point, several times as fast.

torch has a flag for it, which is for all threads; here it is for what one thread draws.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch._prims_common import suggest_memory_format
from torch.utils._python_dispatch import TorchDispatchMode

_aten = torch.ops.aten


class Tf32(TorchDispatchMode):
    """Within this context, outside of inference mode, this thread's float32 convolutions on CUDA are taken in TF32.

    They are those of cuDNN that torch would call; it computes depthwise ones, which have little to multiply, by itself.
    """

    def __torch_dispatch__(
        self, operation: Any, types: object, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """The operation, or the convolution that takes its place."""
        if operation is _aten.convolution.default and args[-1] == 1:
            return _convolved(*args)
        return operation(*args, **(kwargs or {}))


def _convolved(
    features: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    stride: list[int],
    padding: list[int],
    dilation: list[int],
    transposed: bool,
    output_padding: list[int],
    groups: int,
) -> Tensor:
    """As aten::convolution; each time the same bits, as settle_on has it of the others."""
    geometry = (padding, output_padding, stride, dilation) if transposed else (padding, stride, dilation)
    convolve = _aten.cudnn_convolution_transpose if transposed else _aten.cudnn_convolution
    lies_last = torch.channels_last in map(suggest_memory_format, (features, kernel))
    given = features.contiguous(memory_format=torch.channels_last if lies_last else torch.contiguous_format)
    drawn: Tensor = convolve(given, kernel, *geometry, groups, benchmark=False, deterministic=True, allow_tf32=True)
    return drawn if bias is None else drawn + bias[:, None, None]
