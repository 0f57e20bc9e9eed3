"""StyleGAN2 in the layout of NVlabs' code for TensorFlow, against what that code draws, written out on its variables.

There an image is [N, C, H, W] and a kernel [H, W, inputs, outputs], which slides over it as it is (tf.nn.conv2d).
"""

import math

import pytest
import torch
from stylegan2_layouts import FILTER, make_stylegan2, tensorflow_layout
from torch import Tensor
from torch.nn import functional as F

from latentwalk.gan.errors import GanError
from latentwalk.gan.families.stylegan import StyleGAN
from latentwalk.gan.families.stylegan2 import StyleGAN2
from latentwalk.gan.latents import one_hot, z_from_seeds


def plain_dense(code: Tensor, weight: Tensor, bias: Tensor, rate: float = 1.0) -> Tensor:
    return code @ weight * (rate / math.sqrt(len(weight))) + bias * rate


def plain_map(variables: dict[str, Tensor], z: Tensor, condition: Tensor | None) -> Tensor:
    def dense(name: str, code: Tensor, rate: float = 1.0) -> Tensor:
        return plain_dense(code, variables[f"mapping/{name}/weight"], variables[f"mapping/{name}/bias"], rate)

    parts = [z] if condition is None else [z, dense("LabelEmbed", condition)]
    code = torch.cat([part / (part.square().mean(dim=1, keepdim=True) + 1e-8).sqrt() for part in parts], dim=1)
    for index in range(3):
        code = F.leaky_relu(dense(f"Dense{index}", code, 0.01), 0.2) * math.sqrt(2)
    return code


def slid(picture: Tensor, kernel: Tensor) -> Tensor:
    """tf.nn.conv2d without padding: the sum over a window of pixels times the numbers of the kernel, as they lie."""
    height, width, _, _ = kernel.shape
    windows = picture.unfold(2, height, 1).unfold(3, width, 1)
    return torch.einsum("nchwyx,yxco->nohw", windows, kernel)


def doubled(features: Tensor, before: int, after: int) -> Tensor:
    """Zeros between the pixels and around them, then the filter of [1, 3, 3, 1] either way, at the gain of 4."""
    spread = torch.zeros(*features.shape[:2], 2 * features.shape[2], 2 * features.shape[3])
    spread[:, :, ::2, ::2] = features
    padded = F.pad(spread, (before, after, before, after))
    return torch.stack(
        [slid(padded[:, [one]], 4 * FILTER[:, :, None, None])[:, 0] for one in range(padded.shape[1])], 1
    )


def plain_layer(variables: dict[str, Tensor], name: str, features: Tensor, w: Tensor, noise: Tensor | None) -> Tensor:
    """Karras et al. 2020, equations 1 to 3, of one row."""
    part = {part: variables[f"synthesis/{name}/{part}"] for part in ("weight", "bias", "mod_weight", "mod_bias")}
    style = plain_dense(w, part["mod_weight"], part["mod_bias"]) + 1
    kernel = part["weight"] / math.sqrt(part["weight"][..., 0].numel()) * style.view(1, 1, -1, 1)
    if name.endswith("ToRGB"):
        return slid(features, kernel) + part["bias"].view(1, -1, 1, 1)
    kernel = kernel / (kernel.square().sum(dim=(0, 1, 2), keepdim=True) + 1e-8).sqrt()
    # To double and then to convolve is what their one step of both is, but for pixels beyond the edge: these are kept.
    wider = doubled(features, 3, 2) if name.endswith("Conv0_up") else F.pad(features, (1, 1, 1, 1))
    disturbed = slid(wider, kernel) + noise * variables[f"synthesis/{name}/noise_strength"]
    return F.leaky_relu(disturbed + part["bias"].view(1, -1, 1, 1), 0.2) * math.sqrt(2)


def plain_picture(variables: dict[str, Tensor], w: Tensor) -> Tensor:
    features, picture = variables["synthesis/4x4/Const/const"], torch.zeros(1, 3, 2, 2)
    rungs = sum(name.endswith("ToRGB/weight") for name in variables)
    for rung in range(rungs):
        scope = f"{4 << rung}x{4 << rung}"
        for index, place in [(2 * rung - 1, "Conv0_up"), (2 * rung, "Conv1")] if rung else [(0, "Conv")]:
            features = plain_layer(variables, f"{scope}/{place}", features, w, variables[f"synthesis/noise{index}"])
        picture = doubled(picture, 2, 1) + plain_layer(variables, f"{scope}/ToRGB", features, w, None)
    return picture


@pytest.mark.parametrize(("resolution", "classes"), [(8, 0), (32, 3)])
def test_it_draws_what_the_published_network_draws(resolution: int, classes: int) -> None:
    original = make_stylegan2(resolution=resolution, classes=classes)
    variables = tensorflow_layout(original)
    generator = StyleGAN2.from_checkpoint(variables).freeze()
    assert generator.spec == original.spec
    z, condition = z_from_seeds(range(2), 6), one_hot([0, 2], 3) if classes else None
    with torch.no_grad():
        w = plain_map(variables, z, condition)
        expected = torch.cat([plain_picture(variables, row[None]) for row in w])
    torch.testing.assert_close(generator.map(z, condition)[:, 0], w, rtol=1e-5, atol=1e-6)
    assert (generator(z, condition) - expected).abs().max() <= 1e-5 * expected.abs().max()
    assert torch.equal(generator.mean_w, variables["dlatent_avg"])


def test_what_was_before_comes_back() -> None:
    original = make_stylegan2(resolution=16, classes=2)
    again = StyleGAN2.from_checkpoint(tensorflow_layout(original)).state_dict()
    for name, tensor in original.state_dict().items():
        # Of the styles' biases 1 is taken and given back, which rounds.
        torch.testing.assert_close(again[name], tensor, rtol=0, atol=1e-6 if name.endswith("style.bias") else 0)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda c: c.pop("mapping/Dense0/weight"), "mapping.layers.0.weight is missing"),
        (lambda c: c.pop("synthesis/8x8/Conv0_up/weight"), "synthesis.layers.1.weight is missing"),
        (lambda c: c.pop("synthesis/noise2"), "synthesis.layers.2.noise is missing"),
        (lambda c: c.pop("dlatent_avg"), "mean is missing"),
        # Of residual networks, and of those that grew, which have one layer of colours or none of these names.
        (lambda c: c.update({"synthesis/8x8/Skip/weight": FILTER}), r"synthesis/8x8/Skip/weight is \(4, 4\)"),
        (lambda c: c.pop("synthesis/4x4/ToRGB/weight"), "synthesis.colours.0.weight is missing"),
        (lambda c: c.update({"synthesis/4x4/Conv0_up/bias": FILTER}), r"synthesis.layers.-1.bias is \(4, 4\)"),
        (lambda c: c.update({"mapping/LabelConcat/weight": FILTER}), "joins classes to z before both are normalised"),
    ],
)
def test_what_is_not_this_layout_is_refused_by_the_name_of_the_tensor(change, named: str) -> None:
    checkpoint = tensorflow_layout(make_stylegan2())
    change(checkpoint)
    with pytest.raises(GanError, match=named):
        StyleGAN2.from_checkpoint(checkpoint)


def test_it_is_not_taken_for_the_first_stylegan() -> None:
    with pytest.raises(GanError, match=r"not a stylegan: .* is missing among dlatent_avg, lod, mapping/Dense0"):
        StyleGAN.from_checkpoint(tensorflow_layout(make_stylegan2()))
