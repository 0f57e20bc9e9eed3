"""StyleGAN, against the formulas of its paper written out as they are there."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from latentwalk.gan.errors import GanError
from latentwalk.gan.families import build_generator
from latentwalk.gan.families.stylegan import StyleGAN
from latentwalk.gan.latents import one_hot, z_from_seeds
from latentwalk.gan.spec import SPACES, GeneratorSpec

CONFIG = {"width": 4, "max_width": 8, "mapping_layers": 3}


def make_spec(resolution: int = 16, classes: int = 0, config: dict | None = None, **changed) -> GeneratorSpec:
    layers = changed.pop("layers", 2 * resolution.bit_length() - 4)
    shape = {"spaces": SPACES, "layers": layers, "w_size": 7, **changed}
    return GeneratorSpec("stylegan", 6, classes, resolution, 3, CONFIG if config is None else config, **shape)


def make_stylegan(seed: int = 0, **spec) -> StyleGAN:
    """One of which every weight has a say, also those that are zero or one before training."""
    torch.manual_seed(seed)
    generator = build_generator(make_spec(**spec))
    with torch.no_grad():
        for parameter in (*generator.parameters(), generator.get_buffer("mean")):
            parameter.add_(torch.randn_like(parameter) * 0.5)
    assert isinstance(generator, StyleGAN)
    return generator


def genforce_checkpoint(generator: StyleGAN) -> dict[str, Tensor]:
    """The same weights in the layout of genforce, with the pictures of lower resolutions that it draws besides."""
    names = {"source.constant": "const", "source.weight": "weight", "noise_strength": "apply_noise.weight"}
    names |= {"noise": "apply_noise.noise"}
    layout: dict[str, Tensor] = {"synthesis.lod": torch.zeros(())}
    for name, tensor in generator.state_dict().items():
        match name.split("."):
            case ["mapping", "layers", index, part]:
                layout[f"mapping.dense{index}.{part}"] = tensor
            case ["mapping", "embedding"]:
                layout["mapping.label_weight"] = tensor
            case ["synthesis", "layers", index, *rest]:
                part = ".".join(rest)
                if part == "source.weight" and int(index) % 2 == 0:
                    resolution = 4 << int(index) // 2
                    tensor = tensor.flip(2, 3) if resolution >= 128 else tensor
                    layout[f"synthesis.layer{index}.blur.kernel"] = torch.ones(1)
                layout[f"synthesis.layer{index}.{names.get(part, part)}"] = tensor
            case ["synthesis", "colours", part]:
                for rung in range(generator.spec.layers // 2):
                    last = rung == generator.spec.layers // 2 - 1
                    layout[f"synthesis.output{rung}.{part}"] = tensor if last else torch.full_like(tensor, math.nan)
            case _:
                assert name == "mean"
                layout["truncation.w_avg"] = tensor
    return layout


def plain_map(weights: dict[str, Tensor], z: Tensor, condition: Tensor | None) -> Tensor:
    code = z if condition is None else torch.cat([z, condition @ weights["mapping.label_weight"]], dim=1)
    code = code / (code.square().mean(dim=1, keepdim=True) + 1e-8).sqrt()
    for index in range(3):
        weight, bias = weights[f"mapping.dense{index}.weight"], weights[f"mapping.dense{index}.bias"]
        scale = math.sqrt(2 / weight.shape[1]) * 0.01
        code = F.leaky_relu(code @ (weight * scale).T + bias * 0.01, 0.2)
    return code


def plain_layer(weights: dict[str, Tensor], index: int, features: Tensor, w: Tensor, noise: Tensor | None) -> Tensor:
    own = {name: weights.get(f"synthesis.layer{index}.{name}") for name in ("const", "weight", "bias")}
    if own["const"] is not None:
        features = own["const"].repeat(len(w), 1, 1, 1)
    else:
        kernel = own["weight"] * math.sqrt(2 / own["weight"][0].numel())
        if index % 2 == 0 and 4 << index // 2 >= 128:
            padded = F.pad(kernel, (1, 1, 1, 1))
            summed = padded[:, :, 1:, 1:] + padded[:, :, :-1, 1:] + padded[:, :, 1:, :-1] + padded[:, :, :-1, :-1]
            features = F.conv_transpose2d(features, summed.transpose(0, 1), stride=2, padding=1)
        elif index % 2 == 0:
            features = F.conv2d(F.interpolate(features, scale_factor=2, mode="nearest"), kernel, padding=1)
        else:
            features = F.conv2d(features, kernel, padding=1)
        if index % 2 == 0:
            blur = torch.tensor([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16
            channels = features.shape[1]
            features = F.conv2d(features, blur.repeat(channels, 1, 1, 1), padding=1, groups=channels)
    noise = weights[f"synthesis.layer{index}.apply_noise.noise"] if noise is None else noise
    features = features + noise * weights[f"synthesis.layer{index}.apply_noise.weight"].view(1, -1, 1, 1)
    features = F.leaky_relu(features + own["bias"].view(1, -1, 1, 1), 0.2)
    features = features - features.mean(dim=(2, 3), keepdim=True)
    features = features / (features.square().mean(dim=(2, 3), keepdim=True) + 1e-8).sqrt()
    dense, bias = weights[f"synthesis.layer{index}.style.weight"], weights[f"synthesis.layer{index}.style.bias"]
    style = (w @ (dense / math.sqrt(dense.shape[1])).T + bias).view(len(w), 2, -1, 1, 1)
    return features * (style[:, 0] + 1) + style[:, 1]


def plain_pictures(weights: dict[str, Tensor], w_plus: Tensor, noise: list[Tensor] | None = None) -> Tensor:
    features = torch.empty(0)
    for index in range(w_plus.shape[1]):
        features = plain_layer(weights, index, features, w_plus[:, index], noise[index] if noise else None)
    last = w_plus.shape[1] // 2 - 1
    kernel, bias = weights[f"synthesis.output{last}.weight"], weights[f"synthesis.output{last}.bias"]
    return F.conv2d(features, kernel / math.sqrt(kernel.shape[1]), bias)


@pytest.mark.parametrize(("resolution", "classes"), [(8, 0), (32, 3), (128, 0)])
def test_it_draws_what_the_published_network_draws(resolution: int, classes: int) -> None:
    original = make_stylegan(resolution=resolution, classes=classes)
    checkpoint = genforce_checkpoint(original)
    generator = StyleGAN.from_checkpoint(checkpoint)
    assert generator.spec == original.spec
    z, condition = z_from_seeds(range(3), 6), one_hot([0, 2, 1], 3) if classes else None
    with torch.no_grad():
        w = plain_map(checkpoint, z, condition)
        expected = plain_pictures(checkpoint, w[:, None].expand(-1, generator.spec.layers, -1))
        for one in (generator, generator.freeze()):
            torch.testing.assert_close(one.map(z, condition)[:, 0], w, rtol=1e-5, atol=1e-6)
            torch.testing.assert_close(one(z, condition), expected, rtol=1e-4, atol=1e-4)
    assert torch.equal(generator.mean_w, checkpoint["truncation.w_avg"])


def test_each_layer_has_its_own_w_and_its_own_noise() -> None:
    generator = make_stylegan(resolution=16).freeze()
    torch.manual_seed(1)
    w_plus = torch.randn(2, generator.spec.layers, 7)
    noise = torch.randn(2, 2 * (16 + 64 + 256))
    assert generator.noise.shape == noise.shape[1:]
    parts = [part.unflatten(1, (1, side, side)) for part, side in _layers_of(noise)]
    expected = plain_pictures(genforce_checkpoint(generator), w_plus, parts)
    torch.testing.assert_close(generator.synthesise(w_plus, noise), expected, rtol=1e-4, atol=1e-4)
    own = generator.noise.expand(2, -1)
    assert torch.equal(generator.draw(w_plus, "w+", noise=own), generator.draw(w_plus, "w+"))


def _layers_of(noise: Tensor) -> list[tuple[Tensor, int]]:
    sides = [4, 4, 8, 8, 16, 16]
    return list(zip(noise.split([side * side for side in sides], dim=1), sides, strict=True))


def test_a_frozen_generator_thaws_with_new_weights_and_with_training() -> None:
    generator, other = make_stylegan(seed=0).freeze(), make_stylegan(seed=1).freeze()
    z = z_from_seeds(range(2), 6)
    expected = other(z)
    generator.load_state_dict(other.state_dict())
    torch.testing.assert_close(generator(z), expected)
    with torch.no_grad():
        for parameter in generator.freeze().train().parameters():
            parameter.mul_(2)
    assert not torch.allclose(generator(z), expected, atol=1e-3)


def test_its_own_layout_is_read_too() -> None:
    generator = make_stylegan(classes=2)
    again = StyleGAN.from_checkpoint(generator.state_dict(), classes=2)
    assert again.freeze().digest == generator.freeze().digest
    with pytest.raises(GanError, match="of 3 classes: its mapping knows 2"):
        StyleGAN.infer_spec(generator.state_dict(), classes=3)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda c: c.pop("mapping.dense0.weight"), "mapping.layers.0.weight"),
        (lambda c: c.pop("synthesis.layer3.weight"), "synthesis.layers.3.source.weight is missing"),
        (lambda c: c.update({"synthesis.layer2.bias": torch.zeros(3)}), "synthesis.layers.2.bias"),
        (lambda c: c.update({"extra": torch.zeros(3)}), r"extra is \(3,\), expected nothing"),
        (lambda c: c.update({f"synthesis.layer{10**15}.weight": torch.zeros(1, 1, 3, 3)}), "expected nothing"),
    ],
)
def test_what_is_not_this_layout_is_refused_by_the_name_of_the_tensor(change, named: str) -> None:
    checkpoint = genforce_checkpoint(make_stylegan())
    change(checkpoint)
    with pytest.raises(GanError, match=named):
        StyleGAN.from_checkpoint(checkpoint)


@pytest.mark.parametrize("name", make_stylegan().state_dict())
@pytest.mark.parametrize("form", ["missing", "a number", "a row"])
def test_no_tensor_may_be_missing_or_of_another_shape(name: str, form: str) -> None:
    weights = dict(make_stylegan().state_dict())
    if form == "missing":
        del weights[name]
    else:
        weights[name] = torch.zeros(()) if form == "a number" else torch.zeros(17)
    with pytest.raises(GanError):
        StyleGAN.from_checkpoint(weights)


def test_an_embedding_that_is_no_matrix_is_refused() -> None:
    weights = dict(make_stylegan(classes=2).state_dict()) | {"mapping.embedding": torch.zeros(())}
    with pytest.raises(GanError, match=r"mapping.embedding is \(\), expected 2 dimensions"):
        StyleGAN.from_checkpoint(weights)


def test_channels_double_towards_coarse_layers_up_to_a_most() -> None:
    weights = build_generator(make_spec(resolution=64, config=CONFIG | {"max_width": 20})).state_dict()
    widths = [weights[f"synthesis.layers.{index}.bias"].shape[0] for index in range(10)]
    assert widths == [20, 20, 20, 20, 16, 16, 8, 8, 4, 4]


def test_fresh_weights_let_all_layers_learn_alike_and_the_mapping_a_hundredth_as_fast() -> None:
    """Karras et al. 2018, section 4.1: what is stored is N(0, 1), and the mapping's is a hundred times as much."""
    torch.manual_seed(0)
    config = {"width": 64, "max_width": 64, "mapping_layers": 2}
    weights = build_generator(make_spec(resolution=8, config=config, w_size=64)).state_dict()
    assert weights["synthesis.layers.3.source.weight"].std().item() == pytest.approx(1, rel=0.05)
    assert weights["mapping.layers.1.weight"].std().item() == pytest.approx(100, rel=0.05)
    assert not weights["synthesis.layers.1.noise_strength"].any()
    assert (weights["synthesis.layers.0.source.constant"] == 1).all()


def interfacegan_checkpoint(generator: StyleGAN) -> dict[str, Tensor]:
    """The same weights as the code of InterFaceGAN, which is older than genforce, has them."""
    dense_parts = {"weight": "linear.weight", "bias": "wscale.bias"}
    layout: dict[str, Tensor] = {"truncation.truncation": torch.ones(1, generator.spec.layers, 1)}
    for name, tensor in genforce_checkpoint(generator).items():
        match name.split("."):
            case ["mapping", dense, part]:
                layout[f"mapping.{dense}.{dense_parts[part]}"] = tensor
            case ["synthesis", layer, "style", part]:
                layout[f"synthesis.{layer}.epilogue.style_mod.dense.{dense_parts[part]}"] = tensor
            case ["synthesis", layer, "weight"] if tensor.shape[-1] == 3 and layer in ("layer10", "layer12"):
                layout[name] = tensor.permute(2, 3, 1, 0)  # from 128 px on
            case ["synthesis", place, "weight"]:
                layout[f"synthesis.{place}.conv.weight"] = tensor
            case ["synthesis", layer, *rest] if layer.startswith("layer") and rest[0] in ("bias", "apply_noise"):
                layout[f"synthesis.{layer}.epilogue.{'.'.join(rest)}"] = tensor
            case _:
                layout[name.replace("layer0.const", "layer0.first_layer")] = tensor
    return layout


@pytest.mark.parametrize("resolution", [8, 128, 256])
def test_the_layout_of_interfacegan_is_read(resolution: int) -> None:
    original = make_stylegan(resolution=resolution)
    checkpoint = interfacegan_checkpoint(original)
    assert checkpoint.keys().isdisjoint({"mapping.dense0.weight", "synthesis.layer0.const"})
    assert StyleGAN.from_checkpoint(checkpoint).digest == original.digest
