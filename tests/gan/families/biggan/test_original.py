"""BigGAN: the published checkpoints, and what is drawn of them."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
import torch
from biggan import make_biggan
from golden import golden
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from latentwalk.gan.errors import GanError, InvalidLatent
from latentwalk.gan.families import build_generator, family_of
from latentwalk.gan.families.biggan import BigGAN
from latentwalk.gan.families.biggan.spectral import fold_iterated
from latentwalk.gan.spec import GeneratorSpec

PUBLISHED = golden("biggan")
CONFIG = {"channels": "16 16 16 @ 16", "embedding": 5, "hierarchical": True}
SPEC = GeneratorSpec("biggan", 12, 4, 32, 3, CONFIG)
# What was published, with the attention where it is best.
ARCHITECTURES = {
    128: ("1536 1536 768 384 192 @ 96", 120),
    256: ("1536 1536 768 768 384 @ 192 96", 140),
    512: ("1536 1536 768 768 384 @ 192 96 96", 128),
}


def tampered(change: Callable[[dict[str, Tensor]], object]) -> dict[str, Tensor]:
    checkpoint = dict(PUBLISHED.checkpoint)
    change(checkpoint)
    return checkpoint


def imported(checkpoint: Mapping[str, Tensor]) -> BigGAN:
    return BigGAN.from_checkpoint(checkpoint).freeze()


def test_it_draws_what_the_published_code_draws() -> None:
    expected = PUBLISHED.pictures[1.0]
    assert expected.std() > 0.2
    assert (make_biggan("biggan")(PUBLISHED.z, PUBLISHED.condition) - expected).abs().max() < 1e-5


def test_the_spec_is_read_off_the_shapes() -> None:
    weights = BigGAN.translate(PUBLISHED.checkpoint)
    assert BigGAN.infer_spec(weights) == BigGAN.infer_spec(weights, classes=4) == SPEC
    with pytest.raises(GanError, match="not a biggan of 5 classes: its embedding knows 4"):
        BigGAN.infer_spec(weights, classes=5)


def test_what_was_imported_can_be_imported_again() -> None:
    once = imported(PUBLISHED.checkpoint)
    assert imported(once.state_dict()).digest == once.digest


def test_it_knows_no_truncation() -> None:
    with pytest.raises(GanError, match="the family biggan knows none"):
        make_biggan("biggan", 0.5)


@pytest.mark.parametrize("resolution", ARCHITECTURES)
def test_what_was_published_is_found_again_in_its_shapes(resolution: int) -> None:
    channels, latent_size = ARCHITECTURES[resolution]
    config = {"channels": channels, "embedding": 128, "hierarchical": True}
    spec = GeneratorSpec("biggan", latent_size, 1_000, resolution, 3, config)
    with torch.device("meta"):
        generator = build_generator(spec)
    assert BigGAN.infer_spec(generator.state_dict()) == spec


# -- statistics of other ways of training ------------------------------------------------------------------------------


def renamed(statistics: Mapping[str, str], factor: float, **extra: Tensor) -> dict[str, Tensor]:
    """The golden checkpoint with its statistics multiplied and elsewhere, beside more tensors of the same level."""
    checkpoint: dict[str, Tensor] = {}
    for name, tensor in PUBLISHED.checkpoint.items():
        level, _, last = name.rpartition(".")
        if last in statistics:
            checkpoint[f"{level}.bn.{statistics[last]}"] = factor * tensor
            checkpoint.update({f"{level}.bn.{other}": one for other, one in extra.items()})
        else:
            checkpoint[name] = tensor
    return checkpoint


def test_standing_statistics_are_divided_by_their_number() -> None:
    own = {"stored_mean": "stored_mean", "stored_var": "stored_var"}
    expected = imported(PUBLISHED.checkpoint).digest
    assert imported(renamed(own, 16.0, accumulation_counter=torch.tensor([16.0]))).digest == expected
    assert imported(renamed(own, 1.0, accumulation_counter=torch.tensor([0.0]))).digest == expected


def test_statistics_of_training_on_several_devices_have_other_names() -> None:
    torchs = {"stored_mean": "running_mean", "stored_var": "running_var"}
    found = imported(renamed(torchs, 1.0, num_batches_tracked=torch.tensor(7)))
    assert found.digest == imported(PUBLISHED.checkpoint).digest


# -- spectral norms ----------------------------------------------------------------------------------------------------


def test_a_weight_is_divided_by_its_norm_after_one_step_of_the_power_method() -> None:
    torch.manual_seed(0)
    weight, guess = torch.randn(4, 3, 2, 2), torch.randn(1, 4)
    extra = {"a.sv0": torch.ones(1), "a.u1": torch.randn(1, 4), "a.sv1": torch.ones(1)}
    folded = fold_iterated({"a.weight": weight, "a.u0": guess, "a.bias": torch.ones(4), **extra}, 1e-6)
    assert folded.keys() == {"a.weight", "a.bias"}
    matrix = weight.flatten(1)
    right = matrix.T @ guess[0]
    sigma = (matrix @ right).norm() / right.norm()
    assert torch.allclose(folded["a.weight"], weight / sigma, rtol=1e-5)
    assert sigma < torch.linalg.matrix_norm(matrix, 2)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda c: c.pop("shared.weight"), "embedding.weight is missing"),
        (lambda c: c.pop("linear.weight"), "linear.weight is missing"),
        (lambda c: c.pop("blocks.0.0.bn1.gain.weight"), "blocks.0.0.bn1.gain.weight is missing"),
        (lambda c: c.pop("blocks.1.0.conv1.weight"), "blocks.1.0.conv1.weight is missing"),
        (lambda c: c.pop("blocks.1.0.bn2.stored_var"), "blocks.1.bn2.stored_var is missing"),
        (lambda c: c.pop("blocks.1.1.gamma"), "blocks.1.attention.g.weight is .*, expected nothing"),
        (lambda c: c.update({"linear.u0": torch.ones(1, 3)}), r"linear.u0 is \(1, 3\), expected"),
        (lambda c: c.update({"linear.weight": torch.ones(3)}), r"linear.weight is \(3,\)"),
        (
            lambda c: c.update({"output_layer.0.gain": torch.ones(3)}),
            r"output_layer.0.gain is \(3,\), expected \(16,\)",
        ),
        (lambda c: c.update({"blocks.2.0.bn3.bias.weight": torch.ones(1)}), "blocks.2.bn3.bias.weight is"),
        (lambda c: c.clear(), "embedding.weight is missing"),
    ],
)
def test_what_is_not_this_layout_is_refused_by_the_name_of_the_tensor(change, named: str) -> None:
    with pytest.raises(GanError, match=named):
        imported(tampered(change))


FORMS = [(), (0,), (2,), (2, 2), (1, 1, 1, 1), (1, 1, 1, 1, 1)]


@pytest.mark.parametrize(
    ("published", "family"),
    [("biggan", "biggan"), ("biggan_deep", "biggan_deep"), ("biggan_deep_ajbrock", "biggan_deep")],
)
@given(data=st.data())
def test_a_tensor_of_any_other_shape_is_refused_as_such(published: str, family: str, data: st.DataObject) -> None:
    checkpoint = dict(golden(published).checkpoint)
    used = [name for name in checkpoint if not name.endswith(".sv0")]
    name, shape = data.draw(st.sampled_from(used)), data.draw(st.sampled_from(FORMS))
    assume(shape != checkpoint[name].shape)
    checkpoint[name] = torch.ones(shape)
    with pytest.raises(GanError):
        family_of(family).from_checkpoint(checkpoint)


# -- the network -------------------------------------------------------------------------------------------------------


def test_each_part_of_a_hierarchical_z_is_told_to_a_layer_of_its_own() -> None:
    generator, z, condition = make_biggan("biggan"), PUBLISHED.z[:1], PUBLISHED.condition[:1]
    first = generator.first_features(z, condition)
    for part in range(4):
        moved = z.clone()
        moved[:, 3 * part : 3 * part + 3] += 1
        assert (generator(moved, condition) - generator(z, condition)).abs().max() > 0.01
        assert torch.equal(generator.first_features(moved, condition), first) == (part > 0)


def test_the_first_weights_tell_of_all_parts_of_z() -> None:
    weights = make_biggan("biggan").first_weights()
    told = 3 * 2 * (16 + 16)
    assert weights.shape == (16 * 16 + told, 12)
    assert torch.equal(weights != 0, torch.block_diag(torch.ones(256, 3), *[torch.ones(64, 3)] * 3) != 0)


@pytest.mark.parametrize("hierarchical", [True, False])
def test_the_first_features_follow_from_the_first_weights(*, hierarchical: bool) -> None:
    torch.manual_seed(0)
    generator = build_generator(replace(SPEC, config={**CONFIG, "hierarchical": hierarchical})).freeze()
    z, condition = PUBLISHED.z, PUBLISHED.condition
    moved = generator.first_features(z + 1, condition) - generator.first_features(z, condition)
    assert torch.allclose(moved, generator.first_weights()[:256].sum(dim=1).expand(3, -1), atol=1e-5)


def test_a_mixture_of_classes_is_a_picture_of_its_own_and_a_condition_is_required() -> None:
    generator, z = make_biggan("biggan"), PUBLISHED.z[:1].expand(3, -1)
    conditions = torch.tensor([[1.0, 0, 0, 0], [0, 1.0, 0, 0], [0.5, 0.5, 0, 0]])
    one, other, mixed = generator(z, conditions)
    assert min((mixed - one).abs().max(), (mixed - other).abs().max()) > 0.01
    with pytest.raises(InvalidLatent, match="none was given to a generator of 4 classes"):
        generator(z)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"config": {}}, "config of a biggan"),
        ({"config": {**CONFIG, "width": 4}}, "config of a biggan"),
        ({"config": {**CONFIG, "channels": "16"}}, "config of a biggan"),
        ({"config": {**CONFIG, "channels": "16 @ 16 16 16"}}, "config of a biggan"),
        ({"config": {**CONFIG, "channels": "16 16 0 16"}}, "config of a biggan"),
        ({"config": {**CONFIG, "embedding": 0}}, "config of a biggan"),
        ({"config": {**CONFIG, "hierarchical": 1}}, "config of a biggan"),
        ({"config": {**CONFIG, "channels": "16 16 4 @ 16"}}, "has 4 channels: it needs at least 8"),
        ({"resolution": 64}, "its 3 blocks draw 32"),
        ({"classes": 0}, "needs at least 1"),
        ({"latent_size": 13}, "must be 4 equal parts"),
    ],
)
def test_a_spec_that_is_none_of_a_biggan_is_refused(changes: dict, said: str) -> None:
    with pytest.raises(GanError, match=said):
        build_generator(replace(SPEC, **changes))


@given(st.lists(st.tuples(st.integers(8, 40), st.booleans()), min_size=2, max_size=4), st.booleans())
@settings(max_examples=10)
def test_any_plan_draws_and_is_found_again_in_its_shapes(rungs: list[tuple[int, bool]], hierarchical: bool) -> None:
    channels = " ".join(f"{count}{' @' if mark and place else ''}" for place, (count, mark) in enumerate(rungs))
    config = {"channels": channels, "embedding": 5, "hierarchical": hierarchical}
    spec = GeneratorSpec("biggan", 3 * len(rungs), 4, 4 << (len(rungs) - 1), 3, config)
    with torch.device("meta"):
        generator = build_generator(spec)
        pictures = generator(torch.zeros(2, spec.latent_size), torch.zeros(2, 4))
    assert pictures.shape == (2, 3, spec.resolution, spec.resolution)
    assert BigGAN.infer_spec(generator.state_dict()) == spec
