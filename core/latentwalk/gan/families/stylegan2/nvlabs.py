"""The layout of NVlabs' own code for PyTorch (github.com/NVlabs/stylegan2-ada-pytorch)."""

import re
from collections.abc import Mapping

from torch import Tensor

from latentwalk.gan.families.stylegan2.filters import check_filter

_PARTS = {
    "weight": "weight",
    "bias": "bias",
    "noise_strength": "noise_strength",
    "noise_const": "noise",
    "affine.weight": "style.weight",
    "affine.bias": "style.bias",
}
_NAMES = {
    "mapping.embed.weight": "mapping.embedding.weight",
    "mapping.embed.bias": "mapping.embedding.bias",
    "mapping.w_avg": "mean",
    "synthesis.b4.const": "synthesis.constant",
}


def is_nvlabs(checkpoint: Mapping[str, Tensor]) -> bool:
    """Whether the names are those of this layout."""
    return "synthesis.b4.const" in checkpoint


def from_nvlabs(checkpoint: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights in our own layout. Raises GanError for filters other than those of the paper.

    A tensor that the layout does not know keeps its name, for the check of shapes to report.
    """
    weights: dict[str, Tensor] = {}
    for name, tensor in checkpoint.items():
        if name.endswith(".resample_filter"):
            check_filter(name, tensor)
        else:
            own = _renamed(name)
            weights[own] = _with_batch(own, tensor)
    return weights


def _renamed(name: str) -> str:
    if layer := re.fullmatch(r"synthesis\.b(\d{1,4})\.(conv0|conv1|torgb)\.(.*)", name):
        rung, part = int(layer[1]).bit_length() - 3, _PARTS.get(layer[3], layer[3])
        if layer[2] == "torgb":
            return f"synthesis.colours.{rung}.{part}"
        # At 4x4 there is conv1 only.
        return f"synthesis.layers.{2 * rung - (layer[2] == 'conv0')}.{part}"
    if dense := re.fullmatch(r"mapping\.fc(\d{1,2})\.(weight|bias)", name):
        return f"mapping.layers.{dense[1]}.{dense[2]}"
    return _NAMES.get(name, name)


def _with_batch(name: str, tensor: Tensor) -> Tensor:
    """The constant and noise as for one row of a batch."""
    if name == "synthesis.constant" and tensor.ndim == 3:
        return tensor[None]
    return tensor[None, None] if name.endswith(".noise") and tensor.ndim == 2 else tensor
