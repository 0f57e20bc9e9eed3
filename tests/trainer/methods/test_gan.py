"""Training generators, alone and with their walk, and classifiers: exact resume, and what comes of it."""

import base64
import math
import re
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from latentwalk.gan.classifiers import Classifier
from latentwalk.gan.directions import LinearDirection
from latentwalk.gan.generator import Generator
from latentwalk.trainer.checkpoint import Checkpoints
from latentwalk.trainer.data import DataRefused, Pictures
from latentwalk.trainer.loop import Interrupted, train
from latentwalk.trainer.materials import Parent
from latentwalk.trainer.methods.classifier import ClassifierTraining
from latentwalk.trainer.methods.gan import Gan
from latentwalk.trainer.methods.joint import Joint
from latentwalk.trainer.reports import Progress, Sample
from latentwalk.trainer.specs import (
    ClassifierSpec,
    Data,
    EditTarget,
    GanFamily,
    GanLoss,
    GanSettings,
    GanSpec,
    JobSpec,
    JointMode,
    JointSpec,
)

ROTATE = EditTarget("rotate", -20.0, 20.0)
TINY = GanSettings(
    data=Data(dataset="MNIST"),
    family=GanFamily.DCGAN,
    resolution=8,
    latent_size=4,
    width=2,
    discriminator_width=2,
    penalty=1.0,
    discriminator_learning_rate=0.001,
    learning_rate=0.001,
    steps=20,
    batch_size=4,
    ema_half_life=8,
    sample_every=8,
)

STYLES = {"family": GanFamily.STYLEGAN, "max_width": 4, "w_size": 6, "mapping_layers": 2, "style_mixing": 0.9}
LEARNT = {"steps": 300, "learning_rate": 0.003, "discriminator_learning_rate": 0.003, "max_width": 16}
LEARNT_STYLES = LEARNT | {"w_size": 16}


def make_pictures(channels=1):
    """40 pictures of 2 classes: their upper or their lower half is white."""
    images, labels = torch.zeros(40, channels, 8, 8, dtype=torch.uint8), torch.arange(40) % 2
    images[labels == 0, :, :4] = 255
    images[labels == 1, :, 4:] = 255
    return Pictures(images, labels, ("up", "down"))


def job(settings, method="gan"):
    return JobSpec("new", 0, "turn", 3, 5, method, settings)


def make_gan(pictures=None, parent=None, **changes):
    return Gan(job(GanSpec(replace(TINY, **changes))), pictures or make_pictures(), parent=parent)


def make_styled(**changes):
    return make_gan(**STYLES | changes)


def make_progan(**changes):
    """Grown as make_growing."""
    grown = {"family": GanFamily.PROGAN, "max_width": 4, "progressive_from": 4, "stable_steps": 5, "fade_steps": 8}
    return make_gan(**grown | changes)


def make_growing(**changes):
    """Stages: 4 px to step 5, 8 px fades in to step 13."""
    return make_styled(**{"progressive_from": 4, "stable_steps": 5, "fade_steps": 8} | changes)


def make_parent(make):
    """One with the weights with which such a job would begin from nothing."""
    return Parent("old", 1, make()._match.averaged.freeze())


def make_joint(mode, pictures=None, parent=None, **changes):
    gan = replace(TINY, **{"conditional": True, "augmentation": (ROTATE,)} | changes)
    spec = JointSpec(gan, edits=(ROTATE,), mode=mode, edit_weight=1.0, walk_steps=7, evaluation_size=6)
    return Joint(job(spec, "joint"), pictures or make_pictures(), parent=parent)


def make_classifier(steps=20, train=None, test=None):
    settings = ClassifierSpec(Data(dataset="MNIST"), resolution=8, steps=steps, batch_size=8, learning_rate=0.01)
    return ClassifierTraining(job(settings, "classifier"), train or make_pictures(), test or make_pictures())


def go(make, folder, pauses=10**9):
    """Trains from the newest checkpoint in the folder on, until the n-th pause interrupts it."""
    method, reports, left = make(), [], [pauses]

    def pause():
        left[0] -= 1
        if left[0] < 0:
            raise Interrupted

    try:
        train(method, Checkpoints(folder), 5, report=reports.append, pause=pause)
    except Interrupted:
        return None, reports
    return method, reports


FORMS = {
    "unconditional": make_gan,
    "conditional": lambda: make_gan(conditional=True),
    "hinge with spectral normalisation": lambda: make_gan(loss=GanLoss.HINGE, penalty=0.0, spectral_norm=True),
    "wasserstein": lambda: make_gan(loss=GanLoss.WGAN_GP, penalty=10.0),
    "compared in groups, and mirrored": lambda: make_gan(minibatch_deviation=True, mirror=True),
    "growing, compared in groups": lambda: make_growing(minibatch_deviation=True),
    "joint, compared in groups": lambda: make_joint(JointMode.JOINT, minibatch_deviation=True, mirror=True),
    "without an average": lambda: make_gan(ema_half_life=0.0),
    "styles": lambda: make_styled(conditional=True),
    "growing": lambda: make_growing(conditional=True),
    "growing without styles": lambda: make_progan(conditional=True),
    "joint": lambda: make_joint(JointMode.JOINT),
    "joint, styles": lambda: make_joint(JointMode.JOINT, **STYLES),
    "in sequence": lambda: make_joint(JointMode.SEQUENTIAL),
    "in sequence, growing": lambda: make_joint(
        JointMode.SEQUENTIAL, **STYLES, progressive_from=4, stable_steps=5, fade_steps=8
    ),
    "on from another": lambda: make_styled(parent=make_parent(make_styled), steps=17),
    "joint, on from another": lambda: make_joint(
        JointMode.JOINT, parent=make_parent(lambda: make_gan(conditional=True))
    ),
    "classifier": make_classifier,
}


@pytest.mark.parametrize("form", FORMS)
def test_an_interrupted_job_ends_with_the_bits_of_an_undisturbed_one(form, tmp_path):
    make = FORMS[form]
    undisturbed, _ = go(make, tmp_path / "undisturbed")
    for pauses in (3, 6, 8, 5):  # the fourth within the walk that comes after a game, if one does
        go(make, tmp_path / "job", pauses)
    resumed, reports = go(make, tmp_path / "job")
    assert reports[0].text == f"goes on from the checkpoint of step {min(22, undisturbed.steps)}"
    expected, actual = undisturbed.trained.state_dict(), resumed.trained.state_dict()
    assert expected.keys() == actual.keys()
    assert all(torch.equal(tensor, actual[name]) for name, tensor in expected.items())
    assert not all(torch.equal(tensor, actual[name]) for name, tensor in make().trained.state_dict().items())


def inverted():
    pictures = make_pictures()
    return replace(pictures, images=255 - pictures.images)


READERS = {
    "gan": ("train", make_gan, lambda: make_gan(inverted())),
    "joint": ("train", lambda: make_joint(JointMode.JOINT), lambda: make_joint(JointMode.JOINT, inverted())),
    "classifier": ("train", make_classifier, lambda: make_classifier(train=inverted())),
    "classifier, tested": ("test", make_classifier, lambda: make_classifier(test=inverted())),
}


@pytest.mark.parametrize("reader", READERS)
def test_a_job_goes_on_only_with_the_pictures_that_it_began_with(reader, tmp_path):
    part, make, make_with_others = READERS[reader]
    go(make, tmp_path, pauses=7)
    digests = f"{re.escape(make().data[part])} and is {re.escape(make_with_others().data[part])}"
    with pytest.raises(DataRefused, match=f"the {part} part have changed since step 7: their digest was {digests}"):
        go(make_with_others, tmp_path)
    resumed, _ = go(make, tmp_path)
    assert resumed.outcome(lambda: None).data == make().data


def test_what_comes_of_it_is_the_average_and_it_is_not_the_last_state(tmp_path):
    method, _ = go(make_gan, tmp_path)
    outcome = method.outcome(lambda: None)
    (generator,) = outcome.products
    assert isinstance(generator, Generator)
    assert not generator.training
    assert generator.digest != method._match.player.generator.digest
    plain, _ = go(FORMS["without an average"], tmp_path / "plain")
    assert plain.outcome(lambda: None).products[0].digest == plain._match.player.generator.digest


@pytest.mark.parametrize("channels", [1, 3])
def test_sheets_of_samples_are_shown_on_the_way_and_at_the_end(channels, tmp_path):
    _, reports = go(lambda: make_gan(make_pictures(channels), conditional=True), tmp_path)
    samples = [report for report in reports if isinstance(report, Sample)]
    assert [sample.step for sample in samples] == [8, 16, 20]
    assert "one class a row" in samples[0].caption
    picture = Image.open(BytesIO(base64.b64decode(samples[-1].png)))
    assert picture.height == 2 * (8 + 2)
    assert picture.width > 10 * (8 + 2)
    assert samples[0].png != samples[-1].png


def test_sheets_of_one_that_grows_show_its_pictures_as_large_as_they_will_be(tmp_path):
    _, reports = go(lambda: make_growing(sample_every=4), tmp_path)
    samples = [report for report in reports if isinstance(report, Sample)]
    captions = ["samples of 4 px", "samples", "samples", "samples", "samples"]
    assert [(sample.step, sample.caption) for sample in samples] == list(zip((4, 8, 12, 16, 20), captions, strict=True))
    sheets = [Image.open(BytesIO(base64.b64decode(sample.png))) for sample in samples]
    assert len({picture.size for picture in sheets}) == 1
    first, last = (np.array(one.crop((0, 0, 8, 8))) for one in sheets[::4])
    assert (first[::2, ::2] == first[1::2, 1::2]).all()
    assert (last[::2, ::2] != last[1::2, 1::2]).any()


def test_one_that_has_grown_is_published_as_one_that_never_grew(tmp_path):
    (grown,) = go(make_growing, tmp_path)[0].outcome(lambda: None).products
    (plain,) = make_styled().outcome(lambda: None).products
    assert grown.spec == plain.spec
    assert grown.state_dict().keys() == plain.state_dict().keys()
    plain.load_state_dict(grown.state_dict())
    assert plain.freeze().digest == grown.digest


def test_a_generator_and_its_walk_are_shown_on_one_sheet_and_a_walk_after_it_on_its_own(tmp_path):
    _, reports = go(lambda: make_joint(JointMode.JOINT), tmp_path / "joint")
    together = [report for report in reports if isinstance(report, Sample)]
    assert [one.caption for one in together] == ["samples, one class a row; sliders rotate"] * 3
    with Image.open(BytesIO(base64.b64decode(together[-1].png))) as picture:
        assert picture.height == 2 * (8 + 2) + 14 + (8 + 2)
    _, reports = go(lambda: make_joint(JointMode.SEQUENTIAL), tmp_path / "sequence")
    in_turn = [(one.step, one.caption) for one in reports if isinstance(one, Sample)]
    assert in_turn[2:] == [(20, "samples, one class a row"), (27, "sliders rotate")]


@pytest.mark.parametrize(
    ("make", "more"),
    [
        (make_gan, {"steps": 200, "learning_rate": 0.005, "discriminator_learning_rate": 0.005}),
        (make_styled, LEARNT_STYLES),
        (make_growing, LEARNT_STYLES | {"stable_steps": 75, "fade_steps": 75}),
        (make_progan, LEARNT | {"stable_steps": 75, "fade_steps": 75}),
    ],
)
def test_the_generator_learns_what_the_data_looks_like(tmp_path, make, more):
    shape = {"conditional": True, "width": 8, "batch_size": 16, "discriminator_width": 8, "ema_half_life": 160}
    method, _ = go(lambda: make(**shape, **more), tmp_path)
    (generator,) = method.outcome(lambda: None).products
    z = torch.randn(64, 4, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        up, down = (generator(z, condition.expand(64, -1)).mean(dim=0) for condition in torch.eye(2))
    assert up[0, :4].mean() > 0.5 > -0.5 > up[0, 4:].mean()
    assert down[0, 4:].mean() > 0.5 > -0.5 > down[0, :4].mean()


def test_joint_training_publishes_a_generator_and_a_direction_that_is_bound_to_it(tmp_path):
    for mode in JointMode:
        method, reports = go(lambda mode=mode: make_joint(mode), tmp_path / mode)
        outcome = method.outcome(lambda: None)
        generator, direction = outcome.products
        assert isinstance(direction, LinearDirection)
        direction.check_generator(generator.digest)
        assert [slider.name for slider in direction.sliders] == ["rotate"]
        assert direction.vectors.norm() > 0
        (evaluation,) = outcome.evaluations
        assert evaluation.baseline > 0
        assert math.isfinite(evaluation.error)
        last = [report for report in reports if isinstance(report, Progress)][-1]
        assert last.step == {JointMode.JOINT: 20, JointMode.SEQUENTIAL: 27}[mode]


def test_in_sequence_the_generator_is_that_of_the_game_alone(tmp_path):
    game, _ = go(lambda: make_gan(conditional=True, augmentation=(ROTATE,)), tmp_path / "game")
    both, _ = go(lambda: make_joint(JointMode.SEQUENTIAL), tmp_path / "both")
    pause = lambda: None  # noqa: E731
    assert game.outcome(pause).products[0].digest == both.outcome(pause).products[0].digest


def test_the_classifier_learns_and_says_how_well(tmp_path):
    method, _ = go(make_classifier, tmp_path)
    outcome = method.outcome(lambda: None)
    assert isinstance(outcome.products[0], Classifier)
    assert outcome.measures == {"test_accuracy": 1.0}
