"""The layout of NVlabs' code for TensorFlow (github.com/NVlabs/stylegan2, and NVlabs/stylegan2-ada)."""

import re
from collections.abc import Callable, Mapping

from torch import Tensor

from latentwalk.gan.errors import GanError

# How far the pictures have grown in training, which those of a StyleGAN2 do not.
_DROPPED = "lod"
_CLASSES_BEFORE_ADA = "mapping/LabelConcat/weight"


def is_tensorflow(checkpoint: Mapping[str, Tensor]) -> bool:
    """Whether the names are those of this layout."""
    return "synthesis/4x4/Conv/mod_weight" in checkpoint


def from_tensorflow(checkpoint: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights in our own layout. Raises GanError for classes that are joined to z as they were before ADA.

    A tensor that the layout does not know keeps its name, for the check of shapes to report.
    """
    if _CLASSES_BEFORE_ADA in checkpoint:
        raise GanError(
            f"not a stylegan2 that is drawn: {_CLASSES_BEFORE_ADA} joins classes to z before both are normalised; "
            "take one without classes, or with those of ADA, which are embedded"
        )
    return dict(_renamed(name, tensor) for name, tensor in checkpoint.items() if name != _DROPPED)


def _renamed(name: str, tensor: Tensor) -> tuple[str, Tensor]:
    if (layer := re.fullmatch(r"synthesis/(\d{1,4})x\1/(\w+)/(\w+)", name)) and layer[2] in _PLACES:
        part, in_form = _PARTS.get(layer[3], (layer[3], _as_it_is))
        own = in_form(tensor)
        # A layer that doubles the resolution convolves there with its kernel upside down.
        turned = own.flip(2, 3) if (layer[2], part) == ("Conv0_up", "weight") and own.ndim == 4 else own
        return f"synthesis.{_PLACES[layer[2]](int(layer[1]).bit_length() - 3)}.{part}", turned
    if noise := re.fullmatch(r"synthesis/noise(\d{1,2})", name):
        return f"synthesis.layers.{noise[1]}.noise", tensor
    if dense := re.fullmatch(r"mapping/Dense(\d{1,2})/(weight|bias)", name):
        return f"mapping.layers.{dense[1]}.{dense[2]}", _transposed(tensor)
    own_name, in_form = _NAMES.get(name, (name, _as_it_is))
    return own_name, in_form(tensor)


def _as_it_is(tensor: Tensor) -> Tensor:
    return tensor


def _transposed(tensor: Tensor) -> Tensor:
    """[inputs, outputs] -> [outputs, inputs]."""
    return tensor.T if tensor.ndim == 2 else tensor


def _kernel(tensor: Tensor) -> Tensor:
    """[H, W, inputs, outputs] -> [outputs, inputs, H, W]."""
    return tensor.permute(3, 2, 0, 1) if tensor.ndim == 4 else tensor


_PLACES: Mapping[str, Callable[[int], str]] = {
    "Conv": lambda rung: f"layers.{2 * rung}",
    "Conv0_up": lambda rung: f"layers.{2 * rung - 1}",
    "Conv1": lambda rung: f"layers.{2 * rung}",
    "ToRGB": lambda rung: f"colours.{rung}",
}
"""Which of ours each layer is, of those of the resolution 4 << rung. At 4x4 there is Conv, beyond it the others."""

_PARTS: Mapping[str, tuple[str, Callable[[Tensor], Tensor]]] = {
    "weight": ("weight", _kernel),
    "bias": ("bias", _as_it_is),
    "noise_strength": ("noise_strength", _as_it_is),
    "mod_weight": ("style.weight", _transposed),
    # The style that scales nothing is 1; there the 1 is added when it is used.
    "mod_bias": ("style.bias", lambda bias: bias + 1),
}
"""What ours has for a part of a layer, and in which form."""

_NAMES: Mapping[str, tuple[str, Callable[[Tensor], Tensor]]] = {
    "mapping/LabelEmbed/weight": ("mapping.embedding.weight", _transposed),
    "mapping/LabelEmbed/bias": ("mapping.embedding.bias", _as_it_is),
    "dlatent_avg": ("mean", _as_it_is),
    "synthesis/4x4/Const/const": ("synthesis.constant", _as_it_is),
}
