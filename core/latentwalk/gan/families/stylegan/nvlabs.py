"""The layout of NVlabs' own code for TensorFlow (github.com/NVlabs/stylegan)."""

import re
from collections.abc import Callable, Mapping

from torch import Tensor

from latentwalk.gan.families.stylegan.genforce import turned_if_fused

_PARTS = {
    "const": "source.constant",
    "weight": "source.weight",
    "bias": "bias",
    "Noise/weight": "noise_strength",
    "StyleMod/weight": "style.weight",
    "StyleMod/bias": "style.bias",
}
# Which of the two layers of a resolution each is.
_PLACES = {"Const": 0, "Conv": 1, "Conv0_up": 0, "Conv1": 1}
# Left out: how far training has grown the pictures, and the layers that draw smaller ones.
_DROPPED = re.compile(r"(synthesis/)?lod|synthesis/ToRGB_lod[1-9]\d*/.*")


def is_nvlabs(checkpoint: Mapping[str, Tensor]) -> bool:
    """Whether the names are those of this layout."""
    return "synthesis/4x4/Const/StyleMod/weight" in checkpoint


def from_nvlabs(checkpoint: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights in our own layout; of the layers that draw pictures, that of the full resolution only.

    A tensor that the layout does not know keeps its name, for the check of shapes to report.
    """
    return dict(_renamed(name, tensor) for name, tensor in checkpoint.items() if not _DROPPED.fullmatch(name))


def _renamed(name: str, tensor: Tensor) -> tuple[str, Tensor]:
    if layer := re.fullmatch(r"synthesis/(\d{1,4})x\1/(\w+?)/(.*)", name):
        resolution, place, part = int(layer[1]), _PLACES.get(layer[2]), _PARTS.get(layer[3])
        if place is not None and part is not None:
            index = 2 * resolution.bit_length() - 6 + place
            return f"synthesis.layers.{index}.{part}", _LAID_OUT.get(part, _as_it_is)(tensor, index)
    if noise := re.fullmatch(r"synthesis/noise(\d{1,2})", name):
        return f"synthesis.layers.{noise[1]}.noise", tensor
    if dense := re.fullmatch(r"mapping/Dense(\d{1,2})/(weight|bias)", name):
        return f"mapping.layers.{dense[1]}.{dense[2]}", tensor.T if tensor.ndim == 2 else tensor
    if colours := re.fullmatch(r"synthesis/ToRGB_lod0/(weight|bias)", name):
        return f"synthesis.colours.{colours[1]}", _kernel(tensor)
    return {"mapping/LabelConcat/weight": "mapping.embedding", "dlatent_avg": "mean"}.get(name, name), tensor


def _as_it_is(tensor: Tensor, _index: int) -> Tensor:
    return tensor


def _kernel(tensor: Tensor) -> Tensor:
    """[H, W, inputs, outputs] -> [outputs, inputs, H, W]."""
    return tensor.permute(3, 2, 0, 1) if tensor.ndim == 4 else tensor


_LAID_OUT: Mapping[str, Callable[[Tensor, int], Tensor]] = {
    "source.weight": lambda tensor, index: turned_if_fused(_kernel(tensor), index),
    "style.weight": lambda tensor, _index: tensor.T if tensor.ndim == 2 else tensor,
}
"""How a part of the layer of an index is laid out in PyTorch, where it differs."""
