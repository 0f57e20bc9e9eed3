"""The layout of rosinality's code (github.com/rosinality/style-based-gan-pytorch).

It has all resolutions up to 1024, of which those to which training has not grown are as they began, and neither noise
nor a mean w beside the weights.
"""

import math
import re
from collections.abc import Mapping

import torch
from torch import Tensor

from latentwalk.gan.latents import noise_from_seeds

PORT = "rosinality"
"""In the config of a generator that draws as this code does: biases before the blur, AdaIN of another epsilon."""

# How fast ours learns in the mapping: by so much more its weights say.
_RATE = 0.01


def is_rosinality(checkpoint: Mapping[str, Tensor]) -> bool:
    """Whether the names are those of this layout."""
    return "generator.progression.0.conv1.input" in checkpoint


def from_rosinality(checkpoint: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights in our own layout, with a mean w of 0, and noise that is the same for both layers of a resolution.

    A tensor that the layout does not know keeps its name, for the check of shapes to report.
    """
    last = _last_trained(checkpoint)
    weights: dict[str, Tensor] = {}
    for name, tensor in checkpoint.items():
        place = re.match(r"generator\.(progression|to_rgb)\.(\d)\.", name)
        rung = int(place[2]) if place else 0
        is_smaller = place is not None and place[1] == "to_rgb" and rung < last
        is_blur = re.fullmatch(r"generator\.progression\.\d\.conv1\.[12]\.weight(_flip)?", name) is not None
        if rung <= last and not is_smaller and not is_blur:
            weights |= dict([_translated(name, tensor)])
    first = weights.get("mapping.layers.0.weight")
    beside = {} if first is None else {"mean": torch.zeros(first.shape[:1])}
    return {**weights, **beside, **_unlearned(weights, last)}


def _last_trained(checkpoint: Mapping[str, Tensor]) -> int:
    """The place of the largest resolution whose picture has been learned, of which the bias begins at 0."""
    biases = [checkpoint.get(f"generator.to_rgb.{rung}.conv.bias") for rung in range(9)]
    return max((rung for rung, bias in enumerate(biases) if bias is not None and bias.any()), default=8)


def _unlearned(weights: Mapping[str, Tensor], last: int) -> dict[str, Tensor]:
    """What ours has besides: noise, and biases after the constant and after the blurs, which are 0."""
    made: dict[str, Tensor] = {}
    for rung in range(last + 1):
        side = 4 << rung
        noise = noise_from_seeds([rung], side * side).view(1, 1, side, side)
        made |= {f"synthesis.layers.{2 * rung + second}.noise": noise for second in (0, 1)}
        strength = weights.get(f"synthesis.layers.{2 * rung}.noise_strength")
        if strength is not None:
            made[f"synthesis.layers.{2 * rung}.bias"] = torch.zeros_like(strength)
    return made


def _translated(name: str, tensor: Tensor) -> tuple[str, Tensor]:
    if dense := re.fullmatch(r"style\.(\d{1,2})\.linear\.(weight_orig|bias)", name):
        # A rectifier stands between any two, and all learn as fast as the rest.
        return f"mapping.layers.{int(dense[1]) // 2}.{dense[2].removesuffix('_orig')}", tensor / _RATE
    if colours := re.fullmatch(r"generator\.to_rgb\.\d\.conv\.(weight_orig|bias)", name):
        is_weight = colours[1] == "weight_orig"
        return f"synthesis.colours.{colours[1].removesuffix('_orig')}", tensor * math.sqrt(2) if is_weight else tensor
    if layer := re.fullmatch(r"generator\.progression\.(\d)\.([a-z]+)([12])\.(.*)", name):
        own = f"synthesis.layers.{2 * int(layer[1]) + int(layer[3]) - 1}"
        part, in_form = _part(f"{layer[2]}{layer[3]}", layer[4], tensor)
        return (name, tensor) if part is None else (f"{own}.{part}", in_form)
    return name, tensor


def _part(place: str, part: str, tensor: Tensor) -> tuple[str | None, Tensor]:
    """What ours calls a part of a layer, and has for it; None for one that it does not know."""
    match place, part:
        case "conv1", "input":
            return "source.constant", tensor
        case ("conv1", "1.conv.weight_orig") | ("conv2", "conv.weight_orig"):
            return "source.weight", tensor
        case "conv1", "0.weight":  # the sum over the four places to which a pixel is repeated is a mean there
            return "source.weight", tensor.transpose(0, 1).flip(2, 3) / 4 if tensor.ndim == 4 else tensor
        case "conv1", "1.conv.bias" | "0.bias":
            return "source.bias", tensor
        case "conv2", "conv.bias":
            return "bias", tensor
        case "noise1" | "noise2", "weight_orig":
            return "noise_strength", tensor.flatten() * math.sqrt(2 / max(1, tensor.numel()))
        case "adain1" | "adain2", "style.linear.weight_orig":
            return "style.weight", tensor * math.sqrt(2)
        case "adain1" | "adain2", "style.linear.bias":  # the 1 of a scale is added when it is used
            flat = tensor.flatten()
            return "style.bias", (flat - (torch.arange(len(flat)) < len(flat) / 2).to(flat.dtype)).view_as(tensor)
        case _:
            return None, tensor
