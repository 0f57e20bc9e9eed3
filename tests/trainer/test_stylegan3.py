"""Jobs on a StyleGAN3."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from golden import golden

from latentwalk.gan.artifacts import ArtifactStore, save_generator
from latentwalk.gan.families.stylegan3 import StyleGAN3
from latentwalk.trainer.checkpoint import Checkpoints
from latentwalk.trainer.loop import train
from latentwalk.trainer.materials import Materials
from latentwalk.trainer.methods import METHODS
from latentwalk.trainer.specs import Distance, EvaluationSpec, PcaSpec, SefaSpec


@pytest.fixture
def waves():
    """One of config T."""
    return StyleGAN3.from_checkpoint(golden("stylegan3_t").checkpoint).freeze()


@pytest.fixture
def outcome(tmp_path, waves):
    """The outcome of a job."""
    store = ArtifactStore(str(tmp_path / "waves"))
    save_generator(store, "tiny", waves, provenance={}, created="2026-01-01T00:00:00Z")

    def run(spec):
        method = METHODS[spec.method].prepare(spec, Materials(store, tmp_path))
        train(method, Checkpoints(tmp_path / spec.method), 1_000, report=lambda _: None, pause=lambda: None)
        return method.outcome(lambda: None)

    return run


def test_sefa_factorises_the_styles_of_some_layers(outcome, make_spec, waves):
    settings = SefaSpec(directions=2, layers=(2, 7))
    [direction] = outcome(replace(make_spec(), method="sefa", settings=settings)).products
    weights = waves.style_weights((2, 7)).double().numpy()
    _, _, expected = np.linalg.svd(weights / np.linalg.norm(weights, axis=1, keepdims=True))
    assert (direction.space, direction.layers) == ("w+", (2, 7))
    for half in direction.vectors.view(2, 2, 7).unbind(dim=1):
        cosine = (half.numpy() * expected[:2]).sum(axis=1) / half.norm(dim=1).numpy()
        assert (np.abs(cosine) > 0.999).all()


def test_pca_looks_at_w(outcome, make_spec):
    [direction] = outcome(replace(make_spec(), method="pca", settings=PcaSpec(directions=2, samples=100))).products
    assert direction.space == "w"


def test_a_walk_in_w_plus_does_better_than_nothing(outcome, make_spec):
    found = outcome(make_spec(steps=60, batch_size=8, learning_rate=0.3, space="w+", layers=(4, 5, 6, 7)))
    [evaluation] = found.evaluations
    assert evaluation.error < 0.9 * evaluation.baseline


def test_how_entangled_its_spaces_are_is_measured_without_noise(outcome, make_spec):
    settings = EvaluationSpec(100, distance=Distance.PIXELS)
    measures = outcome(replace(make_spec(), method="evaluation", settings=settings)).measures
    assert measures
    assert torch.tensor(list(measures.values())).isfinite().all()
