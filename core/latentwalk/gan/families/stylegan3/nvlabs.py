"""The layout of NVlabs' own code (github.com/NVlabs/stylegan3)."""

import re
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from latentwalk.gan.errors import GanError

_PARTS = {
    "weight": "weight",
    "bias": "bias",
    "magnitude_ema": "magnitude",
    "affine.weight": "style.weight",
    "affine.bias": "style.bias",
}
_NAMES = {
    "synthesis.input.weight": "synthesis.waves.weight",
    "synthesis.input.freqs": "synthesis.waves.frequencies",
    "synthesis.input.phases": "synthesis.waves.phases",
    "synthesis.input.affine.weight": "synthesis.waves.style.weight",
    "synthesis.input.affine.bias": "synthesis.waves.style.bias",
    "mapping.embed.weight": "mapping.embedding.weight",
    "mapping.embed.bias": "mapping.embedding.bias",
    "mapping.w_avg": "mean",
}
_LAYER = re.compile(r"synthesis\.L(\d{1,2})_(\d{1,4})_(\d{1,5})\.(.*)")
_FILTERS = ("up_filter", "down_filter")
_MOVED = "synthesis.input.transform"
"""How a user has turned and moved all pictures."""
_TOLERANCE = 1e-5


def is_nvlabs(checkpoint: Mapping[str, Tensor]) -> bool:
    """Whether the names are those of this layout."""
    return "synthesis.input.freqs" in checkpoint


def from_nvlabs(checkpoint: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights in our own layout. Raises GanError if pictures have been turned or moved by hand.

    Filters are left out, see check_filters. A tensor that the layout does not know keeps its name, for the check of
    shapes to report.
    """
    moved = checkpoint.get(_MOVED)
    if moved is not None and not (moved.shape == (3, 3) and torch.equal(moved, torch.eye(3, dtype=moved.dtype))):
        raise GanError(f"not a stylegan3 as it was trained: {_MOVED} turns or moves its pictures; save it as the unit")
    last = max((int(found[1]) for name in checkpoint if (found := _LAYER.fullmatch(name))), default=0)
    kept = {name: tensor for name, tensor in checkpoint.items() if name != _MOVED and not name.endswith(_FILTERS)}
    return {_renamed(name, last): tensor for name, tensor in kept.items()}


def check_filters(checkpoint: Mapping[str, Tensor], layers: nn.ModuleDict) -> None:
    """Raises GanError for filters of a checkpoint of this layout that differ from those of our layers."""
    for name, kernel in checkpoint.items():
        found = _LAYER.fullmatch(name)
        if found and found[4] in _FILTERS:
            place = f"{found[1]}_{found[2]}"
            own = layers[place].get_buffer(found[4]) if place in layers else None
            if own is None or kernel.shape != own.shape or (kernel - own).abs().max() > _TOLERANCE:
                raise GanError(
                    f"not a stylegan3 of config T or R: {name} is another filter than theirs, the only ones drawn with"
                )


def _renamed(name: str, last: int) -> str:
    if layer := _LAYER.fullmatch(name):
        place = "colours" if int(layer[1]) == last else f"layers.{layer[1]}_{layer[2]}"
        return f"synthesis.{place}.{_PARTS.get(layer[4], layer[4])}"
    if dense := re.fullmatch(r"mapping\.fc(\d{1,2})\.(weight|bias)", name):
        return f"mapping.layers.{dense[1]}.{dense[2]}"
    return _NAMES.get(name, name)
