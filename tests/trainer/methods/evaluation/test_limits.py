"""How far sliders can go: on the digits that come with the package, on walks that lead nowhere, and refused."""

import struct
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from styled import make_styled

from latentwalk.gan.artifacts import ArtifactStore, save_classifier, save_direction, save_generator
from latentwalk.gan.attributes import ATTRIBUTES, attribute, attributes_of
from latentwalk.gan.classifiers import ClassifierSpec, build_classifier
from latentwalk.gan.directions import LinearDirection, Slider
from latentwalk.gan.edits import EDITS, masked_squared_error
from latentwalk.gan.latents import latents_from_seeds, one_hot
from latentwalk.gan.likeness import Moments, frechet_distance
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.server.builtin import BUILTIN
from latentwalk.trainer.checkpoint import Checkpoints
from latentwalk.trainer.data import Library
from latentwalk.trainer.loop import Interrupted, train
from latentwalk.trainer.materials import Materials
from latentwalk.trainer.methods.evaluation import Evaluation
from latentwalk.trainer.methods.evaluation.achieved import Achieved
from latentwalk.trainer.methods.evaluation.reach import Reach, Spread
from latentwalk.trainer.reports import Sample
from latentwalk.trainer.validation import read_spec
from latentwalk.v1 import training_service_pb2 as pb

SAMPLES = 100
CREATED = {"provenance": {}, "created": "2026-01-01T00:00:00Z"}


def make_classifier(resolution, channels):
    torch.manual_seed(0)
    network = build_classifier(ClassifierSpec("convolutional", 3, resolution, channels, {"width": 2}))
    for weights in network.parameters():  # or else its features are about 0
        weights.data *= 4
    return network.freeze()


def straight(generator, name, vectors, **slider):
    """A direction whose sliders "0", "1", ... are these vectors; alphas up to 3 are allowed."""
    common = {"edit": "", "unit": "", "scale": 1.0, "trained": (-1.0, 1.0), "limit": (-3.0, 3.0)} | slider
    sliders = tuple(Slider(name=str(number), **common) for number in range(len(vectors)))
    return LinearDirection(name, generator.digest, sliders, vectors=vectors)


@pytest.fixture
def materials(artifacts_url, tmp_path, generator):
    """Of a store where "tiny" has the directions "nowhere", which imitates brightness, and "axes" with two sliders."""
    store = ArtifactStore(artifacts_url)
    for direction in (
        straight(generator, "nowhere", torch.zeros(1, 8), edit="brightness", unit="fraction", scale=0.25),
        straight(generator, "axes", torch.eye(8)[:2]),
    ):
        save_direction(store, "tiny", direction, **CREATED)
    save_classifier(store, "judge", make_classifier(16, 3), **CREATED)
    return Materials(store, tmp_path)


@pytest.fixture
def digits(tmp_path):
    """The digits that come with the package; whoever judges them has learnt nothing."""
    store = ArtifactStore(str(tmp_path / "digits"))
    (tmp_path / "digits").mkdir()
    for folder in ("generators", "directions"):
        (tmp_path / "digits" / folder).symlink_to(BUILTIN / folder)
    save_classifier(store, "judge", make_classifier(32, 1), **CREATED)
    return Materials(store, tmp_path)


@pytest.fixture
def real_digits(tmp_path):
    """A data folder with 300 real digits, enlarged, in the place and the form of either part of MNIST."""
    known, raw = load_digits(), tmp_path / "sets" / "MNIST" / "raw"
    images = np.uint8(np.pad(known.images[:300].repeat(3, 1).repeat(3, 2) * 15.9, ((0, 0), (2, 2), (2, 2))))
    raw.mkdir(parents=True)
    for prefix in ("train", "t10k"):
        (raw / f"{prefix}-images-idx3-ubyte").write_bytes(struct.pack(">4I", 2051, 300, 28, 28) + images.tobytes())
        labels = np.uint8(known.target[:300]).tobytes()
        (raw / f"{prefix}-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 2049, 300) + labels)
    return tmp_path / "sets"


def completed(materials, *sliders, model="tiny", **settings):
    references = [pb.SliderReference(direction=direction, slider=slider) for direction, slider in sliders]
    method = pb.EvaluationSpec(**{"samples": SAMPLES} | settings, sliders=references)
    return read_spec(pb.JobSpec(model=model, seed=3, checkpoint_every=1, evaluation=method), materials)


def measured(spec, materials, folder, interrupted_after=None):
    """What a job measures, and the sheets that it shows on the way."""
    pauses, said = iter(range(10**9 if interrupted_after is None else interrupted_after)), []

    def pause():
        if next(pauses, None) is None:
            raise Interrupted

    method = Evaluation.prepare(spec, materials)
    train(method, Checkpoints(folder), 1, report=said.append, pause=pause)
    return method.outcome(lambda: None).measures, [one for one in said if isinstance(one, Sample)]


def test_a_direction_that_leads_nowhere_changes_nothing(materials, tmp_path):
    spec = completed(materials, ("nowhere", ""), classifier="judge")
    measures, _ = measured(spec, materials, tmp_path / "job")
    limits = {name: value for name, value in measures.items() if name.startswith("limits.")}
    for alpha in ("-3", "-0.5", "+1.5", "+3"):
        for name in ATTRIBUTES:
            assert limits[f"limits.nowhere.0.{name}_shift.{alpha}"] == 0
        assert limits[f"limits.nowhere.0.frechet_distance.{alpha}"] == pytest.approx(0, abs=1e-9)
        assert limits[f"limits.nowhere.0.class_kept.{alpha}"] == 1
        assert limits[f"limits.nowhere.0.gain.{alpha}"] == 0
        assert limits[f"limits.nowhere.0.step_distance.{alpha}"] == pytest.approx(0, abs=1e-6)
        assert limits[f"limits.nowhere.0.amount.{alpha}"] == pytest.approx(0.25 * float(alpha))
        assert limits[f"limits.nowhere.0.achieved.{alpha}"] == pytest.approx(0, abs=1e-6)
        # Brightness by a fraction b of the range of length 2 is an error of (2 b)^2 for whom does nothing.
        assert limits[f"limits.nowhere.0.baseline.{alpha}"] == pytest.approx((2 * 0.25 * float(alpha)) ** 2, rel=1e-4)
    assert (limits["limits.nowhere.0.gain.low"], limits["limits.nowhere.0.gain.high"]) == (0, 0)
    ends = limits["limits.nowhere.0.class_kept.low"], limits["limits.nowhere.0.class_kept.high"]
    assert ends == pytest.approx((-0.75, 0.75))


@torch.no_grad()
def test_limits_are_what_plain_arithmetic_says(digits, tmp_path):
    spec = completed(digits, ("zoom", ""), model="digits", classifier="judge", samples=120)
    measures, _ = measured(spec, digits, tmp_path / "job")
    generator, judge, zoom = digits.generator(spec), digits.classifier("judge"), digits.direction(spec, "zoom")
    slider = zoom.sliders[0]
    z, condition = latents_from_seeds(range(120), generator.spec), one_hot([row % 10 for row in range(120)], 10)
    alpha = slider.limit[0] / 2
    untouched, walked = generator(z, condition), generator(zoom.walk(z, 0, alpha), condition)
    target, mask = EDITS["zoom"](untouched, torch.full((120,), slider.amount_of(alpha)))
    error, baseline = (masked_squared_error(one, target, mask).mean().item() for one in (walked, untouched))
    shifts = {f"{name}_shift": shift(name, untouched, walked) for name in ("contrast", "spread", "centre_x")}
    expected = {
        "amount": slider.amount_of(alpha),
        "error": error,
        "baseline": baseline,
        "gain": 1 - error / baseline,
        **shifts,
        "frechet_distance": frechet_distance(*(Moments.of(judge.features(one)) for one in (walked, untouched))),
        "class_kept": (judge(walked).argmax(dim=1) == judge(untouched).argmax(dim=1)).double().mean().item(),
    }
    assert {name: measures[f"limits.zoom.zoom.{name}.-1.5"] for name in expected} == pytest.approx(expected, rel=1e-3)
    assert expected["gain"] > 0.3
    assert expected["spread_shift"] < -0.3  # they become smaller
    assert expected["frechet_distance"] > 0


def shift(name, untouched, walked):
    """How far the mean of an attribute has moved, in its deviations."""
    before, after = (attribute(name, one).double() for one in (untouched, walked))
    return ((after.mean() - before.mean()) / before.std(unbiased=False)).item()


def test_digits_turn_as_far_as_they_were_trained_and_not_as_far_as_they_may(digits, tmp_path):
    measures, [sheet] = measured(completed(digits, ("rotate", ""), model="digits"), digits, tmp_path / "job")
    low, high = (measures[f"limits.rotate.rotate.gain.{end}"] for end in ("low", "high"))
    assert -90 < low < -30 < 30 < high < 90
    assert measures["limits.rotate.rotate.gain.+1"] > measures["limits.rotate.rotate.gain.+3"]
    assert not [name for name in measures if "class_kept" in name or "frechet" in name]
    assert sheet.caption == "limits of rotate.rotate"
    assert sheet.step == 2


def test_digits_turn_by_no_more_than_they_are_asked_to_and_the_further_the_more_they_are(digits, tmp_path):
    measures, _ = measured(completed(digits, ("rotate", ""), model="digits"), digits, tmp_path / "job")
    rungs = ("-1", "-0.5", "+0.5", "+1")
    amounts, achieved = (
        [measures[f"limits.rotate.rotate.{what}.{alpha}"] for alpha in rungs] for what in ("amount", "achieved")
    )
    assert achieved == sorted(achieved)
    for asked, done in zip(amounts, achieved, strict=True):
        assert 0.3 < done / asked < 1.1


@pytest.mark.parametrize(
    ("edit", "limit", "amount", "within"),
    [
        ("brightness", (-0.5, 0.5), 0.13, 1e-5),
        ("shift_x", (-12.0, 12.0), -3.2, 0.5),
        ("zoom", (-0.7, 0.7), 1.3, 0.05),
        ("rotate", (-45.0, 45.0), 20.0, 1.0),
    ],
)
def test_what_an_edit_does_is_achieved_whatever_else_is_done(edit, limit, amount, within):
    torch.manual_seed(0)
    pictures = torch.nn.functional.interpolate(torch.rand(16, 3, 6, 6) - 0.5, 32, mode="bicubic")
    slider = Slider("0", edit, EDITS[edit].unit, 1.0, limit, limit)
    walked, _ = EDITS[edit](pictures, torch.full((16,), amount))
    achieved = Achieved(slider, EDITS[edit], 1)
    achieved.add(0, pictures, walked + 0.02 * torch.randn_like(walked))
    assert achieved.amount(0) == pytest.approx(amount, abs=max(within, 2e-3))


def test_an_edit_that_leaves_next_to_nothing_of_a_picture_is_never_what_is_achieved():
    pictures = torch.rand(4, 1, 16, 16)
    slider = Slider("0", "shift_x", "px", 1.0, (-16.0, 16.0), (-16.0, 16.0))
    achieved = Achieved(slider, EDITS["shift_x"], 1)
    achieved.add(0, pictures, torch.rand(4, 1, 16, 16))
    assert abs(achieved.amount(0)) < 15


def test_pictures_on_which_there_is_nothing_to_be_seen_achieve_nothing():
    black = torch.full((4, 3, 16, 16), -1.0)
    slider = Slider("0", "zoom", "x", 1.0, (-0.7, 0.7), (-2.0, 2.0))
    achieved = Achieved(slider, EDITS["zoom"], 1)
    achieved.add(0, black, black)
    assert achieved.amount(0) == pytest.approx(1, abs=0.1)


def test_a_direction_stands_for_all_of_its_sliders_each_in_a_pass_of_its_own(materials):
    settings = completed(materials, ("axes", ""), ("nowhere", "0"), samples=600).settings
    named = [("axes@1", "0"), ("axes@1", "1"), ("nowhere@1", "0")]
    assert [(one.direction, one.slider) for one in settings.sliders] == named
    assert settings.steps == 2 * (1 + 3)


def test_an_interrupted_job_finds_the_same_and_shows_each_slider_once(materials, tmp_path):
    spec = completed(materials, ("axes", "1"), ("nowhere", ""), classifier="judge", samples=501)
    for interrupted_after in (3, 2):  # in the middle of either slider
        with pytest.raises(Interrupted):
            measured(spec, materials, tmp_path / "job", interrupted_after)
    disturbed, sheets = measured(spec, materials, tmp_path / "job")
    undisturbed, all_sheets = measured(spec, materials, tmp_path / "undisturbed")
    assert disturbed == undisturbed
    assert [(one.step, one.caption) for one in all_sheets] == [(4, "limits of axes.1"), (6, "limits of nowhere.0")]
    assert sheets == all_sheets[1:]


@torch.no_grad()
def test_a_step_is_from_each_alpha_to_the_one_before_it_outward_from_the_untouched_picture(digits, tmp_path):
    spec = completed(digits, ("zoom", ""), model="digits", distance=pb.DISTANCE_PIXELS)
    measures, _ = measured(spec, digits, tmp_path / "job")
    generator, zoom = digits.generator(spec), digits.direction(spec, "zoom")
    z, condition = latents_from_seeds(range(SAMPLES), generator.spec), one_hot([row % 10 for row in range(SAMPLES)], 10)
    low, high = zoom.sliders[0].limit
    for end, rung in ((low, 6), (low, 3), (low, 1), (high, 1), (high, 4)):
        alpha, inward = end * rung / 6, end * (rung - 1) / 6
        pair = (generator(zoom.walk(z, 0, at) if at else z, condition) for at in (inward, alpha))
        expected = torch.nn.functional.mse_loss(*pair).item()
        assert measures[f"limits.zoom.zoom.step_distance.{alpha:+.4g}"] == pytest.approx(expected, rel=1e-3)
        assert expected > 0


@torch.no_grad()
def test_with_data_the_reach_of_attributes_stands_beside_how_they_vary_among_real_pictures(
    digits, real_digits, tmp_path
):
    materials = Materials(digits.store, real_digits)
    settings = {"classifier": "judge", "data": pb.Data(dataset="MNIST")}
    spec = completed(materials, ("shift_x", ""), model="digits", **settings)
    measures, _ = measured(spec, materials, tmp_path / "job")
    real = Library(real_digits).read("dataset", "MNIST", "test", 32)
    among_real = attribute("centre_x", real.pictures(torch.arange(len(real)))).double().numpy()
    generator, direction = materials.generator(spec), materials.direction(spec, "shift_x")
    classes = torch.arange(SAMPLES) % 10
    z, condition = latents_from_seeds(range(SAMPLES), generator.spec), one_hot(classes.tolist(), 10)
    codes = [direction.walk(z, 0, alpha / 2) if alpha else z for alpha in range(-6, 7)]
    seen = torch.stack([attribute("centre_x", generator(code, condition)) for code in codes]).double()
    found = {
        what: measures[f"limits.shift_x.shift_x.centre_x.{what}"] for what in ("deviation", "reach", "correlation")
    }
    assert found["deviation"] == pytest.approx(among_real.std(), rel=1e-4)
    means = seen.mean(dim=1)
    assert found["reach"] == pytest.approx((means.max() - means.min()).item(), rel=1e-3)
    by_class = torch.stack([seen[:, classes == one].mean(dim=1) for one in range(10)])
    reaches = (by_class.amax(dim=1) - by_class.amin(dim=1)).numpy()
    deviations = [among_real[(real.labels == one).numpy()].std() for one in range(10)]
    assert found["correlation"] == pytest.approx(np.corrcoef(deviations, reaches)[0, 1], abs=1e-3)


@torch.no_grad()
def test_the_correlation_wants_a_generator_with_the_classes_of_the_data(real_digits):
    real = Library(real_digits).read("dataset", "MNIST", "test", 16)
    shifted = real.pictures(torch.arange(len(real))).roll(1, dims=3)

    def told(spec, *, by_class=True):
        reach = Reach(Spread(real, spec), 2, by_class=by_class)
        for place, pictures in enumerate((real.pictures(torch.arange(len(real))), shifted)):
            reach.add(place, {name: attribute(name, pictures) for name in attributes_of(1)}, real.labels.tolist())
        return reach.measures(lambda: None)

    ten, none, seven = (GeneratorSpec("dcgan", 8, classes, 16, 1, {"width": 4}) for classes in (10, 0, 7))
    assert "centre_x.correlation" in told(ten)
    assert told(ten)["centre_x.deviation"] == told(none)["centre_x.deviation"] > 0
    for without in (told(none), told(seven), told(ten, by_class=False)):
        assert {name.partition(".")[2] for name in without} == {"deviation", "reach"}


@torch.no_grad()
def test_sliders_in_w_move_w_with_the_noise_of_each_picture(materials, tmp_path):
    styled = make_styled()
    save_generator(materials.store, "styled", styled, **CREATED)
    vector = torch.randn(1, styled.spec.w_size, generator=torch.Generator().manual_seed(0))
    direction = replace(straight(styled, "w", vector), space="w")
    save_direction(materials.store, "styled", direction, **CREATED)
    nowhere = straight(styled, "z", torch.zeros(1, styled.spec.latent_size))
    save_direction(materials.store, "styled", nowhere, **CREATED)
    spec = completed(materials, ("w", ""), ("z", ""), model="styled")
    measures, _ = measured(spec, materials, tmp_path / "job")
    assert abs(measures["limits.w.0.luminance_shift.+3"]) > 0.01
    assert measures["limits.z.0.luminance_shift.+3"] == 0


@pytest.mark.parametrize(
    ("sliders", "field", "problem"),
    [
        ([("gone", "")], "sliders[0].direction", "gone"),
        ([("axes", ""), ("../x", "")], "sliders[1].direction", "'../x' is no name"),
        ([("foreign", "")], "sliders[0].direction", "belongs to the generator"),
        ([("axes", "7")], "sliders[0].slider", "7"),
        ([("gone", "")] * 65, "sliders", "are 65 sliders; at most 64 are allowed"),
        ([("axes", "1"), ("axes", "")], "sliders[1]", "slider '1' of 'axes@1' is there twice"),
    ],
)
def test_what_cannot_be_walked_is_refused_by_field(materials, sliders, field, problem):
    foreign = straight(materials.generator(completed(materials, model="grey")), "foreign", torch.eye(8)[:1])
    save_direction(materials.store, "tiny", foreign, **CREATED)
    with pytest.raises(InvalidRequest) as refusal:
        completed(materials, *sliders)
    [(named, said)] = refusal.value.violations
    assert named == f"spec.evaluation.{field}"
    assert problem in said


def test_sliders_whose_measures_would_have_one_name_are_refused(materials, generator):
    axes = straight(generator, "axes", torch.eye(8)[:2])
    within = replace(axes, sliders=tuple(replace(one, name=f"0.{one.name}") for one in axes.sliders))
    for direction in (axes, within, replace(axes, name="axes.0")):
        save_direction(materials.store, "tiny", direction, **CREATED)
    for first, second, said in (
        (("axes@3", "0.1"), ("axes.0", "1"), "slider '1' of 'axes.0@1' and '0.1' of 'axes@3' as 'axes.0.1'"),
        (("axes@1", "0"), ("axes@2", "0"), "slider '0' of 'axes@2' and '0' of 'axes@1' as 'axes.0'"),
    ):
        with pytest.raises(InvalidRequest, match=r"sliders\[1\]") as refusal:
            completed(materials, first, second)
        assert f"would measure {said}: measure each in a job of its own" in str(refusal.value)
    assert len(completed(materials, ("axes@1", "0"), ("axes@2", "1"), ("axes.0", "")).settings.sliders) == 4


def test_more_sliders_than_a_job_can_hold_are_refused(materials, generator):
    save_direction(materials.store, "tiny", straight(generator, "many", torch.zeros(65, 8)), **CREATED)
    with pytest.raises(InvalidRequest, match="are 65 sliders; at most 64"):
        completed(materials, ("many", ""))
    assert len(completed(materials, ("many", "64")).settings.sliders) == 1
