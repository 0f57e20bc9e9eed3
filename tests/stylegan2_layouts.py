"""Small StyleGAN2s, and their weights in the layouts in which others publish them."""

import re

import torch
from torch import Tensor

from latentwalk.gan.families import build_generator
from latentwalk.gan.families.stylegan2 import StyleGAN2
from latentwalk.gan.spec import SPACES, GeneratorSpec

CONFIG = {"width": 4, "max_width": 6, "mapping_layers": 3}
FILTER = torch.tensor([1.0, 3, 3, 1]).outer(torch.tensor([1.0, 3, 3, 1])) / 64


def make_spec(resolution: int = 16, classes: int = 0, config: dict | None = None, **changed) -> GeneratorSpec:
    layers = changed.pop("layers", 2 * resolution.bit_length() - 4)
    shape = {"spaces": SPACES, "layers": layers, "w_size": 7, **changed}
    return GeneratorSpec("stylegan2", 6, classes, resolution, 3, CONFIG if config is None else config, **shape)


def make_stylegan2(**spec) -> StyleGAN2:
    """One of which every weight has a say, also those that are zero or one before training."""
    torch.manual_seed(0)
    generator = build_generator(make_spec(**spec))
    with torch.no_grad():
        for parameter in (*generator.parameters(), generator.get_buffer("mean")):
            parameter.add_(torch.randn_like(parameter) * 0.5)
    assert isinstance(generator, StyleGAN2)
    return generator


def nvlabs_layout(generator: StyleGAN2) -> dict[str, Tensor]:
    """The same weights by the names of NVlabs' code for PyTorch, with the filters that it keeps beside them."""
    parts = {"noise": "noise_const", "style.weight": "affine.weight", "style.bias": "affine.bias"}
    layout: dict[str, Tensor] = {}
    for name, tensor in generator.state_dict().items():
        if found := re.fullmatch(r"synthesis\.(layers|colours)\.(\d+)\.(.*)", name):
            index, part = int(found[2]), parts.get(found[3], found[3])
            is_layer = found[1] == "layers"
            block = f"synthesis.b{4 << ((index + 1) // 2 if is_layer else index)}"
            place = ("conv1", "conv0")[index % 2] if is_layer else "torgb"
            layout[f"{block}.{place}.{part}"] = tensor[0, 0] if part == "noise_const" else tensor
            layout[f"{block}.resample_filter"] = FILTER
            if is_layer:
                layout[f"{block}.{place}.resample_filter"] = FILTER
        elif found := re.fullmatch(r"mapping\.layers\.(\d+)\.(.*)", name):
            layout[f"mapping.fc{found[1]}.{found[2]}"] = tensor
        elif name == "synthesis.constant":
            layout["synthesis.b4.const"] = tensor[0]
        else:
            layout[name.replace("mapping.embedding", "mapping.embed").replace("mean", "mapping.w_avg")] = tensor
    return layout


def rosinality_layout(generator: StyleGAN2) -> dict[str, Tensor]:
    """The same weights by the names of rosinality's code; it has no mean w, and no classes."""
    parts = {"weight": "conv.weight", "style.weight": "conv.modulation.weight", "style.bias": "conv.modulation.bias"}
    layer_parts = {**parts, "bias": "activate.bias", "noise_strength": "noise.weight"}
    layout: dict[str, Tensor] = {}
    for name, tensor in generator.state_dict().items():
        match name.split(".", 3):
            case ["synthesis", "layers", index, "noise"]:
                layout[f"noises.noise_{index}"] = tensor
            case ["synthesis", "layers", index, part]:
                place = f"convs.{int(index) - 1}" if int(index) else "conv1"
                own = tensor[None] if part in ("weight", "noise_strength") else tensor
                layout[f"{place}.{layer_parts[part]}"] = own
                if int(index) % 2:
                    layout[f"{place}.conv.blur.kernel"] = FILTER * 4
            case ["synthesis", "colours", index, part]:
                place = f"to_rgbs.{int(index) - 1}" if int(index) else "to_rgb1"
                own = {"weight": lambda one: one[None], "bias": lambda one: one.view(1, -1, 1, 1)}
                layout[f"{place}.{parts.get(part, part)}"] = own.get(part, lambda one: one)(tensor)
                if int(index):
                    layout[f"{place}.upsample.kernel"] = FILTER * 4
            case ["mapping", "layers", index, part]:
                layout[f"style.{int(index) + 1}.{part}"] = tensor
            case _:
                if name == "synthesis.constant":
                    layout["input.input"] = tensor
    return layout


def tensorflow_layout(generator: StyleGAN2) -> dict[str, Tensor]:
    """The same weights by the names of NVlabs' code for TensorFlow, and how far it has grown, which is not at all."""
    weights = generator.state_dict()
    layout = {"lod": torch.zeros(()), "dlatent_avg": weights["mean"]}
    layout["synthesis/4x4/Const/const"] = weights["synthesis.constant"]
    for index in range(len(generator.synthesis.layers)):
        side = 4 << (index + 1) // 2
        own, place = f"synthesis.layers.{index}", "Conv" if index == 0 else ("Conv1", "Conv0_up")[index % 2]
        kernel = weights[f"{own}.weight"].flip(2, 3) if index % 2 else weights[f"{own}.weight"]
        layout |= _scaled_layer(f"synthesis/{side}x{side}/{place}", own, weights, kernel)
        layout[f"synthesis/{side}x{side}/{place}/noise_strength"] = weights[f"{own}.noise_strength"]
        layout[f"synthesis/noise{index}"] = weights[f"{own}.noise"]
    for rung in range(len(generator.synthesis.colours)):
        own, name = f"synthesis.colours.{rung}", f"synthesis/{4 << rung}x{4 << rung}/ToRGB"
        layout |= _scaled_layer(name, own, weights, weights[f"{own}.weight"])
    for index in range(generator.spec.config["mapping_layers"]):
        layout[f"mapping/Dense{index}/weight"] = weights[f"mapping.layers.{index}.weight"].T
        layout[f"mapping/Dense{index}/bias"] = weights[f"mapping.layers.{index}.bias"]
    if generator.spec.classes:
        layout["mapping/LabelEmbed/weight"] = weights["mapping.embedding.weight"].T
        layout["mapping/LabelEmbed/bias"] = weights["mapping.embedding.bias"]
    return {name: tensor.contiguous() for name, tensor in layout.items()}


def _scaled_layer(name: str, own: str, weights: dict[str, Tensor], kernel: Tensor) -> dict[str, Tensor]:
    return {
        f"{name}/weight": kernel.permute(2, 3, 1, 0),
        f"{name}/bias": weights[f"{own}.bias"],
        f"{name}/mod_weight": weights[f"{own}.style.weight"].T,
        f"{name}/mod_bias": weights[f"{own}.style.bias"] - 1,
    }


def genforce_layout(generator: StyleGAN2) -> dict[str, Tensor]:
    """What genforce makes of the variables of NVlabs' code for TensorFlow, with the filters that it keeps beside."""
    parts = {"mod_weight": "style.weight", "mod_bias": "style.bias"}
    layout = {"synthesis.upsample.kernel": 4 * FILTER[None, None]}
    for name, tensor in tensorflow_layout(generator).items():
        match name.split("/"):
            case ["mapping", place, part]:
                layout[f"mapping.{place.replace('Dense', 'dense')}.{part}"] = tensor.T if tensor.ndim == 2 else tensor
            case ["synthesis", _, "Const", _]:
                layout["synthesis.early_layer.const"] = tensor
            case ["synthesis", noise]:
                layout[f"synthesis.{noise.replace('noise', 'layer')}.noise"] = tensor
            case ["synthesis", scope, place, part]:
                rung = int(scope.partition("x")[0]).bit_length() - 3
                of = f"output{rung}" if place == "ToRGB" else f"layer{2 * rung - (place == 'Conv0_up')}"
                own = tensor.permute(3, 2, 0, 1) if part == "weight" else tensor
                layout[f"synthesis.{of}.{parts.get(part, part)}"] = own.T if part == "mod_weight" else own
                if place == "Conv0_up":
                    layout[f"synthesis.{of}.filter.kernel"] = 4 * FILTER[None, None]
            case _:
                layout |= {"truncation.w_avg": tensor} if name == "dlatent_avg" else {}
    return {name: tensor.contiguous() for name, tensor in layout.items()}
