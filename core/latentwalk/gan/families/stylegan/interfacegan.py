"""The layout of InterFaceGAN's code (github.com/genforce/interfacegan), older than that of genforce."""

import re
from collections.abc import Mapping

from torch import Tensor

from latentwalk.gan.families.stylegan.genforce import from_genforce

_NAMES = (
    (r"\.(linear|conv)\.weight$", ".weight"),
    (r"\.wscale\.bias$", ".bias"),
    (r"\.style_mod\.dense\.", ".style."),
    (r"\.epilogue\.", "."),
    (r"\.first_layer$", ".const"),
)
"""What genforce calls the parts of names, in turn."""
# How much is left of the distance from the mean w: said by request here.
_DROPPED = "truncation.truncation"


def is_interfacegan(checkpoint: Mapping[str, Tensor]) -> bool:
    """Whether the names are those of this layout."""
    return "synthesis.layer0.first_layer" in checkpoint


def from_interfacegan(checkpoint: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights in our own layout, as from_genforce."""
    return from_genforce(dict(_renamed(name, tensor) for name, tensor in checkpoint.items() if name != _DROPPED))


def _renamed(name: str, tensor: Tensor) -> tuple[str, Tensor]:
    own = name
    for part, other in _NAMES:
        own = re.sub(part, other, own)
    # A layer that doubles and convolves at once has its kernel as in TensorFlow: [H, W, inputs, outputs].
    is_fused = re.fullmatch(r"synthesis\.layer\d+\.weight", name) and tensor.ndim == 4
    return own, tensor.permute(3, 2, 0, 1) if is_fused else tensor
