"""StyleGAN2, against the formulas of its paper written out as they are there, in the layouts of its publishers."""

import math

import pytest
import torch
from stylegan2_layouts import (
    CONFIG,
    FILTER,
    genforce_layout,
    make_spec,
    make_stylegan2,
    nvlabs_layout,
    rosinality_layout,
    tensorflow_layout,
)
from torch import Tensor
from torch.nn import functional as F

from latentwalk.gan.errors import GanError
from latentwalk.gan.families import build_generator
from latentwalk.gan.families.stylegan2 import StyleGAN2
from latentwalk.gan.latents import one_hot, z_from_seeds
from latentwalk.gan.spec import GeneratorSpec


def plain_dense(weights: dict[str, Tensor], name: str, code: Tensor, rate: float = 1.0) -> Tensor:
    weight, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    return code @ (weight * (rate / math.sqrt(weight.shape[1]))).T + bias * rate


def plain_map(weights: dict[str, Tensor], z: Tensor, condition: Tensor | None) -> Tensor:
    parts = [z] if condition is None else [z, plain_dense(weights, "mapping.embed", condition)]
    code = torch.cat([part / (part.square().mean(dim=1, keepdim=True) + 1e-8).sqrt() for part in parts], dim=1)
    for index in range(3):
        code = F.leaky_relu(plain_dense(weights, f"mapping.fc{index}", code, 0.01), 0.2) * math.sqrt(2)
    return code


def plain_row(weights: dict[str, Tensor], name: str, features: Tensor, w: Tensor) -> Tensor:
    """The modulated convolution of one row: equations 1 to 3 of the paper, on the weights themselves."""
    kernel = weights[f"{name}.weight"]
    kernel = kernel / math.sqrt(kernel[0].numel()) * plain_dense(weights, f"{name}.affine", w).view(1, -1, 1, 1)
    if name.endswith("torgb"):
        return F.conv2d(features, kernel)
    kernel = kernel / (kernel.square().sum(dim=(1, 2, 3), keepdim=True) + 1e-8).sqrt()
    if name.endswith("conv1"):
        return F.conv2d(features, kernel, padding=1)
    grown = F.conv_transpose2d(features, kernel.transpose(0, 1), stride=2)
    return filtered(F.pad(grown, (1, 1, 1, 1)))


def filtered(padded: Tensor) -> Tensor:
    return F.conv2d(padded.flatten(0, 1)[:, None], 4 * FILTER[None, None]).unflatten(0, padded.shape[:2])[:, :, 0]


def plain_layer(weights: dict[str, Tensor], name: str, features: Tensor, w: Tensor, noise: Tensor | None) -> Tensor:
    rows = [plain_row(weights, name, one[None], own[None]) for one, own in zip(features, w, strict=True)]
    convolved, bias = torch.cat(rows), weights[f"{name}.bias"].view(1, -1, 1, 1)
    if name.endswith("torgb"):
        return convolved + bias
    noise = weights[f"{name}.noise_const"] if noise is None else noise
    return F.leaky_relu(convolved + noise * weights[f"{name}.noise_strength"] + bias, 0.2) * math.sqrt(2)


def plain_pictures(weights: dict[str, Tensor], w_plus: Tensor, noise: list[Tensor] | None = None) -> Tensor:
    features, picture = weights["synthesis.b4.const"].expand(len(w_plus), -1, -1, -1), torch.zeros(1)
    for rung in range(w_plus.shape[1] // 2):
        block = f"synthesis.b{4 << rung}"
        for index in (2 * rung - 1, 2 * rung) if rung else (0,):
            name, own = f"{block}.conv{1 - index % 2}", noise[index] if noise else None
            features = plain_layer(weights, name, features, w_plus[:, index], own)
        smaller = picture
        picture = plain_layer(weights, f"{block}.torgb", features, w_plus[:, 2 * rung + 1], None)
        if rung:
            spread = picture.new_zeros(picture.shape)
            spread[:, :, ::2, ::2] = smaller
            picture = picture + filtered(F.pad(spread, (2, 1, 2, 1)))
    return picture


@pytest.mark.parametrize(("resolution", "classes"), [(8, 0), (32, 3)])
def test_it_draws_what_the_published_network_draws(resolution: int, classes: int) -> None:
    original = make_stylegan2(resolution=resolution, classes=classes)
    checkpoint = nvlabs_layout(original)
    generator = StyleGAN2.from_checkpoint(checkpoint)
    assert generator.spec == original.spec
    z, condition = z_from_seeds(range(3), 6), one_hot([0, 2, 1], 3) if classes else None
    with torch.no_grad():
        w = plain_map(checkpoint, z, condition)
        expected = plain_pictures(checkpoint, w[:, None].expand(-1, generator.spec.layers, -1))
        for one in (generator, generator.freeze()):
            torch.testing.assert_close(one.map(z, condition)[:, 0], w, rtol=1e-5, atol=1e-6)
            assert (one(z, condition) - expected).abs().max() <= 1e-5 * expected.abs().max()
    assert torch.equal(generator.mean_w, checkpoint["mapping.w_avg"])


def test_each_layer_has_its_own_w_and_its_own_noise() -> None:
    generator = make_stylegan2(resolution=16).freeze()
    torch.manual_seed(1)
    w_plus, sides = torch.randn(2, generator.spec.layers, 7), [4, 8, 8, 16, 16]
    noise = torch.randn(2, sum(side * side for side in sides))
    assert generator.noise.shape == noise.shape[1:]
    parts = noise.split([side * side for side in sides], dim=1)
    each = [part.unflatten(1, (1, side, side)) for part, side in zip(parts, sides, strict=True)]
    expected = plain_pictures(nvlabs_layout(generator), w_plus, each)
    assert (generator.synthesise(w_plus, noise) - expected).abs().max() <= 1e-5 * expected.abs().max()
    own = generator.noise.expand(2, -1)
    assert torch.equal(generator.draw(w_plus, "w+", noise=own), generator.draw(w_plus, "w+"))


def test_the_layout_of_rosinality_is_the_same_network_but_for_the_mean() -> None:
    original = make_stylegan2(resolution=32).freeze()
    generator = StyleGAN2.from_checkpoint(rosinality_layout(original)).freeze()
    assert generator.spec == original.spec
    z = z_from_seeds(range(2), 6)
    assert torch.equal(generator(z), original(z))
    torch.testing.assert_close(generator.mean_w, original.encode(z_from_seeds(range(4096), 6), "w").mean(dim=0))


def test_the_layout_of_genforce_is_the_same_network() -> None:
    original = make_stylegan2(resolution=32).freeze()
    generator = StyleGAN2.from_checkpoint(genforce_layout(original)).freeze()
    assert generator.spec == original.spec
    z = z_from_seeds(range(2), 6)
    torch.testing.assert_close(generator(z), original(z))
    assert torch.equal(generator.mean_w, original.mean_w)


def test_the_layout_of_genforce_may_have_classes() -> None:
    original = make_stylegan2(resolution=8, classes=3)
    weights = StyleGAN2.from_checkpoint(genforce_layout(original)).state_dict()
    assert torch.equal(weights["mapping.embedding.weight"], original.mapping.embedding.weight)


def test_its_own_layout_is_read_too() -> None:
    generator = make_stylegan2(classes=2)
    again = StyleGAN2.from_checkpoint(generator.state_dict(), classes=2)
    assert again.freeze().digest == generator.freeze().digest
    with pytest.raises(GanError, match="of 3 classes: its mapping knows 2"):
        StyleGAN2.infer_spec(generator.state_dict(), classes=3)


def test_a_frozen_generator_thaws_with_training() -> None:
    generator = make_stylegan2().freeze()
    z = z_from_seeds(range(2), 6)
    before = generator(z)
    with torch.no_grad():
        for parameter in generator.train().parameters():
            parameter.mul_(2)
    assert not torch.allclose(generator(z), before, atol=1e-3)


def test_how_w_meets_the_synthesis_is_told_by_the_styles_of_layers_and_of_the_last_picture() -> None:
    generator = make_stylegan2(resolution=8)
    layout = nvlabs_layout(generator)
    named = [layout[f"synthesis.{place}.affine.weight"] for place in ("b4.conv1", "b8.conv0", "b8.conv1", "b8.torgb")]
    assert torch.equal(generator.style_weights(), torch.cat(named))
    assert torch.equal(generator.style_weights([1, 3]), torch.cat([named[1], named[3]]))


@pytest.mark.parametrize(
    ("layout", "change", "named"),
    [
        (nvlabs_layout, lambda c: c.pop("mapping.fc0.weight"), "mapping.layers.0.weight"),
        (nvlabs_layout, lambda c: c.pop("synthesis.b8.conv0.weight"), "synthesis.layers.1.weight is missing"),
        (nvlabs_layout, lambda c: c.update({"synthesis.b8.skip.weight": FILTER}), "synthesis.b8.skip.weight is"),
        (
            nvlabs_layout,
            lambda c: c.update({"synthesis.b8.resample_filter": FILTER.clone().fill_(1)}),
            "another filter",
        ),
        (rosinality_layout, lambda c: c.pop("style.1.weight"), "mapping.layers.0.weight"),
        (rosinality_layout, lambda c: c.pop("noises.noise_2"), "synthesis.layers.2.noise is missing"),
        (rosinality_layout, lambda c: c.update({"extra": FILTER}), r"extra is \(4, 4\), expected nothing"),
        (rosinality_layout, lambda c: c.update({"convs.0.conv.blur.kernel": FILTER[:2]}), "another filter"),
        (genforce_layout, lambda c: c.pop("mapping.dense0.weight"), "mapping.layers.0.weight"),
        (genforce_layout, lambda c: c.pop("synthesis.output1.bias"), "synthesis.colours.1.bias is missing"),
        (
            genforce_layout,
            lambda c: c.update({"synthesis.skip_layer0.weight": FILTER}),
            r"skip_layer0.weight is \(4, 4",
        ),
        (genforce_layout, lambda c: c.update({"mapping.label_weight": FILTER}), r"label_weight is \(4, 4"),
        (genforce_layout, lambda c: c["synthesis.layer1.filter.kernel"].fill_(1), "another filter"),
        (genforce_layout, lambda c: c["synthesis.upsample.kernel"].fill_(1), "another filter"),
    ],
)
def test_what_is_not_this_layout_is_refused_by_the_name_of_the_tensor(layout, change, named: str) -> None:
    checkpoint = layout(make_stylegan2())
    change(checkpoint)
    with pytest.raises(GanError, match=named):
        StyleGAN2.from_checkpoint(checkpoint)


LAYOUTS = {
    "nvlabs": nvlabs_layout(make_stylegan2(resolution=8, classes=2)),
    "rosinality": rosinality_layout(make_stylegan2(resolution=8)),
    "tensorflow": {
        name: tensor
        for name, tensor in tensorflow_layout(make_stylegan2(resolution=8, classes=2)).items()
        if "/" in name
    },
    "genforce": genforce_layout(make_stylegan2(resolution=8, classes=2)),
    "own": dict(make_stylegan2(resolution=8, classes=2).state_dict()),
}


@pytest.mark.parametrize(("layout", "name"), [(layout, name) for layout, names in LAYOUTS.items() for name in names])
@pytest.mark.parametrize("form", [(), (17,), (0, 3)])
def test_no_tensor_may_be_of_another_shape(layout: str, name: str, form: tuple[int, ...]) -> None:
    if LAYOUTS[layout][name].numel() != math.prod(form):
        with pytest.raises(GanError):
            StyleGAN2.from_checkpoint(LAYOUTS[layout] | {name: torch.zeros(form)})


def test_a_stylegan_of_the_same_sizes_is_another_generator() -> None:
    """So that a direction of one is never walked in the other: it names the digest."""
    first = GeneratorSpec("stylegan", 6, 0, 16, 3, CONFIG, spaces=make_spec().spaces, layers=6, w_size=7)
    assert build_generator(first).freeze().digest != make_stylegan2().freeze().digest
