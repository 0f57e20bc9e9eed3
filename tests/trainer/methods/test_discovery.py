"""Directions found by telling them apart: what is shown, what is asked, what is measured, and what is published."""

import math
from base64 import b64decode
from dataclasses import replace
from io import BytesIO

import pytest
import torch
from dcgan import settled
from PIL import Image
from styled import make_styled
from torch.nn import functional as F

from latentwalk.gan.classifiers import ClassifierSpec, build_classifier
from latentwalk.gan.families import build_generator
from latentwalk.gan.images import to_uint8
from latentwalk.gan.latents import z_from_seeds
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.trainer import seeds
from latentwalk.trainer.checkpoint import Checkpoints
from latentwalk.trainer.data import DataRefused, Pictures
from latentwalk.trainer.loop import Interrupted, train
from latentwalk.trainer.methods.class_directions import ClassDirections
from latentwalk.trainer.methods.discovery import Discovery
from latentwalk.trainer.methods.telling import Told
from latentwalk.trainer.networks.deformators import FIXED
from latentwalk.trainer.seat import Dice
from latentwalk.trainer.specs import ClassDirectionsSpec, DiscoverySpec, JobSpec
from latentwalk.trainer.specs.discovery import DeformatorKind, Orthogonality
from latentwalk.trainer.starts import Classified, Drawn

SHIFTS = {"predictor_learning_rate": 0.01, "shift_scale": 6.0, "shift_min": 0.5, "batch_size": 8, "steps": 7}


def discovery(generator, real=None, **changes):
    settings = DiscoverySpec(**{"directions": 4, "evaluation_size": 100, "dipoles": 2, **SHIFTS} | changes)
    return Discovery(JobSpec("tiny", 1, "found", 3, 5, "discovery", settings), generator, real)


def class_directions(generator, source=None, classes=10, **changes):
    settings = ClassDirectionsSpec(**{"directions": 3, "evaluation_size": 100, **SHIFTS} | changes)
    spec = JobSpec("digits", 1, "banks", 3, 5, "class_directions", settings)
    return ClassDirections(spec, source or Drawn(generator), classes)


@pytest.fixture(scope="module")
def digits(make_generator):
    return make_generator(classes=10)


@pytest.fixture(scope="module")
def styled():
    return make_styled()


@pytest.fixture(scope="module")
def few(make_generator):
    """A generator of two classes."""
    return make_generator(classes=2)


def pairs_of(method, step=0, rows=8):
    dice = Dice(seeds.draw_generator(3, step))
    starts = method._source.starts(seeds.training_seeds(3, step, range(rows)), dice)
    return starts, method._pairs(starts, dice)


def assert_alike(drawn, expected):
    """Equal but for the eight bits in which networks may be computed."""
    assert (drawn - expected).abs().max() < 0.05 * max(1.0, expected.abs().max())


# -- what is shown ---------------------------------------------------------------------------------------------------


def test_shifts_are_uniform_and_the_short_ones_are_drawn_out(generator):
    axes, amounts = discovery(generator)._draw_shifts(40_000, Dice(torch.Generator().manual_seed(0)))
    assert axes.bincount().tolist() == pytest.approx([10_000] * 4, rel=0.05)
    least = amounts.abs() == 0.5
    assert least.double().mean().item() == pytest.approx(0.5 / 6, rel=0.05)
    assert (amounts[least] > 0).double().mean().item() == pytest.approx(0.5, abs=0.03)
    rest = amounts[~least].abs()
    assert (rest.min() > 0.5, rest.max() <= 6) == (True, True)
    assert rest.mean().item() == pytest.approx(3.25, rel=0.02)


def test_steps_along_a_path_are_uniform_from_the_least_to_the_longest(generator):
    method = discovery(generator, deformator=DeformatorKind.RBF, dipoles=2, shift_scale=0.45, shift_min=0.25)
    _, amounts = method._draw_shifts(40_000, Dice(torch.Generator().manual_seed(0)))
    assert (amounts > 0).double().mean().item() == pytest.approx(0.5, abs=0.02)
    counts = torch.histc(amounts.abs(), bins=4, min=0.25, max=0.45)
    assert counts.tolist() == pytest.approx([10_000] * 4, rel=0.05)


def test_a_pair_is_a_latent_before_and_after_its_shift(digits):
    method = discovery(digits, class_ids=(2, 5))
    starts, pairs = pairs_of(method)
    assert set(starts.classes.tolist()) == {2, 5}
    assert torch.equal(starts.code, z_from_seeds(seeds.training_seeds(3, 0, range(8)), 8))
    columns = method._deformator.columns()
    shifted = starts.code + pairs.amounts[:, None] * columns.T[pairs.slots]
    assert_alike(pairs.plain, digits(starts.code, starts.condition))
    assert_alike(pairs.shifted, digits(shifted, F.one_hot(starts.classes, 10).float()))


@pytest.mark.parametrize("make", [discovery, class_directions])
def test_the_predictor_sees_pictures_of_its_size(digits, make):
    method, seen = make(digits, predictor_size=8), []
    method._predictor.trunk.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape[-1]))
    method.losses(0)
    assert seen == [8]


def test_of_each_latent_a_global_and_a_class_shift_are_shown(digits):
    method = class_directions(digits)
    starts, pairs = pairs_of(method)
    banks = method._all_banks()
    for row in range(8):
        class_id = int(starts.classes[row])
        for place, bank in ((row, 0), (8 + row, 1 + class_id)):
            assert int(pairs.slots[place]) // 3 == bank
            vector = banks[bank, :, int(pairs.slots[place]) % 3]
            z = starts.code[row] + pairs.amounts[place] * vector
            assert_alike(pairs.shifted[place], digits(z[None], starts.condition[row : row + 1])[0])
            assert torch.equal(pairs.plain[place], starts.pictures[row])


@pytest.fixture(scope="module")
def classifier():
    torch.manual_seed(5)
    network = build_classifier(ClassifierSpec("convolutional", 3, 16, 3, {"width": 4}))
    with torch.no_grad():
        network.get_parameter("head.weight").mul_(30)
    return network.freeze()


def test_without_labels_a_classifier_says_the_class_and_unsure_latents_are_drawn_again(generator, classifier):
    row_seeds, dice = seeds.training_seeds(0, 0, range(40)), Dice(torch.Generator())
    asked = Classified(generator, classifier, 0.0).starts(row_seeds, dice)
    assert torch.equal(asked.code, z_from_seeds(row_seeds, 8))
    sureness, classes = classifier(asked.pictures).softmax(dim=1).max(dim=1)
    assert torch.equal(asked.classes, classes)
    threshold = sureness.median().item()
    sure = Classified(generator, classifier, threshold).starts(row_seeds, dice)
    again, told = classifier(sure.pictures).softmax(dim=1).max(dim=1)
    assert torch.equal(sure.classes, told)
    assert (again < threshold).sum() < (sureness < threshold).sum() / 4
    assert torch.equal(sure.code[sureness >= threshold], asked.code[sureness >= threshold])
    assert_alike(sure.pictures, generator(sure.code))


@pytest.mark.parametrize("deformator", [DeformatorKind.ORTHONORMAL, DeformatorKind.MLP, DeformatorKind.RBF])
def test_in_w_a_pair_is_drawn_from_w_and_what_is_found_moves_w(styled, deformator):
    method = discovery(styled, space="w", deformator=deformator)
    starts, pairs = pairs_of(method)
    z = z_from_seeds(seeds.training_seeds(3, 0, range(8)), 6)
    assert torch.equal(starts.code, styled.encode(z, "w", starts.condition))
    shifted = starts.code + method._deformator(starts.code, pairs.slots, pairs.amounts)
    assert_alike(pairs.shifted, styled.draw(shifted, "w"))
    direction = method.direction()
    assert direction.space == "w"
    direction.check_spec(styled.spec)
    assert method.sample(7) is not None


def test_class_directions_in_w_move_w(styled):
    method = class_directions(styled, Drawn(styled, space="w"), classes=2, space="w", directions=2)
    starts, pairs = pairs_of(method)
    banks = method._all_banks()
    w = starts.code[0] + pairs.amounts[0] * banks[0, :, int(pairs.slots[0])]
    assert_alike(pairs.shifted[0], styled.draw(w[None], "w")[0])
    direction = method.direction()
    assert (direction.space, direction.size) == ("w", 5)
    direction.check_spec(styled.spec)


# -- what is asked ---------------------------------------------------------------------------------------------------


def test_the_objective_is_the_cross_entropy_and_a_quarter_of_the_mean_error(generator):
    method = discovery(generator)
    _, pairs = pairs_of(method)
    which, how_far = method._predictor(pairs.plain, pairs.shifted)
    losses = method.losses(0)
    assert losses["direction"].item() == pytest.approx(F.cross_entropy(which, pairs.slots).item(), rel=0.02)
    errors = (how_far[:, 0] - pairs.amounts).abs().mean()
    assert losses["shift"].item() == pytest.approx(0.25 * errors.item(), rel=0.02)


def test_global_and_class_shifts_are_two_objectives_added_up_over_all_slots(digits):
    method = class_directions(digits)
    _, pairs = pairs_of(method)
    which, how_far = method._predictor(pairs.plain, pairs.shifted)
    assert which.shape == (16, 33)
    both = sum(F.cross_entropy(which[half], pairs.slots[half]) for half in (slice(8), slice(8, 16)))
    own = how_far[torch.arange(16), pairs.slots // 3]
    errors = sum((own - pairs.amounts).abs()[half].mean() for half in (slice(8), slice(8, 16)))
    losses = method.losses(0)
    assert losses["direction"].item() == pytest.approx(both.item(), rel=0.02)
    assert losses["shift"].item() == pytest.approx(0.25 * errors.item(), rel=0.02)


def test_soft_banks_pay_for_their_overlap(digits):
    method = class_directions(digits, orthogonality=Orthogonality.SOFT)
    with torch.no_grad():
        method._all_banks.own[4].copy_(method._all_banks.common)
    assert method.losses(0)["overlap"].item() == pytest.approx(3 / 10, rel=1e-4)
    assert "overlap" not in class_directions(digits).losses(0)


# -- what comes of it ------------------------------------------------------------------------------------------------


class Ear:
    """Interrupts at the n-th pause."""

    def __init__(self, pauses=math.inf):
        self.left = pauses

    def __call__(self):
        self.left -= 1
        if self.left < 0:
            raise Interrupted


def trained(method, folder, *, pause=None):
    train(method, Checkpoints(folder), 5, report=lambda _: None, pause=pause or Ear())
    return method


MAKERS = {
    **{
        f"discovery, {kind}": lambda few, kind=kind: discovery(few, deformator=kind, **BRIEF) for kind in DeformatorKind
    },
    **{
        f"class directions, {kind}": lambda few, kind=kind: class_directions(
            few, classes=2, orthogonality=kind, **BRIEF
        )
        for kind in Orthogonality
    },
    "discovery, real pictures": lambda few: discovery(few, drawn(few), **BRIEF | {"directions": 1}),
    "class directions, separate": lambda few: class_directions(few, classes=2, separate_predictors=True, **BRIEF),
}


def test_a_job_goes_on_only_with_the_pictures_that_it_began_with(few, tmp_path):
    others = drawn(few)
    others = replace(others, images=others.images.flip(3))
    with pytest.raises(Interrupted):
        trained(discovery(few, drawn(few), **BRIEF), tmp_path, pause=Ear(4))
    with pytest.raises(DataRefused, match="the train part have changed since step 4"):
        trained(discovery(few, others, **BRIEF), tmp_path)


def drawn(generator, rows=40):
    """As if they were real: what the generator draws for so many seeds."""
    condition = torch.eye(generator.spec.classes)[[row % generator.spec.classes for row in range(rows)]]
    pictures = generator(z_from_seeds(range(rows), 8), condition)
    return Pictures(to_uint8(pictures, (-1, 1)).permute(0, 3, 1, 2), None, ())


BRIEF = {"batch_size": 3, "evaluation_size": 20}


@pytest.mark.parametrize("maker", MAKERS)
def test_a_job_that_is_interrupted_ends_with_the_same_bits(maker, few, tmp_path):
    make = MAKERS[maker]
    undisturbed = trained(make(few), tmp_path / "one").outcome(Ear())
    with pytest.raises(Interrupted):
        trained(make(few), tmp_path / "two", pause=Ear(4))
    resumed = trained(make(few), tmp_path / "two").outcome(Ear())
    [expected], [product] = undisturbed.products, resumed.products
    [untrained] = make(few).outcome(Ear()).products
    for name, tensor in expected.tensors.items():
        assert torch.equal(product.tensors[name], tensor)
    as_before = all(torch.equal(untrained.tensors[name], tensor) for name, tensor in expected.tensors.items())
    assert as_before == any(kind in maker for kind in FIXED)
    assert resumed.measures == undisturbed.measures


def test_a_trained_predictor_tells_far_more_than_chance_and_the_directions_stay_orthonormal(generator, tmp_path):
    settings = {"steps": 60, "batch_size": 24, "directions": 8, "evaluation_size": 200}
    method = trained(discovery(generator, **settings), tmp_path)
    outcome = method.outcome(Ear())
    assert outcome.measures["reconstruction_accuracy"] > 3 / 8
    vectors = outcome.products[0].vectors
    torch.testing.assert_close(vectors @ vectors.T, torch.eye(8), rtol=0, atol=1e-5)
    by_slider = [outcome.measures[f"accuracy.{axis}"] for axis in range(8)]
    assert sum(by_slider) / 8 == pytest.approx(outcome.measures["reconstruction_accuracy"], abs=0.1)


def test_of_directions_that_are_not_trained_the_predictor_alone_learns(generator, tmp_path):
    method = discovery(generator, deformator=DeformatorKind.RANDOM, steps=60, batch_size=24, directions=8)
    before = method.direction().vectors.clone()
    outcome = trained(method, tmp_path).outcome(Ear())
    assert torch.equal(outcome.products[0].vectors, before)
    assert outcome.measures["reconstruction_accuracy"] > 3 / 8


def test_the_last_step_is_shown_on_one_latent_with_the_sliders_of_its_class(digits):
    method = class_directions(digits)
    assert method.sample(5) is None
    sample = method.sample(7)
    assert sample.caption.startswith("sliders global.0, global.1, global.2, class")
    with Image.open(BytesIO(b64decode(sample.png))) as sheet:
        assert sheet.height == 14 + 6 * (16 + 2)
        assert sheet.width > 7 * (16 + 2)


def test_a_sheet_of_large_pictures_shows_them_small():
    method = discovery(settled(build_generator(GeneratorSpec("dcgan", 8, 0, 128, 3, {"width": 2}))))
    with Image.open(BytesIO(b64decode(method.sample(7).png))) as sheet:
        assert sheet.height == 14 + 4 * (64 + 2)


def test_measures_count_what_was_taken_for_what(digits):
    # Two of three global pairs right, the third taken for class 0; of class 0 one right, one taken for global, which
    # was right within its bank; of class 1 one taken for another direction of class 1.
    told = Told(
        slots=torch.tensor([0, 1, 2, 3, 4, 6]),
        guessed=torch.tensor([0, 1, 3, 3, 1, 7]),
        guessed_in_bank=torch.tensor([0, 1, 1, 3, 4, 7]),
        errors=torch.tensor([0.0, 1.0, 2.0, 3.0, 0.0, 0.0]),
    )
    measures = class_directions(digits).measures(told)
    expected = {
        "reconstruction_accuracy": 3 / 6,
        "shift_error": 1.0,
        "rca_global": 2 / 3,
        "rca_class": 1 / 2,
        "rca_class0": 1.0,
        "rca_class1": 0.0,
        "leakage_global_as_class": 1 / 3,
        "leakage_class_as_global": 1 / 3,
        "accuracy.global.2": 0.0,
        "accuracy.class0.0": 1.0,
    }
    assert {name: measures[name] for name in expected} == pytest.approx(expected)
    assert measures["max_abs_cross"] == 0.0
    assert "rca_class2" not in measures


def test_class_sliders_are_bound_to_their_class_unless_only_a_classifier_knows_it(digits, generator, classifier):
    bound = class_directions(digits).direction()
    assert [(one.name, one.class_id) for one in bound.sliders[:4]] == [
        ("global.0", None), ("global.1", None), ("global.2", None), ("class0.0", 0),
    ]  # fmt: skip
    assert (bound.sliders[0].trained, bound.sliders[0].limit) == ((-6, 6), (-12, 12))
    assert (len(bound.sliders), bound.sliders[-1].name, bound.sliders[-1].class_id) == (33, "class9.2", 9)
    free = class_directions(generator, Classified(generator, classifier, 0.5), 3).direction()
    assert {one.class_id for one in free.sliders} == {None}
    free.check_spec(generator.spec)
    bound.check_spec(digits.spec)
