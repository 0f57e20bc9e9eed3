"""The layout of ptrblck's prog_gans_pytorch_inference: what the paper's code for Theano had trained, for PyTorch."""

import math
import re
from collections.abc import Mapping

from torch import Tensor

from latentwalk.gan.errors import GanError
from latentwalk.gan.families.progan.published import dense, spread


def is_ptrblck(checkpoint: Mapping[str, Tensor]) -> bool:
    """Whether the names are those of this layout."""
    return "features.0.conv.weight" in checkpoint


def from_ptrblck(checkpoint: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights in our own layout, in which the scale of a layer follows from its shape.

    There it is a number beside the weight. A tensor that the layout does not know keeps its name, for the check of
    shapes to report. Raises GanError naming the first scale that is missing or no single number.
    """
    weights: dict[str, Tensor] = {}
    for name, tensor in checkpoint.items():
        found = re.fullmatch(r"(features\.(\d{1,2})|output)\.(conv\.weight|wscale\.(?:b|scale))", name)
        if found is None:
            weights[name] = tensor
        elif found[3] == "conv.weight":
            scaled = tensor * (_scale(checkpoint, found[1]) / _own_scale(tensor, found[2]))
            weights[_place(found[2], "source.weight")] = dense(scaled) if found[2] == "0" else scaled
        elif found[3] == "wscale.b":
            weights[_place(found[2], "bias")] = spread(tensor, int(found[2])) if found[2] else tensor
        elif f"{found[1]}.conv.weight" not in checkpoint:
            weights[name] = tensor
    return weights


def _place(index: str | None, part: str) -> str:
    """What ours calls it: of the layer with that index, or of the one that draws the picture."""
    return f"layers.{index}.{part}" if index else f"colours.{part.removeprefix('source.')}"


def _scale(checkpoint: Mapping[str, Tensor], layer: str) -> Tensor:
    """By what the layer is multiplied when it is used, [1]."""
    scale = checkpoint.get(f"{layer}.wscale.scale")
    if scale is None or tuple(scale.shape) != (1,):
        found = "missing" if scale is None else tuple(scale.shape)
        raise GanError(f"not a progan: {layer}.wscale.scale is {found}, expected (1,)")
    return scale


def _own_scale(kernel: Tensor, index: str | None) -> float:
    """By what ours multiplies a kernel [outputs, inputs, H, W] of that layer when it is used."""
    gain = math.sqrt(2) if index else 1.0
    return gain / math.sqrt(max(1, kernel[:1].numel())) if kernel.ndim else 1.0
