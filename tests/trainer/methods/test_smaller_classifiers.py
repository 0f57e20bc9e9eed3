"""Generators of 32 px and a classifier of 16: whatever asks it, in whole jobs, against pictures shrunk by hand."""

import pytest
import torch
from dcgan import settled
from PIL import Image
from torch.nn import functional as F

from latentwalk.gan.artifacts import ArtifactStore, save_classifier, save_direction, save_generator
from latentwalk.gan.classifiers import ClassifierSpec, build_classifier
from latentwalk.gan.directions import LinearDirection, Slider
from latentwalk.gan.entanglement import conditional_entropy, margins
from latentwalk.gan.families import build_generator
from latentwalk.gan.images import to_uint8
from latentwalk.gan.latents import latents_from_seeds
from latentwalk.gan.likeness import kernel_distance
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.trainer import seeds
from latentwalk.trainer.checkpoint import Checkpoints
from latentwalk.trainer.loop import train
from latentwalk.trainer.materials import Materials
from latentwalk.trainer.methods import METHODS
from latentwalk.trainer.methods.evaluation.walker import Walker
from latentwalk.trainer.methods.samples import sample
from latentwalk.trainer.seat import Dice
from latentwalk.trainer.specs import Data
from latentwalk.trainer.starts import Classified
from latentwalk.trainer.validation import read_spec
from latentwalk.v1 import training_service_pb2 as pb

CREATED = {"provenance": {}, "created": "2026-01-01T00:00:00Z"}
SAMPLES, SEED = 100, 3


def halved(pictures):
    return F.interpolate(pictures, (16, 16), mode="bilinear", antialias=True)


@pytest.fixture(scope="module")
def generator():
    torch.manual_seed(0)
    generator = build_generator(GeneratorSpec("dcgan", 8, 0, 32, 3, {"width": 4}))
    with torch.no_grad():
        for weights in generator.parameters():  # or else its pictures are all of one grey
            weights.mul_(3)
    return settled(generator)


@pytest.fixture(scope="module")
def judge(generator):
    """One to which the pictures of the generator are of all its classes."""
    torch.manual_seed(1)
    judge = build_classifier(ClassifierSpec("convolutional", 3, 16, 3, {"width": 4})).freeze()
    head = judge.get_submodule("head")
    features = judge.features(halved(generator(latents_from_seeds(range(100), generator.spec))))
    head.weight.div_(features.std(dim=0))
    head.bias.copy_(-head.weight @ features.mean(dim=0))
    return judge


@pytest.fixture(scope="module")
def axis(generator):
    slider = Slider("0", "", "", 1.0, (-1.0, 1.0), (-3.0, 3.0))
    return LinearDirection("axis", generator.digest, (slider,), vectors=torch.eye(8)[:1])


@pytest.fixture
def materials(tmp_path, generator, judge, axis):
    """Of a store with "large", "judge" and the direction "axis"; and of a folder "own" of pictures of "large"."""
    store = ArtifactStore(str(tmp_path / "store"))
    save_generator(store, "large", generator, **CREATED)
    save_classifier(store, "judge", judge, **CREATED)
    save_direction(store, "large", axis, **CREATED)
    (tmp_path / "own").mkdir()
    with torch.no_grad():
        own = to_uint8(generator(latents_from_seeds(range(1_000, 1_200), generator.spec)))
    for number, pixels in enumerate(own.numpy()):
        Image.fromarray(pixels).save(tmp_path / "own" / f"{number:03}.png")
    return Materials(store, tmp_path)


@pytest.fixture
def done(materials, tmp_path):
    """A job of "large" that has gone through, and what came of it."""

    def done(direction="", **method):
        spec = read_spec(pb.JobSpec(model="large", direction=direction, seed=SEED, **method), materials)
        running = METHODS[spec.method].prepare(spec, materials)
        train(running, Checkpoints(tmp_path / "job"), 10, report=lambda _: None, pause=lambda: None)
        return running, running.outcome(lambda: None)

    return done


@pytest.fixture
def evaluated(done):
    return lambda **settings: done(evaluation=pb.EvaluationSpec(samples=SAMPLES, classifier="judge", **settings))[1]


@torch.no_grad()
def test_a_boundary_lies_between_its_scores(done, generator, judge):
    score = pb.Score(classifier=pb.ClassifierScore(classifier="judge", class_id=1))
    boundary, outcome = done("plane", boundary=pb.BoundarySpec(score=score, samples=SAMPLES, fraction=0.2))
    z, _ = sample(generator, SEED, 0, SAMPLES)
    scores = judge(halved(generator(z))).softmax(dim=1)[:, 1]
    torch.testing.assert_close(boundary.trained.scores, scores, atol=1e-4, rtol=0)
    assert outcome.products[0].sliders[0].name == "class.1"


@torch.no_grad()
def test_its_classes_are_separated(evaluated, generator, judge):
    measures = evaluated().measures
    z, _ = sample(generator, SEED, 0, SAMPLES)
    entropies = [conditional_entropy(z, margin) for margin in margins(judge(halved(generator(z)))).unbind(dim=1)]
    assert [measures[f"conditional_entropy.z.{k}"] for k in range(3)] == pytest.approx(entropies, abs=0.01)


@torch.no_grad()
def test_paths_and_steps_are_as_long_as_its_features_change(evaluated, axis, generator, judge):
    sliders = [pb.SliderReference(direction="axis")]
    measures = evaluated(distance=pb.DISTANCE_FEATURES, sliders=sliders).measures
    walker = Walker(generator, axis, "0")
    untouched, *walked = walker.pictures(range(SAMPLES))
    first = walker.alphas.index(min(alpha for alpha in walker.alphas if alpha > 0))
    one, other = (F.normalize(judge.features(halved(some)), dim=1) for some in (untouched, walked[first]))
    expected = (one - other).square().sum(dim=1).mean().item()
    assert measures[f"limits.axis.0.step_distance.{walker.alphas[first]:+.4g}"] == pytest.approx(expected, rel=1e-3)
    assert measures["path_length.z.end"] > 0


@torch.no_grad()
def test_pictures_keep_their_class(evaluated, axis, generator, judge):
    measures = evaluated(distance=pb.DISTANCE_PIXELS, sliders=[pb.SliderReference(direction="axis")]).measures
    walker = Walker(generator, axis, "0")
    untouched, *walked = (judge(halved(some)).argmax(dim=1) for some in walker.pictures(range(SAMPLES)))
    kept = {
        f"{alpha:+.4g}": (one == untouched).float().mean() for alpha, one in zip(walker.alphas, walked, strict=True)
    }
    told = {alpha: measures[f"limits.axis.0.class_kept.{alpha}"] for alpha in kept}
    assert told == pytest.approx({alpha: share.item() for alpha, share in kept.items()}, abs=0.02)
    assert min(told.values()) < 0.9
    assert all(measures[f"limits.axis.0.frechet_distance.{alpha}"] > 0 for alpha in kept)


@torch.no_grad()
def test_real_pictures_are_seen_as_if_they_had_been_read_at_its_own_size(evaluated, materials, generator, judge):
    measures = evaluated(data=pb.Data(folder="own")).measures
    real = materials.pictures(Data(folder="own"), "test", 16)
    half, _ = torch.randperm(20, generator=seeds.held_out_generator("likeness")).chunk(2)
    z, _ = sample(generator, SEED, 0, SAMPLES)
    expected = kernel_distance(judge.features(halved(generator(z[:10]))), judge.features(real.pictures(half)))
    assert measures["kernel_distance"] == pytest.approx(expected, rel=0.05)
    assert measures["frechet_distance"] > 0


@torch.no_grad()
def test_it_says_the_classes_of_class_directions(done, generator, judge):
    told = Classified(generator, judge, 0.0).starts(range(40), Dice(torch.Generator()))
    assert torch.equal(told.classes, judge(halved(told.pictures)).argmax(dim=1))
    assert set(told.classes.tolist()) == {0, 1, 2}
    settings = {"directions": 1, "steps": 2, "batch_size": 4, "evaluation_size": 8, "classifier": "judge"}
    with torch.enable_grad():
        _, outcome = done("found", class_directions=pb.ClassDirectionsSpec(**settings))
    assert [one.name for one in outcome.products[0].sliders] == ["global.0", "class0.0", "class1.0", "class2.0"]
