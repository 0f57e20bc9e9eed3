"""Jobs that measure a generator: against plain arithmetic, interrupted, refused, and over the wire."""

from dataclasses import replace

import pytest
import torch
from PIL import Image
from styled import make_styled

from latentwalk.gan.artifacts import ArtifactStore, save_classifier, save_generator
from latentwalk.gan.classifiers import ClassifierSpec, build_classifier
from latentwalk.gan.entanglement import STEP, conditional_entropy, margins, path_length, separability
from latentwalk.gan.families import build_generator
from latentwalk.gan.images import to_uint8
from latentwalk.gan.interpolation import lerp, slerp
from latentwalk.gan.latents import latents_from_seeds
from latentwalk.gan.likeness import kernel_distance
from latentwalk.gan.manifolds import Manifold, precision_and_recall
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.trainer import seeds
from latentwalk.trainer.checkpoint import Checkpoints
from latentwalk.trainer.data import DataRefused
from latentwalk.trainer.loop import Interrupted, train
from latentwalk.trainer.materials import Materials
from latentwalk.trainer.methods.evaluation import Evaluation
from latentwalk.trainer.methods.samples import latents, noise, sample
from latentwalk.trainer.specs import Data, Distance, EvaluationSpec, JobSpec
from latentwalk.trainer.validation import read_spec
from latentwalk.v1 import training_service_pb2 as pb

SAMPLES, STEPS = 700, 2
CREATED = {"provenance": {}, "created": "2026-01-01T00:00:00Z"}


@pytest.fixture
def materials(artifacts_url, tmp_path):
    """Of a store with a generator "styled" of 8 px, and classifiers of 3 classes.

    "judge" sees pictures of "styled", "large" those of "tiny", and "seer" those of "grey".
    """
    store = ArtifactStore(artifacts_url)
    save_generator(store, "styled", make_styled(), **CREATED)
    for name, resolution, channels in (("judge", 8, 3), ("large", 16, 3), ("seer", 16, 1)):
        torch.manual_seed(0)
        network = build_classifier(ClassifierSpec("convolutional", 3, resolution, channels, {"width": 2}))
        for weights in network.parameters():  # or else its features are about 0
            weights.data *= 4
        save_classifier(store, name, network.freeze(), **CREATED)
    return Materials(store, tmp_path)


def put_into_folder(folder, pictures):
    """Pictures uint8 [N, H, W, C], each a PNG."""
    folder.mkdir()
    for number, pixels in enumerate(pictures.numpy()):
        Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[:, :, 0]).save(folder / f"{number:05}.png")


def job(model="styled", **settings):
    return JobSpec(
        model, 1, "", 3, 1, "evaluation", EvaluationSpec(SAMPLES, **{"distance": Distance.PIXELS} | settings)
    )


def measured(spec, materials, folder, interrupted_after=None):
    pauses = iter(range(interrupted_after if interrupted_after is not None else 10**9))

    def pause():
        if next(pauses, None) is None:
            raise Interrupted

    method = Evaluation.prepare(spec, materials)
    train(method, Checkpoints(folder), 1, report=lambda _: None, pause=pause)
    return method.outcome(lambda: None)


@torch.no_grad()
def pairs(generator, job_seed):
    """Both ends of all ways [N, Z], the conditions, the places on them [N, 1] and the noise of their pictures."""
    parts = []
    for step in range(STEPS):
        z, condition = sample(generator, job_seed, step, SAMPLES)
        apart, rows = STEPS + step, torch.arange(len(z))
        places = torch.rand(len(z), 1, generator=seeds.draw_generator(job_seed, apart))
        others, own = latents(generator, job_seed, apart, len(z)), noise(generator, job_seed, apart, rows)
        parts.append((z, others, condition, places, own))
    return [torch.cat(part) for part in zip(*parts, strict=True)]


@torch.no_grad()
def test_paths_are_as_long_as_plain_arithmetic_says(materials, tmp_path):
    outcome = measured(job(), materials, tmp_path / "job")
    styled = make_styled()
    z, others, condition, places, own = pairs(styled, 3)

    def length(draw):
        return path_length((draw(STEP) - draw(0)).square().mean(dim=(1, 2, 3)))

    def in_z(place):
        return lambda step: styled.synthesise(styled.map(slerp(z, others, place + step), condition), own)

    def in_w(place):
        ends = styled.map(z, condition), styled.map(others, condition)
        return lambda step: styled.synthesise(lerp(*ends, (place + step)[:, :, None]), own)

    start = torch.zeros_like(places)
    expected = {
        "path_length.z.full": length(in_z(places)),
        "path_length.z.end": length(in_z(start)),
        "path_length.w.full": length(in_w(places)),
        "path_length.w.end": length(in_w(start)),
    }
    assert outcome.measures == pytest.approx(expected, rel=0.02)
    assert (outcome.products, outcome.generator_digest) == ((), styled.digest)


@torch.no_grad()
def test_the_classes_that_a_classifier_sees_are_separated_in_z_and_in_w(materials, tmp_path):
    outcome = measured(job(classifier="judge"), materials, tmp_path / "job")
    styled, judge = make_styled(), materials.classifier("judge")
    z, _, condition, _, own = pairs(styled, 3)
    seen = margins(judge(styled.synthesise(styled.map(z, condition), own)))
    for space in ("z", "w"):
        codes = styled.encode(z, space, condition)
        entropies = torch.tensor([conditional_entropy(codes, margin) for margin in seen.unbind(dim=1)])
        assert outcome.measures[f"separability.{space}"] == pytest.approx(separability(entropies), rel=0.02)
        assert outcome.measures[f"conditional_entropy.{space}.1"] == pytest.approx(entropies[1].item(), abs=0.01)


def test_features_and_pixels_measure_differently(materials, tmp_path):
    pixels = measured(job(classifier="judge"), materials, tmp_path / "pixels").measures
    features = measured(job(classifier="judge", distance=Distance.FEATURES), materials, tmp_path / "features").measures
    assert pixels["separability.w"] == features["separability.w"]
    assert features["path_length.w.end"] > 0
    assert pixels["path_length.w.end"] != pytest.approx(features["path_length.w.end"], rel=0.1)


def test_a_generator_without_w_is_measured_in_z_and_an_interrupted_job_finds_the_same(materials, tmp_path):
    spec = job("tiny", classifier="large")
    with pytest.raises(Interrupted):
        measured(spec, materials, tmp_path / "job", interrupted_after=1)
    disturbed = measured(spec, materials, tmp_path / "job").measures
    assert disturbed == measured(spec, materials, tmp_path / "undisturbed").measures
    assert {name for name in disturbed if name.startswith("path")} == {"path_length.z.full", "path_length.z.end"}


@torch.no_grad()
def test_a_generator_is_as_far_from_its_own_pictures_as_those_are_from_one_another(materials, tmp_path):
    tiny = materials.generator(job("tiny"))
    pictures = to_uint8(tiny(latents_from_seeds(range(2_000), tiny.spec)))
    put_into_folder(tmp_path / "own", pictures)
    put_into_folder(tmp_path / "faded", pictures // 2 + 64)
    of_own, of_faded = (
        measured(job("tiny", classifier="large", data=Data(folder=name)), materials, tmp_path / f"{name}.job")
        for name in ("own", "faded")
    )
    own, faded = of_own.measures, of_faded.measures
    assert own["frechet_distance"] == pytest.approx(own["frechet_distance.floor"], rel=0.7)
    assert faded["frechet_distance"] > 10 * max(own["frechet_distance"], faded["frechet_distance.floor"])
    assert abs(own["kernel_distance"]) < 0.1 * faded["kernel_distance"]
    assert abs(faded["kernel_distance.floor"]) < 0.1 * faded["kernel_distance"]
    assert min(own[name] for name in ("precision", "recall", "precision.ceiling", "recall.ceiling")) > 0.7
    # Of less contrast than what is drawn: all of that could be drawn, and much that is drawn could not be real.
    assert faded["precision"] < 0.85 * faded["precision.ceiling"]
    assert faded["recall"] > 0.9 * faded["recall.ceiling"]
    assert of_own.data.keys() == {"test"}
    assert of_own.data != of_faded.data


@torch.no_grad()
def test_an_evaluation_goes_on_only_with_the_pictures_that_it_began_with(materials, tmp_path):
    tiny = materials.generator(job("tiny"))
    pictures = to_uint8(tiny(latents_from_seeds(range(200), tiny.spec)))
    spec = job("tiny", classifier="large", data=Data(folder="own"))
    put_into_folder(tmp_path / "own", pictures)
    with pytest.raises(Interrupted):
        measured(spec, materials, tmp_path / "job", interrupted_after=1)
    (tmp_path / "own").rename(tmp_path / "before")
    put_into_folder(tmp_path / "own", pictures.flip(2))
    with pytest.raises(DataRefused, match="the test part have changed since step 1"):
        measured(spec, materials, tmp_path / "job")


@torch.no_grad()
def test_as_many_are_drawn_as_there_are_in_half_of_the_real_test_part(materials, mnist, tmp_path):
    """The test part of the fixture has 10 pictures: so it is the first 5 that are drawn."""
    with_data = replace(materials, data=mnist)
    outcome = measured(job("grey", classifier="seer", data=Data(dataset="MNIST")), with_data, tmp_path / "job")
    grey, seer = with_data.generator(job("grey")), with_data.classifier("seer")
    real = with_data.pictures(Data(dataset="MNIST"), "test", 16)
    order = torch.randperm(10, generator=seeds.held_out_generator("likeness"))
    half, other = (seer.features(real.pictures(rows)) for rows in order.chunk(2))
    drawn = seer.features(grey(latents(grey, 3, 0, 5)))
    assert outcome.measures["kernel_distance"] == pytest.approx(kernel_distance(drawn, half), rel=1e-4)
    assert outcome.measures["kernel_distance.floor"] == pytest.approx(kernel_distance(other, half), rel=1e-4)
    for end, some in (("", drawn), (".ceiling", other)):
        shares = precision_and_recall(Manifold(some), Manifold(half))
        assert (outcome.measures[f"precision{end}"], outcome.measures[f"recall{end}"]) == shares


def test_an_interrupted_job_knows_what_it_has_drawn(materials, mnist, tmp_path):
    materials = replace(materials, data=mnist)
    spec = job("grey", classifier="seer", data=Data(dataset="MNIST"))
    with pytest.raises(Interrupted):
        measured(spec, materials, tmp_path / "job", interrupted_after=1)
    disturbed = measured(spec, materials, tmp_path / "job").measures
    assert disturbed == measured(spec, materials, tmp_path / "undisturbed").measures


def test_the_distance_is_what_can_be_had(materials, tmp_path):
    def distance(materials, **settings):
        spec = pb.JobSpec(model="styled", evaluation=pb.EvaluationSpec(**settings))
        return read_spec(spec, materials).settings.distance

    assert distance(materials) is Distance.PIXELS
    assert distance(materials, classifier="judge") is Distance.FEATURES
    assert distance(materials, classifier="judge", distance=pb.DISTANCE_PIXELS) is Distance.PIXELS
    large = build_generator(GeneratorSpec("dcgan", 8, 0, 32, 3, {"width": 2})).freeze()
    save_generator(materials.store, "styled", large, **CREATED)
    (tmp_path / "alexnet.pth").touch()
    assert distance(replace(materials, lpips_backbone=tmp_path / "alexnet.pth")) is Distance.LPIPS


@pytest.mark.parametrize(
    ("settings", "field", "problem"),
    [
        ({"classifier": "nobody"}, "spec.evaluation.classifier", "nobody"),
        ({"classifier": "large"}, "spec.evaluation.classifier", "these have 8 px: take one that was trained at 8 px"),
        ({"distance": pb.DISTANCE_FEATURES}, "spec.evaluation.classifier", "is needed: its features"),
        ({"distance": pb.DISTANCE_LPIPS}, "spec.evaluation.distance", "8 px: LPIPS needs at least 31"),
        ({"classifier": "judge", "data": pb.Data(folder="gone")}, "spec.evaluation.data", "no folder 'gone'"),
        ({"classifier": "judge", "data": pb.Data(folder="few")}, "spec.evaluation.data", "has 3 pictures in its test"),
        ({"classifier": "judge", "data": pb.Data(folder="dark")}, "spec.evaluation.data", "1 channels, those of the"),
        ({"data": pb.Data(folder="enough")}, "spec.evaluation.classifier", "is needed, or inception: real and drawn"),
        ({"samples": 99}, "spec.evaluation.samples", "99 must be from 100"),
    ],
)
def test_what_cannot_be_measured_is_refused_by_field(materials, tmp_path, settings, field, problem):
    for folder, count, channels in (("few", 30, 3), ("enough", 31, 3), ("dark", 31, 1)):
        put_into_folder(tmp_path / folder, torch.zeros(count, 8, 8, channels, dtype=torch.uint8))
    with pytest.raises(InvalidRequest) as refusal:
        read_spec(pb.JobSpec(model="styled", evaluation=pb.EvaluationSpec(**settings)), materials)
    [(named, said)] = refusal.value.violations
    assert named == field
    assert problem in said


def test_a_direction_is_refused(materials):
    with pytest.raises(InvalidRequest, match="publishes no direction"):
        read_spec(pb.JobSpec(model="styled", direction="d", evaluation=pb.EvaluationSpec()), materials)
