"""BigGAN-deep: the published checkpoints, what is drawn of them, and the statistics by truncation."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
import torch
from biggan import make_biggan
from golden import golden
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from latentwalk.gan.errors import GanError, InvalidLatent, OutOfRange
from latentwalk.gan.families import build_generator
from latentwalk.gan.families.biggan import BigGANDeep
from latentwalk.gan.families.biggan.bottleneck import at_truncation
from latentwalk.gan.families.biggan.layers import normalised
from latentwalk.gan.families.biggan.plan import Plan
from latentwalk.gan.families.biggan.spectral import fold_stored
from latentwalk.gan.latents import one_hot
from latentwalk.gan.spec import GeneratorSpec

PUBLISHED = golden("biggan_deep")
SPEC = GeneratorSpec("biggan_deep", 4, 4, 16, 3, {"width": 4, "blocks": "8 4^ @ 2 1^"}, truncation=1.0)
# The plans of what was published, with their resolutions.
PLANS = {
    128: "16 16^ 16 8^ 8 4^ 4 2^ @ 2 1^",
    256: "16 16^ 16 8^ 8 8^ 8 4^ @ 4 2^ 2 1^",
    512: "16 16^ 16 8^ 8 8^ 8 4^ @ 4 2^ 2 1^ 1 1^",
}


def tampered(change: Callable[[dict[str, Tensor]], object]) -> dict[str, Tensor]:
    checkpoint = dict(PUBLISHED.checkpoint)
    change(checkpoint)
    return checkpoint


def imported(checkpoint: Mapping[str, Tensor]) -> BigGANDeep:
    return BigGANDeep.from_checkpoint(checkpoint).freeze()


# -- published checkpoints ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("truncation", PUBLISHED.pictures)
def test_it_draws_what_the_published_code_draws(truncation: float) -> None:
    pictures = make_biggan("biggan_deep", truncation)(PUBLISHED.z, PUBLISHED.condition)
    expected = PUBLISHED.pictures[truncation]
    assert expected.std() > 0.2
    assert (pictures - expected).abs().max() < 1e-5


def test_the_spec_is_read_off_the_shapes() -> None:
    weights = BigGANDeep.translate(PUBLISHED.checkpoint)
    assert BigGANDeep.infer_spec(weights) == BigGANDeep.infer_spec(weights, classes=4) == SPEC
    with pytest.raises(GanError, match="not a biggan_deep of 5 classes: its embedding knows 4"):
        BigGANDeep.infer_spec(weights, classes=5)


def test_what_was_imported_can_be_imported_again() -> None:
    once = imported(PUBLISHED.checkpoint)
    assert imported(once.state_dict()).digest == once.digest


def test_a_truncation_is_of_the_spec_and_the_digest_and_not_of_the_weights() -> None:
    half, whole = (make_biggan("biggan_deep", truncation) for truncation in (0.5, None))
    assert (half.spec, whole.spec) == (replace(SPEC, truncation=0.5), SPEC)
    assert half.digest != whole.digest
    assert all(torch.equal(one, whole.state_dict()[name]) for name, one in half.state_dict().items())


@pytest.mark.parametrize("resolution", PLANS)
def test_the_published_plans_are_those_that_their_shapes_show(resolution: int) -> None:
    spec = replace(SPEC, resolution=resolution, config={"width": 4, "blocks": PLANS[resolution]})
    with torch.device("meta"):
        generator = build_generator(spec)
    assert BigGANDeep.infer_spec(generator.state_dict()) == spec


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda c: c.pop("embeddings.weight"), "embeddings.weight is missing"),
        (lambda c: c.pop("generator.bn.weight"), "bn.weight is missing"),
        (lambda c: c.pop("generator.conv_to_rgb.weight_orig"), "conv_to_rgb.weight is missing"),
        (lambda c: c.pop("generator.layers.3.conv_3.weight_orig"), "layers.3.conv_3.weight is missing"),
        (lambda c: c.pop("generator.layers.1.bn_2.running_vars"), "layers.1.bn_2.running_vars is missing"),
        (lambda c: c.pop("generator.layers.1.bn_2.scale.weight_v"), "layers.1.bn_2.scale.weight_v is missing"),
        (lambda c: c.update({"generator.gen_z.weight_u": torch.ones(3)}), r"gen_z.weight_u is \(3,\), expected"),
        (lambda c: c.update({"generator.gen_z.weight_orig": torch.ones(3)}), r"gen_z.weight_orig is \(3,\)"),
        (lambda c: c.update({"generator.bn.running_means": torch.ones(50, 4)}), r"bn.running_means is \(50, 4\)"),
        (lambda c: c.update({"generator.bn.weight": torch.ones(0)}), "width of a biggan_deep is 0"),
        (lambda c: c.update({"generator.conv_to_rgb.bias": torch.tensor(1.0)}), "conv_to_rgb.bias is"),
        (lambda c: c.update({"generator.layers.2.beta": torch.ones(1)}), "layers.2.beta is .*, expected nothing"),
        (lambda c: c.clear(), "embeddings.weight is missing"),
    ],
)
def test_what_is_not_this_layout_is_refused_by_the_name_of_the_tensor(change, named: str) -> None:
    with pytest.raises(GanError, match=named):
        imported(tampered(change))


def test_folded_spectral_norms_are_those_of_torch() -> None:
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(3, 5, 3), nn.Linear(7, 4, bias=False))
    for layer in layers:
        nn.utils.spectral_norm(layer, eps=1e-4)
    checkpoint = {name: tensor.clone() for name, tensor in layers.eval().state_dict().items()}
    folded = fold_stored(checkpoint)
    assert folded.keys() == {"0.weight", "0.bias", "1.weight"}
    for place, inputs in enumerate((torch.randn(2, 3, 4, 4), torch.randn(2, 7))):
        layers[place](inputs)
        assert torch.allclose(folded[f"{place}.weight"], layers[place].weight, rtol=1e-5)


# -- statistics by truncation ------------------------------------------------------------------------------------------

ENTRIES = torch.arange(51.0)[:, None] ** 2


@pytest.mark.parametrize("entry", range(1, 51))
def test_a_truncation_on_the_grid_is_its_own_entry_however_it_was_rounded(entry: int) -> None:
    for truncation in (entry / 50, float(f"{entry * 0.02:.2f}"), entry * 0.02, sum([0.02] * entry)):
        assert at_truncation(ENTRIES, truncation).item() == entry**2


@given(st.floats(0.001, 0.999))
def test_between_two_entries_it_is_what_lies_on_the_line_between(truncation: float) -> None:
    place = truncation * 50
    below = int(place)
    expected = below**2 + (place - below) * ((below + 1) ** 2 - below**2)
    assert at_truncation(ENTRIES, truncation).item() == pytest.approx(expected, rel=1e-5)


def test_pictures_change_with_the_truncation_and_steadily_between_entries() -> None:
    low, between, high = (make_biggan("biggan_deep", t)(PUBLISHED.z, PUBLISHED.condition) for t in (0.4, 0.403, 0.42))
    assert (low - high).abs().mean() > 0.01
    assert (low - between).abs().mean() < (high - between).abs().mean()


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 1e-2)])
def test_a_normalisation_is_that_of_the_formula_in_either_precision(dtype: torch.dtype, tolerance: float) -> None:
    torch.manual_seed(0)
    features, gain, offset = torch.randn(2, 3, 4, 4), torch.randn(2, 3), torch.randn(2, 3)
    mean, variance = torch.randn(3), torch.tensor([1e-3, 0.0, 2.0])
    inputs = [one.to(dtype) for one in (features, mean, variance, gain, offset)]
    found = normalised(*inputs, 1e-4)
    features, mean, variance, gain, offset = (one.double() for one in inputs)
    scaled = (features - mean[:, None, None]) / (variance + 1e-4).sqrt()[:, None, None] * gain[..., None, None]
    assert found.dtype == dtype
    # Against the size of the parts that are added, for they may cancel.
    size = scaled.abs() + (mean * (variance + 1e-4).rsqrt() * gain)[..., None, None].abs() + 1
    assert ((found.double() - scaled - offset[..., None, None]).abs() / size).max() < tolerance


# -- the network -------------------------------------------------------------------------------------------------------


def test_a_mixture_of_classes_is_a_picture_of_its_own() -> None:
    generator, z = make_biggan(), torch.ones(1, 4)
    with torch.no_grad():
        one, other, mixed = (generator(z, c) for c in (*one_hot([0, 1], 4)[:, None], torch.tensor([[0.5, 0.5, 0, 0]])))
    assert min((mixed - one).abs().max(), (mixed - other).abs().max()) > 0.01


def test_the_first_layer_tells_of_z_what_the_network_computes_of_it() -> None:
    generator, condition = make_biggan(), PUBLISHED.condition
    weights = generator.first_weights()
    assert weights.shape == (4 * 4 * 16 * 4, 4)
    moved = generator.first_features(PUBLISHED.z + 1, condition) - generator.first_features(PUBLISHED.z, condition)
    assert torch.allclose(moved, weights.sum(dim=1).expand(3, -1), atol=1e-5)


def test_a_condition_is_required() -> None:
    with pytest.raises(InvalidLatent, match="none was given to a generator of 4 classes"):
        make_biggan()(torch.zeros(1, 4))


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"config": {"width": 4}}, GanError, "config of a biggan_deep"),
        ({"config": {"width": "4", "blocks": "1^"}}, GanError, "config of a biggan_deep"),
        ({"config": {"width": 4, "blocks": 4}}, GanError, "config of a biggan_deep"),
        ({"config": {"width": 4, "blocks": "8 4^ @ 2  1^"}}, GanError, "must be words"),
        ({"config": {"width": 4, "blocks": "8 4^ ^ 2 1^"}}, GanError, "must be words"),
        ({"config": {"width": 4, "blocks": "8 4^ @ 2 2^"}}, GanError, "must fall from 16 to 1"),
        ({"config": {"width": 4, "blocks": "8 9^ @ 2 1^"}}, GanError, "must fall from 16 to 1"),
        ({"config": {"width": 4, "blocks": "8 4^ 2 @ 1^ @"}}, GanError, "has 4 channels: it needs at least 8"),
        ({"config": {"width": 1, "blocks": "8 4^ 2 1^"}}, GanError, "width of a biggan_deep is 1"),
        ({"config": {"width": 0, "blocks": "8 4^ 2 1^"}}, OutOfRange, "width"),
        ({"resolution": 32}, GanError, "its blocks draw 16"),
        ({"classes": 0}, GanError, "needs at least 1"),
        ({"truncation": None}, GanError, "truncation of a biggan_deep is not said"),
    ],
)
def test_a_spec_that_is_none_of_a_biggan_deep_is_refused(changes: dict, error: type[GanError], said: str) -> None:
    with pytest.raises(error, match=said):
        build_generator(replace(SPEC, **changes))


@given(
    st.integers(4, 9),
    st.lists(st.sampled_from([16, 8, 4, 2]), min_size=1, max_size=3).map(lambda sizes: sorted(sizes, reverse=True)),
    st.integers(0, 4),
)
@settings(max_examples=10)
def test_any_plan_draws_and_is_found_again_in_its_shapes(width: int, sizes: list[int], attention: int) -> None:
    words = [f"{size}{'^' if place % 2 else ''}" for place, size in enumerate([*sizes, 1])]
    if attention < len(words):
        words.insert(attention, "@")
    plan = Plan(width, tuple(words))
    with torch.device("meta"):
        generator = build_generator(replace(SPEC, resolution=plan.resolution, config=plan.config))
        pictures = generator(torch.zeros(2, 4), torch.zeros(2, 4))
    assert pictures.shape == (2, 3, plan.resolution, plan.resolution)
    assert BigGANDeep.infer_spec(generator.state_dict()) == generator.spec
