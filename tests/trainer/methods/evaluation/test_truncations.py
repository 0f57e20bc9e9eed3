"""Evaluations of what is drawn under truncation: quality against variety."""

from dataclasses import replace

import pytest
import torch
from PIL import Image
from styled import make_styled

from latentwalk.gan.artifacts import ArtifactStore, save_classifier, save_generator
from latentwalk.gan.classifiers import ClassifierSpec, build_classifier
from latentwalk.gan.images import as_served, to_uint8
from latentwalk.gan.latents import latents_from_seeds, one_hot, z_from_seeds
from latentwalk.gan.likeness import Moments, frechet_distance
from latentwalk.gan.truncations import Truncation
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.trainer.checkpoint import Checkpoints
from latentwalk.trainer.loop import Interrupted, train
from latentwalk.trainer.materials import Materials
from latentwalk.trainer.methods.evaluation import Evaluation
from latentwalk.trainer.methods.evaluation.drawing import Drawing
from latentwalk.trainer.methods.samples import noise, sample
from latentwalk.trainer.specs import Data, Distance, EvaluationSpec, JobSpec, spec_from_json, spec_to_json
from latentwalk.trainer.validation import read_spec
from latentwalk.trainer.wire import write_settings
from latentwalk.v1 import latent_pb2
from latentwalk.v1 import training_service_pb2 as pb

SAMPLES = 120
CREATED = {"provenance": {}, "created": "2026-01-01T00:00:00Z"}
PSIS = (Truncation(psi=1), Truncation(psi=0.5), Truncation(psi=0.5, layers=2))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """200 pictures of "styled" for each of its two parts, of which the first is read as the test part."""
    folder, styled = tmp_path_factory.mktemp("data"), make_styled()
    (folder / "own").mkdir()
    with torch.no_grad():
        pictures = to_uint8(styled(z_from_seeds(range(2_000), 6), one_hot([0, 1] * 1_000, 2)))
    for number, pixels in enumerate(pictures.numpy()):
        Image.fromarray(pixels).save(folder / "own" / f"{number:05}.png")
    return folder


@pytest.fixture
def materials(artifacts_url, folder):
    """Of a store with a generator "styled" of 8 px and a classifier of its pictures, and of pictures of its own."""
    store = ArtifactStore(artifacts_url)
    save_generator(store, "styled", make_styled(), **CREATED)
    for name, resolution in (("judge", 8), ("large", 16)):
        torch.manual_seed(0)
        network = build_classifier(ClassifierSpec("convolutional", 3, resolution, 3, {"width": 2}))
        for weights in network.parameters():  # or else its features are about 0
            weights.data *= 4
        save_classifier(store, name, network.freeze(), **CREATED)
    return Materials(store, folder)


def job(*truncations, model="styled", classifier="judge"):
    settings = EvaluationSpec(
        SAMPLES, Distance.PIXELS, classifier=classifier, data=Data(folder="own"), truncations=truncations
    )
    return JobSpec(model, 1, "", 3, 1, "evaluation", settings)


def measured(spec, materials, folder, interrupted_after=None):
    pauses = iter(range(interrupted_after if interrupted_after is not None else 10**9))

    def pause():
        if next(pauses, None) is None:
            raise Interrupted

    method = Evaluation.prepare(spec, materials)
    train(method, Checkpoints(folder), 1, report=lambda _: None, pause=pause)
    return method.outcome(lambda: None).measures


def truncated(measures, name):
    place = f"truncation.{name}."
    return {what.removeprefix(place): value for what, value in measures.items() if what.startswith(place)}


def test_likeness_is_measured_under_each_truncation_beside_that_of_all(materials, tmp_path):
    measures = measured(job(*PSIS), materials, tmp_path / "job")
    plain = measured(job(), materials, tmp_path / "plain")
    assert {name: value for name, value in measures.items() if not name.startswith("truncation.")} == plain
    whole, half, coarse = (truncated(measures, one.name) for one in PSIS)
    assert list(half) == ["frechet_distance", "kernel_distance", "precision", "recall"]
    assert whole == pytest.approx({name: plain[name] for name in whole}, rel=1e-4, abs=1e-5)
    assert half["recall"] < whole["recall"]
    assert half["frechet_distance"] > 1.3 * whole["frechet_distance"]
    assert coarse["frechet_distance"] != pytest.approx(half["frechet_distance"], rel=0.01)


def test_an_interrupted_job_finds_the_same(materials, tmp_path):
    spec = job(*PSIS[:2])
    with pytest.raises(Interrupted):
        measured(spec, materials, tmp_path / "job", interrupted_after=2)
    disturbed = measured(spec, materials, tmp_path / "job")
    assert disturbed == measured(spec, materials, tmp_path / "undisturbed")


@torch.no_grad()
def test_what_is_drawn_by_psi_is_pulled_towards_the_mean_with_the_noise_and_the_classes_of_all(materials):
    styled, spec = make_styled(), job()
    drawing = Drawing(spec, styled, Truncation(psi=0.5, layers=2))
    z, condition = sample(styled, 3, 0, SAMPLES)
    w_plus = styled.map(z, condition).clone()
    w_plus[:, :2] = (w_plus[:, :2] + styled.mean_w) / 2
    expected = as_served(styled.synthesise(w_plus, noise(styled, 3, 0, torch.arange(SAMPLES))))
    torch.testing.assert_close(torch.cat([*drawing.pictures(0, SAMPLES)]), expected, atol=1.1 / 127.5, rtol=0)


@torch.no_grad()
def test_what_is_drawn_by_a_threshold_is_of_latents_within_it(materials, tmp_path):
    spec = job(Truncation(threshold=0.5), model="tiny", classifier="large")
    found = truncated(measured(spec, materials, tmp_path / "job"), "threshold=0.5")
    tiny, large = materials.generator(spec), materials.classifier("large")
    [one, *_] = Drawing(spec, tiny, Truncation(threshold=0.5)).pictures(0, 1)
    z, _ = sample(tiny, 3, 0, 1, 0.5)
    assert z.abs().max() < 0.5
    torch.testing.assert_close(one, as_served(tiny(z)))
    assert found["frechet_distance"] > 0
    drawn = tiny(latents_from_seeds(range(500), tiny.spec, 0.5))
    assert drawn.std() < tiny(latents_from_seeds(range(500), tiny.spec)).std()
    assert (
        frechet_distance(*(Moments.of(large.features(drawn[rows::2])) for rows in (0, 1))) < found["frechet_distance"]
    )


@torch.no_grad()
def test_a_trainer_tells_that_what_is_truncated_looks_more_real_and_is_less_varied(
    materials, make_settings, serve_trainer, tmp_path
):
    """Real pictures are those of z within +-0.7, beyond which the model draws what is not real, too."""
    tiny = materials.generator(job(model="tiny"))
    (tmp_path / "real" / "within").mkdir(parents=True)
    for number, pixels in enumerate(to_uint8(tiny(latents_from_seeds(range(5_000, 7_400), tiny.spec, 0.7))).numpy()):
        Image.fromarray(pixels).save(tmp_path / "real" / "within" / f"{number:05}.png")
    asked = message(
        latent_pb2.Truncation(threshold=0.35),
        model="tiny", classifier="large", data=pb.Data(folder="within"), samples=SAMPLES, distance=pb.DISTANCE_PIXELS,
    )  # fmt: skip
    with serve_trainer(make_settings(data=str(tmp_path / "real"))) as trainer:
        made = trainer.wait_for_end(trainer.create(asked).id)
    assert made.state == pb.JOB_STATE_SUCCEEDED, made.error
    plain, less = made.result.measures, truncated(made.result.measures, "threshold=0.35")
    assert less["precision"] > plain["precision"] + 0.25
    assert less["recall"] < plain["recall"] - 0.15
    assert min(plain["precision.ceiling"], plain["recall.ceiling"]) > 0.85
    assert {"precision", "recall"} == {name for name in less if not name.endswith("distance")}


def message(*truncations, model="styled", **settings):
    given = {"classifier": "judge", "data": pb.Data(folder="own"), "truncations": truncations}
    return pb.JobSpec(model=model, evaluation=pb.EvaluationSpec(**given | settings))


def test_a_request_names_them_as_a_latent_does_and_a_job_keeps_them(materials):
    asked = (
        latent_pb2.Truncation(psi=0.5),
        latent_pb2.Truncation(psi=0, layers=2),
        latent_pb2.Truncation(psi=-1, layers=4),
    )
    spec = read_spec(message(*asked), materials)
    known = (Truncation(psi=0.5), Truncation(psi=0, layers=2), Truncation(psi=-1, layers=4))
    assert spec.settings.truncations == known
    assert spec_from_json(spec_to_json(spec)) == spec
    written = pb.EvaluationSpec()
    write_settings(spec.settings, written)
    assert [one.psi for one in written.truncations] == [0.5, 0, -1]
    assert read_spec(pb.JobSpec(model="styled", evaluation=written), materials).settings == spec.settings
    assert spec.settings.steps == 4 * spec.settings.steps_of_a_pass
    before = replace(spec.settings, truncations=())
    assert before.steps == before.steps_of_a_pass


@pytest.mark.parametrize(
    ("request_", "field", "problem"),
    [
        (message(latent_pb2.Truncation()), "truncations[0].psi", "is needed"),
        (message(latent_pb2.Truncation(layers=2)), "truncations[0].psi", "is needed"),
        (message(latent_pb2.Truncation(psi=3)), "truncations[0].psi", "3 must be from -2 to 2"),
        (message(latent_pb2.Truncation(psi=1, layers=5)), "truncations[0].layers", "5 must be from 1 to 4"),
        (message(latent_pb2.Truncation(threshold=1)), "truncations[0].threshold", "this one has a mapping network"),
        (
            message(latent_pb2.Truncation(psi=1), latent_pb2.Truncation(psi=1)),
            "truncations[1]",
            "psi=1 is there twice",
        ),
        (message(*[latent_pb2.Truncation(psi=1)] * 17), "truncations", "are 17; at most 16 are allowed"),
        (message(latent_pb2.Truncation(psi=1), data=None), "data", "is needed with truncations"),
        (
            message(latent_pb2.Truncation(psi=1), model="tiny", classifier="large"),
            "truncations[0].psi",
            "give a threshold, which cuts off z",
        ),
    ],
)
def test_what_cannot_be_measured_is_refused_by_field(materials, request_, field, problem):
    with pytest.raises(InvalidRequest) as refusal:
        read_spec(request_, materials)
    [(named, said)] = refusal.value.violations
    assert named == f"spec.evaluation.{field}"
    assert problem in said
