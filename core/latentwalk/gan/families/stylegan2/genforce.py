"""The layout of genforce (github.com/genforce), of SeFa too, in which the weights of NVlabs are spread for PyTorch."""

import re
from collections.abc import Mapping

from torch import Tensor

from latentwalk.gan.families.stylegan2.filters import check_filter

_PLACES = {"layer": "layers", "output": "colours"}
_NAMES = {
    "mapping.LabelEmbed.weight": "mapping.embedding.weight",
    "mapping.LabelEmbed.bias": "mapping.embedding.bias",
    "truncation.w_avg": "mean",
    "synthesis.early_layer.const": "synthesis.constant",
}


def is_genforce(checkpoint: Mapping[str, Tensor]) -> bool:
    """Whether the names are those of this layout."""
    return "synthesis.early_layer.const" in checkpoint


def from_genforce(checkpoint: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights in our own layout. Raises GanError for filters other than those of the paper.

    A tensor that the layout does not know keeps its name, for the check of shapes to report.
    """
    weights: dict[str, Tensor] = {}
    for name, tensor in checkpoint.items():
        if re.fullmatch(r"synthesis\.(layer\d+\.filter|upsample)\.kernel", name):
            check_filter(name, tensor[0, 0] if tensor.shape[:2] == (1, 1) else tensor)
        else:
            own, in_form = _translated(name, tensor)
            weights[own] = in_form
    return weights


def _translated(name: str, tensor: Tensor) -> tuple[str, Tensor]:
    if layer := re.fullmatch(r"synthesis\.(layer|output)(\d{1,2})\.(.*)", name):
        place, index, part = _PLACES[layer[1]], int(layer[2]), layer[3]
        return f"synthesis.{place}.{index}.{part}", _in_form(tensor, part, doubles=place == "layers" and index % 2 == 1)
    if dense := re.fullmatch(r"mapping\.dense(\d{1,2})\.(weight|bias)", name):
        return f"mapping.layers.{dense[1]}.{dense[2]}", tensor
    return _NAMES.get(name, name), tensor


def _in_form(tensor: Tensor, part: str, *, doubles: bool) -> Tensor:
    """As in the code for TensorFlow, a style is given its 1 when it is used, and a kernel that doubles is turned."""
    if part == "style.bias":
        return tensor + 1
    return tensor.flip(2, 3) if part == "weight" and doubles and tensor.ndim == 4 else tensor
