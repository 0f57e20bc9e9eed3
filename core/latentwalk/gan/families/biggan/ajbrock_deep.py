"""The layout of BigGANdeep of ajbrock's BigGAN-PyTorch, brought into that of a biggan_deep.

There statistics are of no truncation, a code is the embedded class and then z, and channels come before places.
"""

import re
from collections.abc import Callable, Mapping
from itertools import accumulate

from torch import Tensor

from latentwalk.gan.families.biggan.ajbrock import from_ajbrock
from latentwalk.gan.families.biggan.bottleneck import EPSILON, STATISTICS
from latentwalk.gan.families.shapes import places_of

# What is added to a variance there.
_EPSILON = 1e-5
_FIRST_PLACES = 4 * 4
_PARTS = {
    "gain.weight": "scale.weight",
    "bias.weight": "offset.weight",
    "stored_mean": "running_means",
    "stored_var": "running_vars",
}
_NAMES = {
    "embedding.weight": "embeddings.weight",
    "linear.weight": "gen_z.weight",
    "linear.bias": "gen_z.bias",
    "output_layer.0.gain": "bn.weight",
    "output_layer.0.bias": "bn.bias",
    "output_layer.0.stored_mean": "bn.running_means",
    "output_layer.0.stored_var": "bn.running_vars",
    "output_layer.2.weight": "conv_to_rgb.weight",
    "output_layer.2.bias": "conv_to_rgb.bias",
}


def is_ajbrock_deep(checkpoint: Mapping[str, Tensor]) -> bool:
    """Whether the names are those of this layout: its blocks have four convolutions."""
    return "blocks.0.0.conv4.weight" in checkpoint


def from_ajbrock_deep(checkpoint: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights as they act, in the names of a biggan_deep, with the same statistics for all truncations.

    A tensor that the layout does not know keeps its name, for the check of shapes to report. Raises GanError naming a
    tensor of a spectral norm that is missing or does not fit.
    """
    weights = from_ajbrock(checkpoint)
    shared = weights.get("embedding.weight")
    embedding = len(shared) if shared is not None and shared.ndim else 0
    layers = _layers(weights)
    own: dict[str, Tensor] = {}
    for published, tensor in weights.items():
        name = _own_name(published, layers)
        in_form = next((form for ending, form in _FORMS.items() if name.endswith(ending)), _as_it_is)
        own[name] = in_form(tensor, embedding)
    return own


def _layers(weights: Mapping[str, Tensor]) -> list[int]:
    """Which layer each block is: an attention, which there belongs to the block before it, is one of its own."""
    counts = [1 + (f"blocks.{place}.attention.gamma" in weights) for place in places_of(weights, "blocks")]
    return [0, *accumulate(counts)]


def _own_name(published: str, layers: list[int]) -> str:
    block = re.fullmatch(r"blocks\.(\d{1,2})\.(attention\.)?(.*)", published)
    if block is None:
        return _NAMES.get(published, published)
    layer = f"layers.{layers[int(block[1])] + bool(block[2])}"
    if part := re.fullmatch(r"(conv|bn)([1-4])\.(.*)", block[3]):
        return f"{layer}.{part[1]}_{int(part[2]) - 1}.{_PARTS.get(part[3], part[3])}"
    return f"{layer}.{block[3]}"


def _as_it_is(tensor: Tensor, _embedding: int) -> Tensor:
    return tensor


def _z_first(tensor: Tensor, embedding: int) -> Tensor:
    """With the columns of the embedded class behind those of z."""
    return tensor.roll(-embedding, dims=1) if tensor.ndim == 2 else tensor


def _places_first(tensor: Tensor, _embedding: int) -> Tensor:
    """Rows by channel, then place, as rows by place, then channel."""
    channels, rest = divmod(len(tensor) if tensor.ndim else 0, _FIRST_PLACES)
    return tensor if rest or not channels else tensor.unflatten(0, (channels, -1)).transpose(0, 1).flatten(0, 1)


def _for_all_truncations(tensor: Tensor, _embedding: int) -> Tensor:
    return tensor.expand(STATISTICS, -1) if tensor.ndim == 1 else tensor


def _variance(tensor: Tensor, embedding: int) -> Tensor:
    """Less the difference of what is added to it."""
    own = (tensor.double() + (_EPSILON - EPSILON)).float() if tensor.is_floating_point() else tensor
    return _for_all_truncations(own, embedding)


_FORMS: Mapping[str, Callable[[Tensor, int], Tensor]] = {
    "gen_z.weight": lambda tensor, embedding: _places_first(_z_first(tensor, embedding), embedding),
    "gen_z.bias": _places_first,
    ".scale.weight": _z_first,
    ".offset.weight": _z_first,
    ".running_means": _for_all_truncations,
    ".running_vars": _variance,
}
"""By how a name of ours ends, what brings a tensor into our form, told how long an embedded class is."""
