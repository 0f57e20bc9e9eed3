"""Jobs that train nothing: what they find, against NumPy and scikit-learn, and that they too can be interrupted."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from styled import make_styled

from latentwalk.gan.artifacts import save_direction, save_generator
from latentwalk.gan.attributes import attribute
from latentwalk.gan.directions import LinearDirection, Slider
from latentwalk.gan.errors import GanError
from latentwalk.gan.families import build_generator
from latentwalk.gan.latents import one_hot, z_from_seeds
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.trainer.checkpoint import Checkpoints
from latentwalk.trainer.loop import Interrupted, train
from latentwalk.trainer.methods import METHODS
from latentwalk.trainer.methods.samples import sample
from latentwalk.trainer.methods.scored import Sampled
from latentwalk.trainer.specs import BoundarySpec, JobSpec, PcaSpec, Score, SefaSpec, SliderReference
from latentwalk.trainer.validation import read_spec
from latentwalk.v1 import training_service_pb2 as pb

SETTINGS = {
    "sefa": SefaSpec(directions=3),
    "pca": PcaSpec(directions=3, samples=1_700),
    "boundary": BoundarySpec(score=Score("luminance"), samples=1_700, fraction=0.1),
}


def job(method, **changes):
    return JobSpec("tiny", 1, "found", 5, 1, method, replace(SETTINGS[method], **changes))


def styled_job(method, **changes):
    return replace(job(method, **changes), model="styled")


def many_w(generator):
    """Those of 20,000 latents [N, W]."""
    z, condition = z_from_seeds(range(20_000), 6), one_hot([0, 1] * 10_000, 2)
    with torch.no_grad():
        return generator.encode(z, "w", condition)


@pytest.fixture
def found(materials, tmp_path):
    """The outcome of a job, interrupted before each of the given pauses."""

    def run(spec, interruptions=()):
        folder = tmp_path / "checkpoints"
        for pauses in interruptions:
            counter = iter(range(pauses))

            def pause(counter=counter):
                if next(counter, None) is None:
                    raise Interrupted

            with pytest.raises(Interrupted):
                go(spec, folder, pause)
        return go(spec, folder, lambda: None)

    def go(spec, folder, pause):
        method = METHODS[spec.method].prepare(spec, materials)
        train(method, Checkpoints(folder), spec.checkpoint_every, report=lambda _: None, pause=pause)
        return method.outcome(pause)

    return run


def test_sefa_finds_the_eigenvectors_of_the_first_weights(found, generator):
    outcome = found(job("sefa"))
    [direction] = outcome.products
    weights = generator.first_weights().double().numpy()
    rows = weights / np.linalg.norm(weights, axis=1, keepdims=True)
    _, _, expected = np.linalg.svd(rows)
    assert (np.abs((direction.vectors.numpy() * expected[:3]).sum(axis=1)) > 0.999).all()
    assert [slider.name for slider in direction.sliders] == ["0", "1", "2"]
    assert list(outcome.measures.values()) == sorted(outcome.measures.values(), reverse=True)


def test_pca_finds_what_scikit_learn_finds_in_all_samples_at_once(found, generator):
    spec = job("pca")
    [direction] = found(spec).products
    with torch.no_grad():
        z = torch.cat([sample(generator, spec.seed, step, 1_700)[0] for step in range(4)])
        features = generator.first_features(z).numpy()
    assert len(z) == 1_700
    full = PCA(3, svd_solver="full").fit(features)
    solution = np.linalg.lstsq(full.transform(features), z.numpy(), rcond=None)[0]
    expected = solution / np.linalg.norm(solution, axis=1, keepdims=True)
    assert (np.abs((direction.vectors.numpy() * expected).sum(axis=1)) > 0.999).all()


@pytest.mark.parametrize("layers", [(), (0, 2)])
def test_sefa_of_styles_finds_the_eigenvectors_of_their_weights_and_moves_w_by_its_deviation(found, layers):
    styled = make_styled()
    [direction] = found(styled_job("sefa", layers=layers)).products
    weights = styled.style_weights(layers).double().numpy()
    rows = weights / np.linalg.norm(weights, axis=1, keepdims=True)
    _, _, expected = np.linalg.svd(rows)
    moved = direction.vectors.unflatten(1, (len(layers) or 1, 5))
    assert (direction.space, direction.layers) == ("w+" if layers else "w", layers)
    assert (moved == moved[:, :1]).all()
    lengths = moved[:, 0].norm(dim=1)
    assert (np.abs((moved[:, 0].numpy() * expected[:3]).sum(axis=1)) > 0.999 * lengths.numpy()).all()
    along = (many_w(styled) @ (moved[:, 0] / lengths[:, None]).T).std(dim=0)
    torch.testing.assert_close(lengths, along, rtol=0.05, atol=0)
    direction.check_spec(styled.spec)


@pytest.mark.parametrize(("layers", "class_ids"), [((), ()), ((1, 3), ()), ((), (1,))])
def test_pca_of_w_finds_what_scikit_learn_finds(found, layers, class_ids):
    styled, spec = make_styled(), styled_job("pca", layers=layers, directions=2, class_ids=class_ids)
    outcome = found(spec)
    [direction] = outcome.products
    with torch.no_grad():
        samples = [sample(styled, spec.seed, step, 1_700, class_ids=class_ids) for step in range(4)]
        w = torch.cat([styled.encode(z, "w", condition) for z, condition in samples]).numpy()
    full = PCA(2, svd_solver="full").fit(w)
    moved = direction.vectors.unflatten(1, (len(layers) or 1, 5))
    assert (moved == moved[:, :1]).all()
    lengths = moved[:, 0].norm(dim=1).numpy()
    assert (np.abs((moved[:, 0].numpy() * full.components_).sum(axis=1)) > 0.999 * lengths).all()
    assert lengths == pytest.approx(np.sqrt(full.explained_variance_), rel=0.1)
    assert list(outcome.measures.values()) == pytest.approx(full.explained_variance_ratio_, rel=1e-3)
    assert (direction.space, direction.layers) == ("w+" if layers else "w", layers)


def test_only_the_classes_that_were_asked_for_are_drawn(materials):
    conditioned = materials.generator(replace(job("boundary"), model="digits"))
    _, condition = sample(conditioned, 5, 0, 500, class_ids=(7, 2))
    assert condition.sum(dim=0).nonzero().flatten().tolist() == [2, 7]
    _, all_of_them = sample(conditioned, 5, 0, 500)
    assert (all_of_them.sum(dim=0) > 0).all()


def test_a_boundary_scores_pictures_of_the_classes_that_it_is_kept_to():
    styled, spec = make_styled(), styled_job("boundary", space="w", class_ids=(1,))
    sampled = Sampled(spec, Score("luminance"), styled, None)
    sampled.look(0)
    z, of_class = sample(styled, spec.seed, 0, 1_700)[0], one_hot([1] * 500, 2)
    with torch.no_grad():
        w = styled.encode(z, "w", of_class)
        torch.testing.assert_close(sampled.scores[:500], attribute("luminance", styled(z, of_class)))
    torch.testing.assert_close(sampled.codes(torch.arange(500), lambda: None), w)


def test_a_boundary_in_w_raises_its_score(found):
    styled = make_styled()
    outcome = found(styled_job("boundary", space="w"))
    [direction] = outcome.products
    assert (direction.space, direction.size) == ("w", 5)
    assert outcome.measures["validation_accuracy"] > 0.9
    w = many_w(styled)[:500]
    with torch.no_grad():
        low, high = (attribute("luminance", styled.draw(w + side * direction.vectors, "w")).mean() for side in (-1, 1))
    assert high > low


@pytest.mark.parametrize(("name", "least"), [("luminance", 0.9), ("centre_x", 0.75)])
def test_a_boundary_raises_its_score_and_tells_unseen_latents_apart(found, generator, name, least):
    outcome = found(job("boundary", score=Score(name)))
    [direction] = outcome.products
    assert [slider.name for slider in direction.sliders] == [name]
    assert outcome.measures["validation_accuracy"] > least
    z = sample(generator, 99, 0, 200)[0]
    with torch.no_grad():
        low, high = (attribute(name, generator(z + side * direction.vectors)).mean() for side in (-1, 1))
    assert high > low


def test_a_conditioned_boundary_leaves_the_conditions_alone(found, materials, generator):
    slider = Slider("s", "", "", 1.0, (-1.0, 1.0), (-1.0, 1.0))
    other = LinearDirection("other", generator.digest, (slider,), torch.ones(1, 8))
    save_direction(materials.store, "tiny", other, provenance={}, created="2026-01-01T00:00:00Z")
    [direction] = found(job("boundary", conditions=(SliderReference("other"),))).products
    assert abs(direction.vectors[0].sum().item()) < 1e-5


def test_a_boundary_conditioned_by_itself_is_refused_and_not_published_as_zero(found, materials, tmp_path):
    [itself] = found(job("boundary")).products
    save_direction(materials.store, "tiny", itself, provenance={}, created="2026-01-01T00:00:00Z")
    (tmp_path / "checkpoints").rename(tmp_path / "before")
    with pytest.raises(GanError, match="nothing of score 'luminance' is left at right angles"):
        found(job("boundary", conditions=(SliderReference("found"),)))


def test_a_boundary_looks_up_the_codes_of_its_ends_alone_and_may_be_stopped_meanwhile(materials):
    method = METHODS["boundary"].prepare(job("boundary"), materials)
    method.trained.load_state_dict({"scores": torch.arange(1_700.0)})  # both ends lie in one of the four steps each
    pauses = list[None]()
    method.outcome(lambda: pauses.append(None))
    assert len(pauses) == 1 + 2


def test_ends_that_meet_in_one_score_are_not_told_apart_by_the_order_of_the_sample(materials):
    method = METHODS["boundary"].prepare(job("boundary", samples=100, fraction=0.4), materials)
    method.trained.load_state_dict({"scores": torch.arange(100.0).clamp(max=30)})
    with pytest.raises(GanError, match="'luminance' is 30 at both ends: take a smaller fraction"):
        method.outcome(lambda: None)
    method.trained.load_state_dict({"scores": torch.tensor([float("nan"), *range(99)])})
    with pytest.raises(GanError, match="score 'luminance' of 1 of 100 pictures is not finite"):
        method.outcome(lambda: None)


@pytest.mark.parametrize("method", ["pca", "boundary"])
def test_an_interrupted_job_finds_the_same_bits(found, tmp_path, method):
    [undisturbed] = found(job(method)).products
    (tmp_path / "checkpoints").rename(tmp_path / "before")
    [disturbed] = found(job(method), interruptions=(1, 2)).products
    assert torch.equal(undisturbed.vectors, disturbed.vectors)


@pytest.mark.parametrize(
    ("method", "settings", "field", "problem"),
    [
        ("sefa", pb.SefaSpec(directions=0), "spec.sefa.directions", "0 must be from 1 to 65,536"),
        ("pca", pb.PcaSpec(directions=0), "spec.pca.directions", "0 must be from 1 to 65,536"),
        ("sefa", pb.SefaSpec(directions=9), "spec.sefa.directions", "9 must be at most 8"),
        ("sefa", pb.SefaSpec(layers=[1]), "spec.sefa.layers", "the generator has no mapping network"),
        ("pca", pb.PcaSpec(layers=[1]), "spec.pca.layers", "the generator has no mapping network"),
        ("boundary", pb.BoundarySpec(space="w"), "spec.boundary.space", "'w' is none that the generator has: z"),
        ("pca", pb.PcaSpec(directions=9), "spec.pca.directions", "9 must be at most 8"),
        ("pca", pb.PcaSpec(directions=8, samples=79), "spec.pca.samples", "79 must be at least 80"),
        ("pca", pb.PcaSpec(class_ids=[0]), "spec.pca.class_ids", "the generator has no classes"),
        ("boundary", pb.BoundarySpec(class_ids=[0]), "spec.boundary.class_ids", "the generator has no classes"),
        ("boundary", pb.BoundarySpec(), "spec.boundary.score", "labels, a classifier, or an attribute of luminance"),
        ("boundary", pb.BoundarySpec(score=pb.Score(attribute="mood")), "spec.boundary.score.attribute", "'mood'"),
        (
            "boundary",
            pb.BoundarySpec(score=pb.Score(classifier=pb.ClassifierScore(classifier="nobody"))),
            "spec.boundary.score.classifier",
            "nobody",
        ),
        (
            "boundary",
            pb.BoundarySpec(score=pb.Score(attribute="red"), samples=100),
            "spec.boundary.fraction",
            "fewer than 4",
        ),
        (
            "boundary",
            pb.BoundarySpec(score=pb.Score(attribute="red"), conditions=[pb.SliderReference(direction="nowhere")]),
            "spec.boundary.conditions[0].direction",
            "nowhere",
        ),
        (
            "boundary",
            pb.BoundarySpec(score=pb.Score(attribute="red"), conditions=[pb.SliderReference(direction="no name")]),
            "spec.boundary.conditions[0].direction",
            "'no name' is no name",
        ),
        (
            "boundary",
            pb.BoundarySpec(score=pb.Score(attribute="red"), conditions=[pb.SliderReference(direction="nowhere")] * 65),
            "spec.boundary.conditions",
            "are 65 sliders; at most 64 are allowed",
        ),
    ],
)
def test_what_cannot_work_is_refused_by_field(materials, method, settings, field, problem):
    with pytest.raises(InvalidRequest) as refusal:
        read_spec(pb.JobSpec(model="tiny", direction="d", **{method: settings}), materials)
    [(named, said)] = refusal.value.violations
    assert named == field
    assert problem in said


def test_no_more_components_are_asked_for_than_one_batch_can_tell(materials):
    wide = build_generator(GeneratorSpec("dcgan", 600, 0, 16, 3, {"width": 2})).freeze()
    save_generator(materials.store, "wide", wide, provenance={}, created="2026-01-01T00:00:00Z")
    settings = pb.PcaSpec(directions=501, samples=10_000)
    with pytest.raises(InvalidRequest, match="501 must be at most 500"):
        read_spec(pb.JobSpec(model="wide", direction="d", pca=settings), materials)


def test_no_more_components_are_asked_for_than_there_are_features(materials):
    narrow = build_generator(GeneratorSpec("dcgan", 100, 0, 16, 3, {"width": 1})).freeze()
    save_generator(materials.store, "narrow", narrow, provenance={}, created="2026-01-01T00:00:00Z")
    settings = pb.PcaSpec(directions=33, samples=1_000)
    with pytest.raises(InvalidRequest, match="33 must be at most 32, the first features"):
        read_spec(pb.JobSpec(model="narrow", direction="d", pca=settings), materials)


@pytest.mark.parametrize(
    ("method", "settings", "field", "problem"),
    [
        ("sefa", pb.SefaSpec(directions=6), "spec.sefa.directions", "6 must be at most 5, the size of w"),
        ("sefa", pb.SefaSpec(directions=2, layers=[4]), "spec.sefa.layers", "[4] must rise, and be from 0 to 3"),
        ("pca", pb.PcaSpec(directions=2, layers=[2, 1]), "spec.pca.layers", "[2, 1] must rise"),
        ("pca", pb.PcaSpec(directions=2, class_ids=[0, 2]), "spec.pca.class_ids[1]", "2 must be from 0 to 1"),
        ("boundary", pb.BoundarySpec(class_ids=[1, 1]), "spec.boundary.class_ids[1]", "1 is there twice"),
        ("boundary", pb.BoundarySpec(space="w+"), "spec.boundary.space", "'w+' is none of z, w"),
        (
            "boundary",
            pb.BoundarySpec(
                space="w", score=pb.Score(attribute="red"), conditions=[pb.SliderReference(direction="in_z")]
            ),
            "spec.boundary.conditions[0].direction",
            "'in_z' moves z: it must move w",
        ),
        ("discovery", pb.DiscoverySpec(space="w+"), "spec.discovery.space", "'w+' is none of z, w"),
        (
            "discovery",
            pb.DiscoverySpec(space="w", directions=6),
            "spec.discovery.directions",
            "at most 5, the size of w",
        ),
        (
            "class_directions",
            pb.ClassDirectionsSpec(space="w", directions=3),
            "spec.class_directions.directions",
            "at most 2, half the size of w 5",
        ),
    ],
)
def test_what_a_generator_with_styles_cannot_do_is_refused_by_field(materials, method, settings, field, problem):
    slider = Slider("s", "", "", 1.0, (-1.0, 1.0), (-1.0, 1.0))
    other = LinearDirection("in_z", make_styled().digest, (slider,), torch.ones(1, 6))
    save_direction(materials.store, "styled", other, provenance={}, created="2026-01-01T00:00:00Z")
    with pytest.raises(InvalidRequest) as refusal:
        read_spec(pb.JobSpec(model="styled", direction="d", **{method: settings}), materials)
    [(named, said)] = refusal.value.violations
    assert named == field
    assert problem in said


def test_a_condition_of_another_version_of_the_generator_is_refused(materials):
    slider = Slider("s", "", "", 1.0, (-1.0, 1.0), (-1.0, 1.0))
    earlier = LinearDirection("earlier", "sha256:" + "0" * 64, (slider,), torch.ones(1, 8))
    save_direction(materials.store, "tiny", earlier, provenance={}, created="2026-01-01T00:00:00Z")
    boundary = pb.BoundarySpec(score=pb.Score(attribute="red"), conditions=[pb.SliderReference(direction="earlier")])
    with pytest.raises(InvalidRequest, match="belongs to the generator sha256:0000") as refusal:
        read_spec(pb.JobSpec(model="tiny", direction="d", boundary=boundary), materials)
    assert [field for field, _ in refusal.value.violations] == ["spec.boundary.conditions[0].direction"]


def test_a_colour_is_refused_of_a_grey_generator(materials):
    with pytest.raises(InvalidRequest, match="'red' needs 3 channels; the generator has 1"):
        read_spec(
            pb.JobSpec(model="grey", direction="d", boundary=pb.BoundarySpec(score=pb.Score(attribute="red"))),
            materials,
        )
