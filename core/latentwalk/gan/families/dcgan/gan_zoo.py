"""The layout of DCGAN in facebookresearch's pytorch_GAN_zoo, and so on PyTorch Hub."""

import re
from collections.abc import Mapping

from torch import Tensor


def is_gan_zoo(checkpoint: Mapping[str, Tensor]) -> bool:
    """Whether the names are those of this layout."""
    return "formatLayer.weight" in checkpoint


def from_gan_zoo(checkpoint: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights in our own layout, which is the same network under other names.

    A tensor that the layout does not know keeps its name, for the check of shapes to report.
    """
    places = re.findall(r"main\.convTranspose(\d{1,2})\.", "\n".join(checkpoint))
    last = 1 + max(map(int, places), default=0)
    return {_renamed(name, last): tensor for name, tensor in checkpoint.items()}


def _renamed(name: str, last: int) -> str:
    """Its name in ours, in which a rung is a convolution, its normalisation and a rectifier, the last one bare."""
    layer, _, part = name.rpartition(".")
    if layer == "formatLayer":
        return f"main.0.{part}"
    if layer == "main.outlayer":
        return f"main.{3 * last}.{part}"
    if found := re.fullmatch(r"main\.(convTranspose(?!0)|batchNorm)(\d{1,2})", layer):
        return f"main.{3 * int(found[2]) + (found[1] == 'batchNorm')}.{part}"
    return name
