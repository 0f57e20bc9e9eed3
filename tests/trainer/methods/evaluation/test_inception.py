"""Evaluations that measure FID and KID, precision and recall, by an Inception v3 of random weights."""

from dataclasses import replace

import pytest
import torch
from backbone_files import TORCHVISION, write_inception

from latentwalk.gan.artifacts import ArtifactStore
from latentwalk.gan.images import as_served
from latentwalk.gan.likeness import kernel_distance
from latentwalk.gan.manifolds import Manifold, precision_and_recall
from latentwalk.gan.truncations import Truncation
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.trainer import seeds
from latentwalk.trainer.materials import Materials
from latentwalk.trainer.methods.evaluation.drawing import Drawing
from latentwalk.trainer.methods.evaluation.inception import Gallery, InceptionLikeness
from latentwalk.trainer.methods.samples import latents
from latentwalk.trainer.specs import Data, Distance, EvaluationSpec, JobSpec
from latentwalk.trainer.validation import read_spec
from latentwalk.v1 import training_service_pb2 as pb

SAMPLES, REAL = 5, 6
SETTINGS = EvaluationSpec(SAMPLES, Distance.PIXELS, data=Data(dataset="MNIST"), inception=True)
SPEC = JobSpec("grey", 1, "", 3, 1, "evaluation", SETTINGS)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_inception(tmp_path_factory.mktemp("inception") / "weights.pth")


@pytest.fixture
def materials(artifacts_url, mnist, weights):
    return Materials(ArtifactStore(artifacts_url), mnist, inception=weights)


@pytest.fixture
def real(materials):
    pictures = materials.pictures(SETTINGS.data, "train", 16)
    return replace(pictures, images=pictures.images[:REAL])


def measuring(materials, real, spec=SPEC, truncation=None):
    """What measures the samples of a job, and what it has seen."""
    gallery = Gallery(spec.settings, materials.features(), real)
    return InceptionLikeness(Drawing(spec, materials.generator(SPEC), truncation), gallery), gallery


@torch.no_grad()
def test_the_samples_are_compared_with_all_real_pictures_as_they_are_and_then_truncated(materials, real):
    """One test, for a Frechet distance of 2,048 features takes seconds."""
    generator, inception = materials.generator(SPEC), materials.features()
    plain, gallery = measuring(materials, real)
    plain.take(0)
    found = plain.measures(lambda: None)
    drawn = inception(as_served(generator(latents(generator, 3, 0, SAMPLES)))).double()
    others = inception(real.pictures(torch.arange(REAL))).double()
    spreads = [(some - some.mean(dim=0)) / (len(some) - 1) ** 0.5 for some in (drawn, others)]
    shared = torch.linalg.svdvals(spreads[0] @ spreads[1].T).sum()  # of so few pictures there is a short way
    means = (drawn.mean(dim=0) - others.mean(dim=0)).square().sum()
    assert found["fid"] == pytest.approx(
        (means + sum(one.square().sum() for one in spreads) - 2 * shared).item(), rel=1e-3
    )
    assert found["kid"] == pytest.approx(kernel_distance(drawn, others), rel=1e-3)
    assert found["fid"] > 0
    # Of sets of equal size: the last of the real ones, in their order by chance, is left out.
    kept = others[torch.randperm(REAL, generator=seeds.held_out_generator("inception"))][:SAMPLES]
    shares = precision_and_recall(Manifold(drawn), Manifold(kept))
    assert (found["precision.inception"], found["recall.inception"]) == shares

    truncated = InceptionLikeness(Drawing(SPEC, generator, Truncation(threshold=0.5)), gallery)
    truncated.take(0)
    drawn = inception(as_served(generator(latents(generator, 3, 0, SAMPLES, 0.5))))
    less = truncated.measures(lambda: None)
    assert list(less) == [f"truncation.threshold=0.5.{name}" for name in found]
    assert less["truncation.threshold=0.5.kid"] == pytest.approx(kernel_distance(drawn, others), rel=1e-3)
    assert less["truncation.threshold=0.5.fid"] > 0
    assert plain.measures(lambda: None) == found


@torch.no_grad()
def test_a_checkpoint_holds_what_was_seen(materials, real):
    (_, seen), (_, resumed) = (measuring(materials, real) for _ in range(2))
    seen.see_real(0)
    resumed.gathered.load_state_dict(seen.gathered.state_dict())
    assert resumed.real.moments.count == REAL
    assert torch.equal(resumed.real.moments.mean, seen.real.moments.mean)
    assert torch.equal(resumed.real.rows, seen.real.rows)
    assert resumed.real.rows.any()


@torch.no_grad()
def test_each_step_sees_its_share_of_the_real_pictures(materials, real):
    _, gallery = measuring(materials, real, replace(SPEC, settings=replace(SETTINGS, samples=501)))
    gallery.see_real(1)
    assert gallery.real.moments.count == REAL // 2


@torch.no_grad()
def test_real_pictures_may_be_fewer_than_steps(materials, real):
    _, gallery = measuring(materials, real, replace(SPEC, settings=replace(SETTINGS, samples=3_001)))  # 7 steps
    gallery.see_real(6)
    assert gallery.real.moments.count == 0
    assert all(tensor.isfinite().all() for tensor in gallery.gathered.state_dict().values())


def test_other_weights_give_measures_of_another_name(materials, real, tmp_path):
    other = replace(materials, inception=write_inception(tmp_path / "other.pth", TORCHVISION))
    named = [measuring(one, real)[0].names for one in (materials, other)]
    assert named == [
        ("fid", "kid", "precision.inception", "recall.inception"),
        ("fid.torchvision", "kid.torchvision", "precision.torchvision", "recall.torchvision"),
    ]


def evaluation(model="grey", **settings):
    return pb.JobSpec(
        model=model, evaluation=pb.EvaluationSpec(**{"inception": True, "data": pb.Data(dataset="MNIST")} | settings)
    )


def test_it_needs_no_classifier_but_pictures_and_weights(materials, tmp_path):
    settings = read_spec(evaluation(), materials).settings
    assert (settings.inception, settings.classifier, settings.data) == (True, "", Data(dataset="MNIST"))
    torch.save({"fc.bias": torch.zeros(1_008)}, tmp_path / "part.pth")
    gone = replace(materials, inception=tmp_path / "x.pth")
    refused = {
        "data": (evaluation(data=None), materials, "is needed with inception"),
        "classifier": (evaluation(inception=False), materials, "is needed, or inception"),
        "inception": (evaluation(), gone, f"there is no {tmp_path / 'x.pth'}"),
    }  # fmt: skip
    part = (evaluation(), replace(materials, inception=tmp_path / "part.pth"), "holds no Inception v3")
    for field, (message, at_hand, problem) in [*refused.items(), ("inception", part)]:
        with pytest.raises(InvalidRequest) as refusal:
            read_spec(message, at_hand)
        [(named, said)] = refusal.value.violations
        assert named == f"spec.evaluation.{field}"
        assert problem in said


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_job_measures_them(make_settings, serve_trainer, mnist, weights):
    settings = make_settings(data=str(mnist), inception_weights=str(weights))
    with serve_trainer(settings) as trainer:
        made = trainer.wait_for_end(trainer.create(evaluation(samples=100)).id)
    assert made.state == pb.JOB_STATE_SUCCEEDED, made.error
    assert made.result.measures["fid"] > 0
    assert "kid" in made.result.measures
    assert all(0 <= made.result.measures[f"{name}.inception"] <= 1 for name in ("precision", "recall"))
    assert set(made.result.data_digests) == {"train", "test"}
