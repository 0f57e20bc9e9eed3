"""From a walk to its calibration: what is asked for is then achieved, on latents that nobody has looked at."""

import shutil
from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from latentwalk.gan.artifacts import ArtifactStore, load_direction, save_direction
from latentwalk.gan.directions import IteratedDirection, LinearDirection, Slider
from latentwalk.gan.edits import EDITS
from latentwalk.gan.latents import latents_from_seeds, one_hot
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.server.builtin import BUILTIN
from latentwalk.trainer.checkpoint import Checkpoints
from latentwalk.trainer.loop import train
from latentwalk.trainer.materials import Materials
from latentwalk.trainer.methods.evaluation import Evaluation
from latentwalk.trainer.methods.evaluation.achieved import Achieved
from latentwalk.trainer.methods.evaluation.calibrating import calibration_of
from latentwalk.trainer.publish import Publisher
from latentwalk.trainer.validation import read_spec
from latentwalk.v1 import training_service_pb2 as pb

ROTATE = Slider("rotate", "rotate", "deg", 20.0, (-1.0, 1.0), (-3.0, 3.0))


@pytest.fixture
def digits(tmp_path):
    """A copy of the store with the digits that come with the package."""
    shutil.copytree(BUILTIN, tmp_path / "store")
    return Materials(ArtifactStore(str(tmp_path / "store")), tmp_path)


def completed(materials, *sliders):
    references = [pb.SliderReference(direction=direction, slider=slider) for direction, slider in sliders]
    method = pb.EvaluationSpec(samples=256, distance=pb.DISTANCE_PIXELS, sliders=references, calibrate=True)
    return read_spec(pb.JobSpec(model="digits", checkpoint_every=1, evaluation=method), materials)


def calibrated(spec, materials, folder):
    """What comes of a job."""
    method = Evaluation.prepare(spec, materials)
    train(method, Checkpoints(folder), 1, report=lambda _: None, pause=lambda: None)
    return method.outcome(lambda: None)


@torch.no_grad()
def achieved_by(generator, direction, alpha):
    """The amount that a walk by this alpha achieves, on latents that no evaluation has seen."""
    z, place = latents_from_seeds(range(5_000, 5_200), generator.spec), direction.slider_index("rotate")
    condition = one_hot([row % 10 for row in range(200)], 10)
    untouched, walked = generator(z, condition), generator(direction.walk(z, place, alpha), condition)
    achieved = Achieved(direction.sliders[place], EDITS["rotate"], 1)
    achieved.add(0, untouched, walked)
    return achieved.amount(0)


def banked(plain):
    """A bank of which another slider comes first, which imitates nothing."""
    other = Slider("other", "", "", 1.0, (-1.0, 1.0), (-1.0, 1.0))
    return replace(plain, sliders=(other, *plain.sliders), vectors=torch.cat([plain.vectors.flip(1), plain.vectors]))


def iterated(plain):
    """A nonlinear walk, in small steps that keep the length of z."""
    steps, size = 5, plain.size
    ways = torch.stack([plain.vectors, -plain.vectors], dim=1) / steps
    still = torch.zeros(1, 2, size, size)
    common = {"name": plain.name, "generator_digest": plain.generator_digest, "sliders": plain.sliders, "steps": steps}
    return IteratedDirection(inner=still, inner_bias=torch.zeros(1, 2, size), outer=still, outer_bias=ways, **common)


@pytest.mark.parametrize("form", [None, banked, iterated])
def test_the_amount_that_is_asked_for_is_achieved_where_it_was_not_before(digits, tmp_path, form):
    if form:
        found, _ = load_direction(digits.store, "digits", "rotate")
        save_direction(digits.store, "digits", form(found), provenance={}, created="2026-01-01T00:00:00Z")
    spec = completed(digits, ("rotate", "rotate"))
    [rotate] = calibrated(spec, digits, tmp_path / "job").products
    plain, generator = digits.direction(spec, "rotate"), digits.generator(spec)
    place = plain.slider_index("rotate")
    for amount in (-12.0, -8.0, 9.0, 13.0):
        was = achieved_by(generator, plain, plain.sliders[place].alpha_of(amount))
        now = achieved_by(generator, plain, rotate.sliders[place].alpha_of(amount))
        assert abs(now - amount) < 1.5
        assert abs(was - amount) > abs(now - amount)


def test_a_calibration_is_published_once_with_the_provenance_of_the_direction(digits, tmp_path):
    spec, store = completed(digits, ("rotate", ""), ("thickness", "")), digits.store
    outcome = calibrated(spec, digits, tmp_path / "job")
    publisher = Publisher(store, "j1", spec)
    result = publisher.publish(outcome)
    assert publisher.publish(outcome) == result
    assert (result.artifacts[0].name, result.artifacts[0].version) == ("rotate", 2)
    before, after = (store.get("directions", "digits/rotate", version).manifest["provenance"] for version in (1, 2))
    calibration = after.pop("calibration")
    assert after == before
    assert (calibration["job"], calibration["version"], calibration["method"]) == ("j1", 1, "evaluation")
    # The job that has found it would not take the calibrated one for its own.
    assert Publisher(store, before["job"], spec).publish(outcome).artifacts[0].version == 1


def test_what_falls_back_or_hardly_rises_ends_the_calibration() -> None:
    amounts = {-3.0: -21.0, -2.0: -20.0, -1.0: -15.0, 1.0: 16.0, 2.0: 26.0, 3.0: 24.0}
    calibration = calibration_of(ROTATE, amounts, None)
    assert calibration is not None
    assert calibration.alphas == (-2, -1, 0, 1, 2)
    assert calibration.amounts == pytest.approx((-20, -15, 0, 16, 26))
    kept = calibration_of(ROTATE, amounts, (-1.5, 1.0))
    assert kept is not None
    assert kept.alphas == (-1.5, -1, 0, 1)
    assert kept.amounts == pytest.approx((-17.5, -15, 0, 16))
    assert all(before < after for before, after in pairwise(kept.amounts))
    assert calibration_of(ROTATE, {-1.0: 3.0, 1.0: 0.5}, None) is None
    one_side = calibration_of(ROTATE, {-1.0: 3.0, 1.0: 15.0}, None)
    assert one_side is not None
    assert one_side.alphas == (0, 1)


def test_a_slider_that_is_calibrated_to_fall_is_so_from_its_least_alpha_on() -> None:
    against = Slider("rotate", "rotate", "deg", -20.0, (-1.0, 1.0), (-3.0, 3.0))
    calibration = calibration_of(against, {-1.0: 15.0, 1.0: -12.0}, None)
    assert calibration is not None
    assert calibration.amounts == pytest.approx((15, 0, -12))


def test_a_direction_of_which_nothing_is_achieved_is_not_published(digits, tmp_path):
    generator = digits.generator(completed(digits, ("rotate", "")))
    nowhere = LinearDirection("nowhere", generator.digest, (ROTATE,), torch.zeros(1, generator.spec.latent_size))
    save_direction(digits.store, "digits", nowhere, provenance={}, created="2026-01-01T00:00:00Z")
    outcome = calibrated(completed(digits, ("nowhere", "")), digits, tmp_path / "job")
    assert not outcome.products
    assert not [name for name in outcome.measures if "calibrated" in name]


def test_what_cannot_be_calibrated_is_refused(digits):
    with pytest.raises(InvalidRequest, match=r"evaluation.calibrate: is for sliders that imitate an edit"):
        completed(digits, ("found", ""))
    generator = digits.generator(completed(digits, ("rotate", "")))
    sliders = ROTATE, replace(ROTATE, name="turn")
    both = LinearDirection("both", generator.digest, sliders, torch.zeros(2, generator.spec.latent_size))
    for _ in range(2):
        save_direction(digits.store, "digits", both, provenance={}, created="2026-01-01T00:00:00Z")
    with pytest.raises(InvalidRequest, match=r"evaluation.sliders: name both in two versions"):
        completed(digits, ("both@1", "rotate"), ("both@2", "turn"))
