"""Jobs on another device than the CPU: on a second one, which is simulated, and on CUDA where there is some."""

import multiprocessing
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from pathlib import Path

import pytest
import second_device
import torch
from backbone_files import write_alexnet, write_inception
from styled import make_styled
from torch import Tensor

from latentwalk.gan.artifacts import ArtifactStore, load_generator, save_generator
from latentwalk.gan.edits import EDITS
from latentwalk.gan.families import build_generator
from latentwalk.gan.latents import latents_from_seeds, one_hot
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.trainer import quick
from latentwalk.trainer.checkpoint import Checkpoints
from latentwalk.trainer.devices import settle_on
from latentwalk.trainer.loop import Interrupted, train
from latentwalk.trainer.materials import Materials, Sources
from latentwalk.trainer.methods import METHODS
from latentwalk.trainer.networks import precision
from latentwalk.trainer.publish import Publisher
from latentwalk.trainer.reports import News, Result, Sample
from latentwalk.trainer.specs import JobSpec
from latentwalk.trainer.validation import read_spec
from latentwalk.v1 import latent_pb2
from latentwalk.v1 import training_service_pb2 as pb
from proofs.kills import JOBS

TURNED = pb.CustomEdit(name="turned", affine=pb.Matrix(entries=[0, -1, 0, 1, 0, 0]))
TILTED = pb.CustomEdit(name="tilted", homography=pb.Matrix(entries=[0, 0, 0, 0, 0, 0, 1, 0, 0]))
WARM = pb.CustomEdit(name="warm", colour=pb.Matrix(entries=[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, -1]))
CUSTOM = [pb.EditTarget(custom=one, amount_low=-0.4, amount_high=0.4) for one in (TURNED, TILTED, WARM)]
WALK = {"edits": [pb.EditTarget(edit="brightness")], "steps": 8, "batch_size": 4, "evaluation_size": 8}
SEARCH = {"directions": 2, "steps": 8, "batch_size": 4, "evaluation_size": 8}
MNIST = pb.Data(dataset="MNIST")
GAME = {"data": MNIST, "resolution": 8, "latent_size": 4, "width": 2, "steps": 12, "batch_size": 4}

MORE: Mapping[str, pb.JobSpec] = {
    "every edit": pb.JobSpec(
        model="digits",
        direction="every",
        edit_direction=pb.EditDirectionSpec(
            edits=[*(pb.EditTarget(edit=name) for name in EDITS), *CUSTOM], steps=8, batch_size=16, evaluation_size=8
        ),
    ),
    "evaluation of limits": pb.JobSpec(
        model="digits",
        evaluation=pb.EvaluationSpec(samples=100, sliders=[pb.SliderReference(direction="every", slider="zoom")]),
    ),
    "edit in w+": pb.JobSpec(
        model="styled",
        direction="w",
        edit_direction=pb.EditDirectionSpec(
            **WALK, form=pb.WALK_FORM_NONLINEAR, space="w+", layers=[0, 2], truncation=latent_pb2.Truncation(psi=0.7)
        ),
    ),
    "sefa of some layers": pb.JobSpec(model="styled", direction="sefa", sefa=pb.SefaSpec(directions=2, layers=[1, 2])),
    "pca of w": pb.JobSpec(model="styled", direction="pca", pca=pb.PcaSpec(directions=2, samples=600)),
    "boundary in w": pb.JobSpec(
        model="styled",
        direction="plane",
        boundary=pb.BoundarySpec(score=pb.Score(attribute="luminance"), samples=600, fraction=0.1, space="w"),
    ),
    "discovery of random axes, by small pictures": pb.JobSpec(
        model="large",
        direction="random",
        discovery=pb.DiscoverySpec(**SEARCH, deformator=pb.DEFORMATOR_RANDOM, predictor_size=32),
    ),
    "discovery in w": pb.JobSpec(model="styled", direction="found", discovery=pb.DiscoverySpec(**SEARCH, space="w")),
    "evaluation by LPIPS": pb.JobSpec(model="large", evaluation=pb.EvaluationSpec(samples=100)),
    "edit by LPIPS": pb.JobSpec(
        model="large", direction="looks", edit_direction=pb.EditDirectionSpec(**WALK, loss=pb.EDIT_LOSS_LPIPS)
    ),
    "gan, Wasserstein": pb.JobSpec(model="drawn", gan=pb.GanSpec(gan=pb.GanSettings(**GAME, loss=pb.GAN_LOSS_WGAN_GP))),
    "gan, on from another": pb.JobSpec(
        model="further", gan=pb.GanSpec(gan=pb.GanSettings(data=MNIST, start_from="grey", steps=12, batch_size=4))
    ),
}
"""What JOBS leave out."""

LONG: Mapping[str, pb.JobSpec] = {
    "a classifier for others": pb.JobSpec(
        model="judge", classifier=pb.ClassifierSpec(data=MNIST, resolution=16, steps=12, batch_size=4)
    ),
    "boundary of a class": pb.JobSpec(
        model="grey",
        direction="eight",
        boundary=pb.BoundarySpec(
            score=pb.Score(classifier=pb.ClassifierScore(classifier="judge", class_id=8)), samples=2_000
        ),
    ),
    "evaluation beside real pictures": pb.JobSpec(
        model="grey",
        evaluation=pb.EvaluationSpec(
            samples=100, classifier="judge", data=MNIST, sliders=[pb.SliderReference(direction="eight")]
        ),
    ),
    "discovery by a network, and its variation": pb.JobSpec(
        model="grey",
        direction="bent",
        discovery=pb.DiscoverySpec(**SEARCH, deformator=pb.DEFORMATOR_MLP, data=MNIST),
    ),
    "discovery by a ResNet": pb.JobSpec(
        model="tiny",
        direction="deep",
        discovery=pb.DiscoverySpec(**SEARCH, predictor=pb.SHIFT_PREDICTOR_RESNET18),
    ),
    "class directions by a classifier": pb.JobSpec(
        model="grey",
        direction="judged",
        class_directions=pb.ClassDirectionsSpec(
            **SEARCH | {"steps": 6, "batch_size": 2},
            classifier="judge",
            confidence=0.15,
            separate_predictors=True,
            orthogonality=pb.ORTHOGONALITY_SOFT,
        ),
    ),
}
"""What else they leave out, and what takes longer."""

LONGEST: Mapping[str, pb.JobSpec] = {
    "evaluation by Inception": pb.JobSpec(
        model="grey", evaluation=pb.EvaluationSpec(samples=100, data=MNIST, inception=True)
    ),
}
"""What takes minutes by itself."""

BREAK = 5
"""Steps after which a job on the second device is interrupted, to go on from its checkpoint."""
TOLERANCES = {second_device.NAME: 1e-3, "cuda": 0.05}
"""Of the length of a tensor. On the second device most are the same to the last bit, but a product may be summed up in
another order; on CUDA all are, and Adam makes whole steps even of rounding."""
SHARE = 0.1
"""Of measures: of few pictures, one may be told otherwise for it."""


@pytest.fixture
def sources(artifacts_url, mnist, tmp_path):
    """With a generator "styled" that has w, a "large" one for LPIPS, and networks that have learnt nothing."""
    store = ArtifactStore(artifacts_url)
    large = build_generator(GeneratorSpec("dcgan", 8, 0, 32, 3, {"width": 4})).freeze()
    for name, one in {"styled": make_styled(), "large": large}.items():
        save_generator(store, name, one, provenance={}, created="2026-01-01T00:00:00Z")
    alexnet, inception = write_alexnet(tmp_path / "alexnet.pth"), write_inception(tmp_path / "inception.pth")
    return Sources(artifacts_url, str(mnist), lpips_backbone=str(alexnet), inception=str(inception))


def complete(job: pb.JobSpec, materials: Materials) -> JobSpec:
    message = pb.JobSpec(seed=11, checkpoint_every=1_000)
    message.MergeFrom(job)
    return read_spec(message, materials)


def led(spec: JobSpec, materials: Materials, folder: Path, *stops: int) -> tuple[Result, list[Sample]]:
    """Leads the life of a job, which stops after so many steps. Returns what it has published, and its sheets."""
    said: list[News] = []
    for left in (*stops, None):
        method = METHODS[spec.method].prepare(spec, materials)
        with suppress(Interrupted):
            train(method, Checkpoints(folder), 1_000, report=said.append, pause=Patience(left))
    result = Publisher(materials.store, str(folder), spec).publish(method.outcome(lambda: None))
    return result, [one for one in said if isinstance(one, Sample)]


class Patience:
    """Lasts for so many steps, or for ever."""

    def __init__(self, steps: int | None) -> None:
        self._left = steps

    def __call__(self) -> None:
        if self._left == 0:
            raise Interrupted
        if self._left is not None:
            self._left -= 1


@torch.no_grad()
def tensors_of(result: Result, spec: JobSpec, store: ArtifactStore) -> dict[str, Tensor]:
    """Those of what was published; of a generator what it draws, for Adam moves weights that change no picture, too."""
    found: dict[str, Tensor] = {}
    for one in result.artifacts:
        if one.kind == "generators":
            generator, _ = load_generator(store, one.name, one.version)
            z, classes = latents_from_seeds(range(8), generator.spec), generator.spec.classes
            found["pictures"] = generator(z, one_hot([1] * len(z), classes) if classes else None)
            continue
        name = f"{spec.model}/{one.name}" if one.kind == "directions" else one.name
        tensors = store.get(one.kind, name, one.version).tensors
        found |= {f"{one.kind}: {key}": tensor for key, tensor in tensors.items()}
    return found


def in_full_precision() -> None:
    precision.has_bf16 = quick.has_bf16 = lambda _device: False


def compare(jobs: Mapping[str, pb.JobSpec], sources: Sources, folder: Path, device: str) -> None:
    """Leads a life of each job on the CPU and one on the device, and fails where they come to different ends.

    The process is not good for more.
    """
    torch.set_num_threads(1)
    in_full_precision()
    if simulated := device.startswith(second_device.NAME):
        second_device.set_up()
        # Convolutions on the second device are torch's own. oneDNN, where it has others for this processor, sums up in
        # another order, of which 15 steps of a game can make another picture.
        torch.backends.mkldnn.enabled = False
    here, there = sources.open(), sources.open(device=settle_on(device))
    for name, job in jobs.items():
        spec = complete(job, here)
        wanted, sheets = led(spec, here, folder / "here" / name)
        with second_device.SecondDevice() if simulated else nullcontext():
            result, same_sheets = led(spec, there, folder / "there" / name, BREAK)
        assert result.measures == pytest.approx(wanted.measures, rel=SHARE, abs=SHARE), name
        assert [one.slider for one in result.evaluations] == [one.slider for one in wanted.evaluations], name
        assert [(one.step, one.caption) for one in same_sheets] == [(one.step, one.caption) for one in sheets], name
        tensors, same_tensors = (tensors_of(one, spec, here.store) for one in (wanted, result))
        assert tensors.keys() == same_tensors.keys(), name
        for key, tensor in tensors.items():
            missed = (same_tensors[key] - tensor).double().norm() / tensor.double().norm().clamp(min=1e-12)
            assert missed < TOLERANCES[there.device.type], f"{name}: {key} misses by {missed:.1e}"


def in_a_process_of_its_own(work: Callable[..., None], *arguments: object) -> None:
    process = multiprocessing.get_context("spawn").Process(target=work, args=arguments)
    process.start()
    process.join()
    assert process.exitcode == 0


all_jobs = pytest.mark.parametrize(
    "jobs",
    [JOBS, *(pytest.param(jobs, marks=pytest.mark.long) for jobs in (MORE, LONG, LONGEST))],
    ids=["short", "more", "long", "longest"],
)
needs_devices_in_python = pytest.mark.skipif(not second_device.POSSIBLE, reason="this torch has no devices in Python")


@needs_devices_in_python
@pytest.mark.timeout(600)
@all_jobs
def test_every_method_does_on_another_device_what_it_does_on_the_cpu_and_goes_on_there(sources, tmp_path, jobs):
    in_a_process_of_its_own(compare, jobs, sources, tmp_path, f"{second_device.NAME}:0")


def mix() -> None:
    second_device.set_up()
    with second_device.SecondDevice(), pytest.raises(second_device.DevicesMixed, match=r"add.* on second:0, .* on cpu"):
        torch.ones(2, device="second").add(torch.ones(2))


@needs_devices_in_python
def test_the_other_device_refuses_to_compute_with_what_is_on_the_cpu():
    in_a_process_of_its_own(mix)


# -- CUDA ------------------------------------------------------------------------------------------------------------


def needs_cuda(test: Callable[..., None]) -> Callable[..., None]:
    return pytest.mark.cuda(pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")(test))


@needs_cuda
@all_jobs
def test_every_method_does_on_cuda_what_it_does_on_the_cpu_and_goes_on_there(sources, tmp_path, jobs):
    in_a_process_of_its_own(compare, jobs, sources, tmp_path, "cuda:0")


@needs_cuda
def test_a_trainer_runs_a_job_on_cuda_and_says_so(make_settings, serve_trainer, artifacts_url):
    with serve_trainer(make_settings(devices="cuda:0")) as trainer:
        job = trainer.wait_for_end(trainer.create(JOBS["discovery, orthonormal"]).id)
        reasons = [event.state_change.reason for event in trainer.watch(job.id)]
    assert job.state == pb.JOB_STATE_SUCCEEDED, job.error
    assert "on cuda:0" in reasons
    provenance = ArtifactStore(artifacts_url).get("directions", "tiny/found").manifest["provenance"]
    assert provenance["device"].startswith("cuda ")
