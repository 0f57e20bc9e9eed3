"""Progressive GAN: the published checkpoints, and what is drawn of them."""

import math
import re
from collections.abc import Callable, Mapping

import pytest
import torch
from golden import golden
from torch import Tensor
from torch.nn import functional as F

from latentwalk.gan.errors import GanError, InvalidLatent, OutOfRange
from latentwalk.gan.families import build_generator
from latentwalk.gan.families.progan import ProGAN
from latentwalk.gan.latents import one_hot, z_from_seeds
from latentwalk.gan.spec import GeneratorSpec

LAYOUTS = ["progan_tensorflow", "progan_genforce", "progan_gan_zoo", "progan_ptrblck"]
# How far it has grown, and the layers that drew smaller pictures before: left out.
SMALLER = r"lod$|ToRGB_lod[12]/|output[01]\.|toRGBLayers\.[01]\."
CONFIG = {"width": 4, "max_width": 8}


def make_spec(resolution: int = 16, classes: int = 0, config: dict | None = None) -> GeneratorSpec:
    return GeneratorSpec("progan", 6, classes, resolution, 3, CONFIG if config is None else config)


def build(**spec) -> ProGAN:
    """One of which every weight has a say, also those that are zero before training."""
    torch.manual_seed(0)
    generator = build_generator(make_spec(**spec))
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    assert isinstance(generator, ProGAN)
    return generator


def published(layout: str) -> tuple[dict[str, Tensor], int]:
    """A checkpoint, and how many classes it has."""
    known = golden(layout)
    return dict(known.checkpoint), 0 if known.condition is None else known.condition.shape[1]


def interfacegan_layout(checkpoint: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What genforce has in the names of the code of InterFaceGAN, which knows no other difference."""
    names = {"weight": "conv.weight", "bias": "wscale.bias"}
    parted = {name: name.rpartition(".") for name in checkpoint}
    return {f"{where}{dot}{names.get(part, part)}": checkpoint[name] for name, (where, dot, part) in parted.items()}


def unfused_layout(checkpoint: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What the code for TensorFlow has if it doubles before it convolves, which is another form of the same kernel."""
    return {
        name.replace("Conv0_up", "Conv0"): tensor.permute(0, 1, 3, 2).flip(0, 1)
        if name.endswith("Conv0_up/weight")
        else tensor
        for name, tensor in checkpoint.items()
    }


def plain(weights: Mapping[str, Tensor], z: Tensor, condition: Tensor | None, resolution: int) -> Tensor:
    """As the paper has it, step by step; its first layer is a matrix of which the gain is that of a 4x4 kernel."""

    def pixel_norm(x: Tensor) -> Tensor:
        return x / (x.square().mean(dim=1, keepdim=True) + 1e-8).sqrt()

    def convolve(x: Tensor, index: int) -> Tensor:
        weight = weights[f"layers.{index}.source.weight"]
        return F.conv2d(x, weight * math.sqrt(2 / (9 * weight.shape[1])), padding=1)

    x = pixel_norm(z if condition is None else torch.cat([z, condition], dim=1))
    dense = weights["layers.0.source.weight"]
    x = (x @ (dense * math.sqrt(2 / (16 * dense.shape[1]))).T).view(len(x), -1, 4, 4)
    for index in range(2 * resolution.bit_length() - 4):
        if index:
            x = convolve(F.interpolate(x, scale_factor=2) if index % 2 == 0 else x, index)
        x = pixel_norm(F.leaky_relu(x + weights[f"layers.{index}.bias"], 0.2))
    colours = weights["colours.weight"]
    return F.conv2d(x, colours / math.sqrt(colours.shape[1]), weights["colours.bias"])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_it_draws_what_the_published_code_draws(layout: str) -> None:
    known = golden(layout)
    generator = ProGAN.from_checkpoint(*published(layout)).freeze()
    assert known.pictures[1.0].std() > 0.2
    assert (generator(known.z, known.condition) - known.pictures[1.0]).abs().max() < 2e-5


@pytest.mark.parametrize(
    ("layout", "other"), [("progan_tensorflow", unfused_layout), ("progan_genforce", interfacegan_layout)]
)
def test_the_other_form_of_a_layout_is_the_same_generator(
    layout: str, other: Callable[[Mapping[str, Tensor]], dict[str, Tensor]]
) -> None:
    checkpoint, classes = published(layout)
    assert other(checkpoint).keys() != checkpoint.keys()
    read = ProGAN.from_checkpoint(other(checkpoint), classes)
    assert read.digest == ProGAN.from_checkpoint(checkpoint, classes).digest


@pytest.mark.parametrize("classes", [0, 2])
@pytest.mark.parametrize("resolution", [8, 32])
def test_it_draws_what_the_paper_says(resolution: int, classes: int) -> None:
    generator = build(resolution=resolution, classes=classes)
    z, condition = z_from_seeds(range(4), 6), one_hot([0, 1, 1, 0], classes) if classes else None
    expected = plain(generator.state_dict(), z, condition, resolution)
    with torch.no_grad():
        torch.testing.assert_close(generator(z, condition), expected, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(generator.freeze()(z, condition), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_spec_is_read_off_the_shapes_and_what_was_imported_can_be_imported_again(layout: str) -> None:
    checkpoint, classes = published(layout)
    once = ProGAN.from_checkpoint(checkpoint, classes)
    assert once.spec == make_spec(classes=classes, config=once.spec.config)
    assert ProGAN.from_checkpoint(once.state_dict(), classes).digest == once.digest


def test_the_shapes_of_the_published_celebrities_are_understood() -> None:
    spec = GeneratorSpec("progan", 512, 0, 1_024, 3, {"width": 16, "max_width": 512})
    with torch.device("meta"):
        generator = build_generator(spec)
    assert ProGAN.infer_spec(generator.state_dict()) == spec
    # Table 2 of the paper.
    assert round(sum(parameter.numel() for parameter in generator.parameters()) / 1e6, 1) == 23.1


def test_only_the_direction_of_a_latent_has_a_say() -> None:
    generator, z = build().freeze(), z_from_seeds(range(2), 6)
    torch.testing.assert_close(generator(z), generator(3 * z))
    assert ProGAN.normalises_z


def test_a_thawed_generator_follows_its_weights() -> None:
    generator, z = build().freeze(), z_from_seeds([1], 6)
    before = generator(z)
    generator.thaw()
    with torch.no_grad():
        generator.get_parameter("layers.2.source.weight").mul_(-1)
        assert not torch.allclose(generator(z), before)


def test_its_first_layer_is_told_by_weights_and_features() -> None:
    generator = build(classes=2)
    z, condition = z_from_seeds(range(3), 6), one_hot([0, 1, 1], 2)
    assert torch.equal(generator.first_weights(), generator.state_dict()["layers.0.source.weight"][:, :6])
    features = generator.first_features(z, condition)
    assert features.shape == (3, 16 * 8)
    torch.testing.assert_close(features.view(3, 8, 16).square().mean(dim=1), torch.ones(3, 16))


@pytest.mark.parametrize("layout", ["progan_tensorflow", "progan_genforce"])
def test_one_that_has_not_grown_yet_is_refused(layout: str) -> None:
    checkpoint, classes = published(layout)
    with pytest.raises(GanError, match=r"not a progan that has grown: its lod is 1\.5, at its full resolution it is 0"):
        ProGAN.from_checkpoint(checkpoint | {"lod": torch.tensor(1.5)}, classes)


@pytest.mark.parametrize("scale", [1e-3, -2.0])
def test_the_scale_that_ptrblck_has_beside_a_weight_is_a_factor_of_it(scale: float) -> None:
    checkpoint, _ = published("progan_ptrblck")
    moved = checkpoint | {
        "features.2.wscale.scale": checkpoint["features.2.wscale.scale"] * scale,
        "features.2.conv.weight": checkpoint["features.2.conv.weight"] / scale,
    }
    z = z_from_seeds(range(2), 6)
    expected = ProGAN.from_checkpoint(checkpoint).freeze()(z)
    torch.testing.assert_close(ProGAN.from_checkpoint(moved).freeze()(z), expected, rtol=1e-4, atol=1e-5)


def test_a_layer_without_its_scale_is_refused_by_name() -> None:
    checkpoint, _ = published("progan_ptrblck")
    del checkpoint["output.wscale.scale"]
    with pytest.raises(GanError, match=r"not a progan: output\.wscale\.scale is missing, expected \(1,\)"):
        ProGAN.from_checkpoint(checkpoint)


def test_classes_that_genforce_joins_to_what_is_normalised_are_refused() -> None:
    with pytest.raises(GanError, match="genforce normalises z before it joins classes"):
        ProGAN.from_checkpoint(published("progan_genforce")[0], 2)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("form", ["missing", "a number", "another shape"])
def test_a_tensor_that_is_missing_or_of_another_shape_is_refused(layout: str, form: str) -> None:
    checkpoint, classes = published(layout)
    for name in checkpoint:
        broken = dict(checkpoint)
        if form == "missing":
            del broken[name]
        else:
            broken[name] = torch.zeros(()) if form == "a number" else torch.zeros(17)
        if re.match(SMALLER, name):
            ProGAN.from_checkpoint(broken, classes)
        else:
            with pytest.raises(GanError):
                ProGAN.from_checkpoint(broken, classes)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_tensor_that_the_layout_does_not_know_is_refused_by_its_name(layout: str) -> None:
    checkpoint, classes = published(layout)
    with pytest.raises(GanError, match=r"own/thing is \(1,\), expected nothing"):
        ProGAN.from_checkpoint(checkpoint | {"own/thing": torch.zeros(1)}, classes)


@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ({"resolution": 24}, "resolution of a progan is 24: it must be a power of two"),
        ({"config": {"width": 4}}, "config of a progan is .*: it must have width, max_width"),
        ({"config": CONFIG | {"width": 4.0}}, "width of a progan is 4.0: it must be an integer"),
    ],
)
def test_a_spec_that_none_has_is_refused(spec: dict, named: str) -> None:
    with pytest.raises(GanError, match=named):
        build(**spec)


def test_a_width_out_of_range_and_a_missing_condition_are_refused() -> None:
    with pytest.raises(OutOfRange, match="max_width of a progan"):
        build(config=CONFIG | {"max_width": 0})
    with pytest.raises(InvalidLatent, match="none was given to a generator of 2 classes"):
        build(classes=2)(torch.zeros(1, 6))
