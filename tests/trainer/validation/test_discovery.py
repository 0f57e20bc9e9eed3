"""What the specs of discovery may be: their defaults, and what is refused before anything is queued."""

import json

import pytest
import torch

from latentwalk.gan.artifacts import ArtifactStore, save_classifier, save_generator
from latentwalk.gan.classifiers import ClassifierSpec, build_classifier
from latentwalk.gan.families import build_generator
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.trainer.materials import Materials
from latentwalk.trainer.methods import class_directions
from latentwalk.trainer.methods import discovery as discovery_method
from latentwalk.trainer.methods.class_directions import ClassDirections
from latentwalk.trainer.methods.discovery import Discovery
from latentwalk.trainer.networks.sizes import count_numbers
from latentwalk.trainer.specs import ClassDirectionsSpec, Data, DiscoverySpec, JobSpec, spec_from_json, spec_to_json
from latentwalk.trainer.specs.discovery import DeformatorKind, PredictorKind
from latentwalk.trainer.starts import Drawn
from latentwalk.trainer.validation import read_spec
from latentwalk.v1 import training_service_pb2 as pb


@pytest.fixture
def materials(artifacts_url, mnist):
    """A store that also has classifiers of 16 px pictures with 3 channels ("fits") and with 1 ("grey"), and MNIST."""
    store = ArtifactStore(artifacts_url)
    for name, channels in (("fits", 3), ("grey", 1)):
        torch.manual_seed(0)
        network = build_classifier(ClassifierSpec("convolutional", 4, 16, channels, {"width": 2})).freeze()
        save_classifier(store, name, network, provenance={}, created="2026-01-01T00:00:00Z")
    return Materials(store, mnist)


MNIST = pb.Data(dataset="MNIST")


def discovery(model="tiny", **settings):
    return pb.JobSpec(model=model, direction="d", discovery=pb.DiscoverySpec(**settings))


def banks(model="digits", **settings):
    return pb.JobSpec(model=model, direction="d", class_directions=pb.ClassDirectionsSpec(**settings))


def test_discovery_has_as_many_directions_as_the_latent_has_numbers_by_default(materials):
    settings = read_spec(discovery(), materials).settings
    assert settings == DiscoverySpec(8, predictor_learning_rate=0.002, shift_scale=6.0, shift_min=0.5)
    assert (settings.deformator, settings.predictor, settings.evaluation_size) == ("orthonormal", "lenet", 3_200)


def test_real_pictures_are_looked_at_only_if_there_are_any(materials):
    assert read_spec(discovery("grey"), materials).settings.data is None
    assert read_spec(discovery("grey", data=MNIST), materials).settings.data == Data(dataset="MNIST")


def test_curved_paths_have_shifts_of_their_own(materials):
    settings = read_spec(discovery(deformator=pb.DEFORMATOR_RBF), materials).settings
    assert (settings.shift_scale, settings.shift_min, settings.dipoles) == (0.45, 0.25, 32)


def test_a_scale_below_the_least_shift_by_default_is_the_least_too(materials):
    settings = read_spec(discovery(shift_scale=0.2), materials).settings
    assert (settings.shift_scale, settings.shift_min) == (0.2, 0.2)


def test_banks_are_as_large_as_fit_beside_each_other(materials):
    settings = read_spec(banks(), materials).settings
    assert settings == ClassDirectionsSpec(4, predictor_learning_rate=0.002, shift_scale=6.0, shift_min=0.5)


def test_a_classifier_stands_in_for_the_classes_of_the_generator(materials):
    settings = read_spec(banks("tiny", classifier="fits", confidence=0.9), materials).settings
    assert (settings.classifier, settings.confidence) == ("fits@1", 0.9)
    assert read_spec(banks("tiny", classifier="fits"), materials).settings.confidence == 0.0


@pytest.mark.parametrize(
    "message",
    [discovery(deformator=pb.DEFORMATOR_RBF, learning_rate=0.5), discovery("grey", data=MNIST), banks(directions=2)],
)
def test_these_specs_survive_their_json(materials, message):
    spec = read_spec(message, materials)
    assert spec_from_json(json.loads(json.dumps(spec_to_json(spec)))) == spec


@pytest.mark.parametrize(
    ("bad", "field", "problem"),
    [
        (discovery(directions=0), "discovery.directions", "0 must be from 1 to 4,096"),
        (discovery(directions=9), "discovery.directions", "9 must be at most 8, the latent size"),
        (discovery(directions=9, deformator=6), "discovery.directions", "9 must be at most 8, the latent size"),
        (discovery(directions=9, deformator=7), "discovery.directions", "9 must be at most 8, the latent size"),
        (discovery(directions=5_000, deformator=1), "discovery.directions", "5,000 must be from 1 to 4,096"),
        (discovery(deformator=17), "discovery.deformator", "17 is not supported; use one of LINEAR, ORTHONORMAL"),
        (discovery(predictor_size=16), "discovery.predictor_size", "16 must be from 32 to 1,024"),
        (banks(predictor_size=2_048), "class_directions.predictor_size", "2,048 must be from 32 to 1,024"),
        (discovery(dipoles=4), "discovery.dipoles", "only RBF has dipoles"),
        (discovery(batch_size=1), "discovery.batch_size", "1 must be from 2 to 1,024"),
        (discovery(shift_scale=0), "discovery.shift_scale", "0 must be above 0"),
        (discovery(shift_scale=1, shift_min=2), "discovery.shift_min", "2 must be at most shift_scale, 1"),
        (discovery(shift_min=-1), "discovery.shift_min", "-1 must be from 0"),
        (discovery(shift_weight=float("nan")), "discovery.shift_weight", "nan"),
        (discovery(class_ids=[1]), "discovery.class_ids", "the generator has no classes"),
        (discovery("digits", class_ids=[1, 10]), "discovery.class_ids[1]", "10 must be from 0 to 9"),
        (discovery("digits", class_ids=[1, 1]), "discovery.class_ids[1]", "1 is there twice"),
        (discovery("grey", data=pb.Data()), "discovery.data", "'' is none of MNIST"),
        (discovery("grey", data=pb.Data(folder="nowhere")), "discovery.data", "there is no folder 'nowhere'"),
        (discovery(data=MNIST), "discovery.data", "pictures have 1 channels, those of the generator 3"),
        (banks(directions=0), "class_directions.directions", "0 must be from 1 to 4,096"),
        (banks(directions=5), "class_directions.directions", "5 must be at most 4, half the latent size 8"),
        (banks(classifier="fits"), "class_directions.classifier", "the generator itself has 10 classes"),
        (banks(confidence=0.5), "class_directions.confidence", "there is no classifier"),
        (banks("tiny"), "class_directions.classifier", "is needed: the generator has no classes"),
        (banks("tiny", classifier="nobody"), "class_directions.classifier", "fits, grey"),
        (banks("tiny", classifier="../fits"), "class_directions.classifier", "'../fits' is no name"),
        (banks("tiny", classifier="grey"), "class_directions.classifier", "pictures of 1 channels, and these have 3"),
        (banks("tiny", classifier="fits", confidence=1.5), "class_directions.confidence", "1.5 must be from 0 to 1"),
    ],
)
def test_a_spec_that_cannot_work_is_refused_by_field(materials, bad, field, problem):
    with pytest.raises(InvalidRequest) as refusal:
        read_spec(bad, materials)
    [(named, said)] = refusal.value.violations
    assert named == f"spec.{field}"
    assert problem in said


@pytest.mark.parametrize(
    ("spec", "made", "instead"),
    [
        (discovery("many", deformator=pb.DEFORMATOR_RBF, directions=4_096, dipoles=512), 4_096, "fewer dipoles"),
        (banks("many", separate_predictors=True, predictor=pb.SHIFT_PREDICTOR_RESNET18), 8, "one predictor for all"),
    ],
)
def test_no_more_is_made_than_can_be_trained(materials, spec, made, instead):
    many = build_generator(GeneratorSpec("dcgan", 256, 60, 16, 3, {"width": 2})).freeze()
    save_generator(materials.store, "many", many, provenance={}, created="2026-01-01T00:00:00Z")
    with pytest.raises(InvalidRequest, match=rf"^spec\.\w+\.directions: {made:,}, and a .* weights; .*{instead}"):
        read_spec(spec, materials)


@pytest.mark.parametrize("predictor", PredictorKind)
@pytest.mark.parametrize("separate", [True, False])
def test_what_is_counted_of_banks_and_their_predictors_is_what_is_made(make_generator, predictor, separate):
    generator = make_generator(classes=3)
    settings = ClassDirectionsSpec(2, predictor, predictor_learning_rate=0.1, separate_predictors=separate)
    spec = JobSpec("tiny", 1, "d", 0, 50, "class_directions", settings)
    trained = ClassDirections(spec, Drawn(generator), 3).trained
    assert class_directions.count_weights(settings, generator.spec, 3) == count_numbers(trained)


@pytest.mark.parametrize("deformator", DeformatorKind)
def test_what_is_counted_of_a_deformator_and_its_predictor_is_what_is_made(generator, deformator):
    settings = DiscoverySpec(5, deformator=deformator, dipoles=3, predictor_learning_rate=0.1)
    trained = Discovery(JobSpec("tiny", 1, "d", 0, 50, "discovery", settings), generator).trained
    assert discovery_method.count_weights(settings, generator.spec) == count_numbers(trained)
