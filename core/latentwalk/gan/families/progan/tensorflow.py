"""The layout of the paper's own code for TensorFlow (github.com/tkarras/progressive_growing_of_gans)."""

import re
from collections.abc import Callable, Mapping

from torch import Tensor

from latentwalk.gan.families.progan.published import GROWTH, check_grown, spread

# The layers that draw smaller pictures.
_DROPPED = re.compile(rf"{GROWTH}|ToRGB_lod[1-9]\d*/.*")


def is_tensorflow(checkpoint: Mapping[str, Tensor]) -> bool:
    """Whether the names are those of this layout."""
    return "4x4/Dense/weight" in checkpoint


def from_tensorflow(checkpoint: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights in our own layout. Raises GanError if it has not grown to its full resolution.

    A tensor that the layout does not know keeps its name, for the check of shapes to report.
    """
    check_grown(checkpoint)
    return dict(_renamed(name, tensor) for name, tensor in checkpoint.items() if not _DROPPED.fullmatch(name))


def _renamed(name: str, tensor: Tensor) -> tuple[str, Tensor]:
    if (layer := re.fullmatch(r"(\d{1,4})x\1/(\w+)/(weight|bias)", name)) and layer[2] in _PLACES:
        place, in_form = _PLACES[layer[2]]
        index = 2 * int(layer[1]).bit_length() - 6 + place
        if layer[3] == "bias":
            return f"layers.{index}.bias", spread(tensor, index)
        return f"layers.{index}.source.weight", in_form(tensor)
    if colours := re.fullmatch(r"ToRGB_lod0/(weight|bias)", name):
        return f"colours.{colours[1]}", _kernel(tensor)
    return name, tensor


def _kernel(tensor: Tensor) -> Tensor:
    """[H, W, inputs, outputs] -> [outputs, inputs, H, W]."""
    return tensor.permute(3, 2, 0, 1) if tensor.ndim == 4 else tensor


def _turned(tensor: Tensor) -> Tensor:
    """[H, W, outputs, inputs], upside down, of a layer that doubles and convolves at once -> as _kernel."""
    return tensor.permute(2, 3, 0, 1).flip(2, 3) if tensor.ndim == 4 else tensor


def _transposed(tensor: Tensor) -> Tensor:
    """[inputs, outputs] -> [outputs, inputs]."""
    return tensor.T if tensor.ndim == 2 else tensor


_PLACES: Mapping[str, tuple[int, Callable[[Tensor], Tensor]]] = {
    "Dense": (0, _transposed),
    "Conv": (1, _kernel),
    "Conv0": (0, _kernel),
    "Conv0_up": (0, _turned),
    "Conv1": (1, _kernel),
}
"""Which of the two layers of a resolution each is, and in which form ours has its weight."""
