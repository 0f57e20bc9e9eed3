"""The layout of rosinality's code (github.com/rosinality/stylegan2-pytorch)."""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from latentwalk.gan.families.stylegan2.filters import check_filter

_PARTS = {
    "conv.weight": "weight",
    "conv.modulation.weight": "style.weight",
    "conv.modulation.bias": "style.bias",
    "activate.bias": "bias",
    "bias": "bias",
    "noise.weight": "noise_strength",
}


def is_rosinality(checkpoint: Mapping[str, Tensor]) -> bool:
    """Whether the names are those of this layout."""
    return "conv1.conv.modulation.weight" in checkpoint


def from_rosinality(checkpoint: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights in our own layout, with a mean w of 0. Raises GanError for filters other than those of the paper.

    A tensor that the layout does not know keeps its name, for the check of shapes to report.
    """
    weights: dict[str, Tensor] = {}
    for name, tensor in checkpoint.items():
        if name.endswith(".kernel"):
            check_filter(name, tensor)
        else:
            own = _renamed(name)
            weights[own] = _of_form(own, tensor)
    first = weights.get("mapping.layers.0.weight")
    return weights if first is None else {**weights, "mean": torch.zeros(first.shape[:1])}


def _renamed(name: str) -> str:
    if layer := re.fullmatch(r"(?:conv1|convs\.(\d{1,2}))\.(.*)", name):
        index = int(layer[1]) + 1 if layer[1] else 0
        return f"synthesis.layers.{index}.{_PARTS.get(layer[2], layer[2])}"
    if colours := re.fullmatch(r"(?:to_rgb1|to_rgbs\.(\d{1,2}))\.(.*)", name):
        rung = int(colours[1]) + 1 if colours[1] else 0
        return f"synthesis.colours.{rung}.{_PARTS.get(colours[2], colours[2])}"
    if noise := re.fullmatch(r"noises\.noise_(\d{1,2})", name):
        return f"synthesis.layers.{noise[1]}.noise"
    # The first of its mapping normalises.
    if dense := re.fullmatch(r"style\.([1-9]\d?)\.(weight|bias)", name):
        return f"mapping.layers.{int(dense[1]) - 1}.{dense[2]}"
    return {"input.input": "synthesis.constant"}.get(name, name)


def _of_form(name: str, tensor: Tensor) -> Tensor:
    """Without the dimensions of 1 that ours has not."""
    if re.fullmatch(r"synthesis\.(layers|colours)\.\d+\.weight", name) and tensor.shape[:1] == (1,):
        return tensor[0]
    if re.fullmatch(r"synthesis\.colours\.\d+\.bias", name) and tensor.ndim == 4 and tensor.numel() == tensor.shape[1]:
        return tensor.flatten()
    return tensor[0] if name.endswith(".noise_strength") and tensor.shape == (1,) else tensor
