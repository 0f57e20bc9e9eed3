"""The layout of PGAN in facebookresearch's pytorch_GAN_zoo, and so on PyTorch Hub."""

import math
import re
from collections.abc import Mapping

from torch import Tensor

_NAMES = {"formatLayer": "layers.0", "groupScale0.0": "layers.1"}
_GAINS = {"layers.0": 4.0, "colours": math.sqrt(2)}
"""How much more a weight says there than in ours."""


def is_gan_zoo(checkpoint: Mapping[str, Tensor]) -> bool:
    """Whether the names are those of this layout."""
    return "formatLayer.module.weight" in checkpoint


def from_gan_zoo(checkpoint: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights in our own layout; of the layers that draw pictures, that of the full resolution only.

    There every layer, also the first and the last, has the gain of a rectifier, and its bias is scaled as its weight
    is. A tensor that the layout does not know keeps its name, for the check of shapes to report.
    """
    last = max(map(int, re.findall(r"toRGBLayers\.(\d{1,2})\.", "\n".join(checkpoint))), default=0)
    weights: dict[str, Tensor] = {}
    for name, tensor in checkpoint.items():
        layer, _, part = name.partition(".module.")
        own = "colours" if layer == f"toRGBLayers.{last}" else _name_of(layer)
        if own is None or part not in ("weight", "bias"):
            weights |= {} if re.match(r"toRGBLayers\.\d", name) else {name: tensor}
        elif part == "weight":
            place = own if own == "colours" else f"{own}.source"
            weights[f"{place}.weight"] = tensor * _GAINS.get(own, 1)
        else:
            weights[f"{own}.bias"] = _in_form(tensor, own) * _scale(checkpoint.get(f"{layer}.module.weight"))
    return weights


def _name_of(layer: str) -> str | None:
    """What ours calls a layer of features; None for any other."""
    if scale := re.fullmatch(r"scaleLayers\.(\d{1,2})\.([01])", layer):
        return f"layers.{2 * int(scale[1]) + 2 + int(scale[2])}"
    return _NAMES.get(layer)


def _in_form(bias: Tensor, layer: str) -> Tensor:
    """As ours has it: [C, 4, 4] in the first layer, [C] in the last, else [C, 1, 1]."""
    if bias.ndim != 1 or layer == "colours":
        return bias
    return bias.reshape(-1, 4, 4) if layer == "layers.0" and len(bias) % 16 == 0 else bias[:, None, None]


def _scale(weight: Tensor | None) -> float:
    """By what a layer is multiplied when it is used."""
    fan_in = 0 if weight is None or not weight.ndim else weight[:1].numel()
    return math.sqrt(2 / fan_in) if fan_in else 1.0
