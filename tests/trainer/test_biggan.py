"""Jobs on a generator of the biggan families."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from biggan import make_biggan
from golden import golden

from latentwalk.gan.artifacts import ArtifactStore, save_generator
from latentwalk.gan.latents import latents_from_seeds
from latentwalk.trainer import seeds
from latentwalk.trainer.checkpoint import Checkpoints
from latentwalk.trainer.loop import train
from latentwalk.trainer.materials import Materials
from latentwalk.trainer.methods import METHODS
from latentwalk.trainer.methods.samples import sample
from latentwalk.trainer.specs import PcaSpec, SefaSpec
from latentwalk.trainer.specs.edits import ClassChoice


@pytest.fixture
def outcome(tmp_path):
    """The outcome of a job, by default on a biggan_deep for the truncation 0.1."""
    store = ArtifactStore(str(tmp_path / "animals"))

    def run(spec, generator=None):
        generator = generator or make_biggan("biggan_deep", 0.1)
        save_generator(store, "tiny", generator, provenance={}, created="2026-01-01T00:00:00Z")
        method = METHODS[spec.method].prepare(spec, Materials(store, tmp_path))
        train(method, Checkpoints(tmp_path / spec.method), 1_000, report=lambda _: None, pause=lambda: None)
        return method.outcome(lambda: None)

    return run


def test_a_walk_does_better_than_nothing_on_latents_of_the_truncation(outcome, make_spec):
    found = outcome(make_spec(steps=30, batch_size=16, learning_rate=0.3, classes=ClassChoice(class_id=1)))
    [evaluation] = found.evaluations
    assert evaluation.error < 0.9 * evaluation.baseline
    [direction] = found.products
    direction.check_spec(make_biggan().spec)


def test_sefa_factorises_what_the_first_layer_does_to_z(outcome, make_spec):
    [direction] = outcome(replace(make_spec(), method="sefa", settings=SefaSpec(directions=3))).products
    weights = golden("biggan_deep").checkpoint["generator.gen_z.weight_orig"][:, :4].double().numpy()
    _, _, expected = np.linalg.svd(weights / np.linalg.norm(weights, axis=1, keepdims=True))
    assert (np.abs((direction.vectors.numpy() * expected[:3]).sum(axis=1)) > 0.999).all()


def test_sefa_tells_the_parts_of_a_hierarchical_z_apart(outcome, make_spec):
    spec = replace(make_spec(), method="sefa", settings=SefaSpec(directions=12))
    found = outcome(spec, make_biggan("biggan"))
    [direction] = found.products
    assert min(found.measures.values()) > 0.1
    parts = direction.vectors.unflatten(1, (4, 3)).norm(dim=2) > 1e-3
    assert parts.sum(dim=1).tolist() == [1] * 12
    assert parts.sum(dim=0).tolist() == [3] * 4


def test_pca_looks_at_the_first_features(outcome, make_spec):
    [direction] = outcome(replace(make_spec(), method="pca", settings=PcaSpec(directions=2, samples=100))).products
    assert torch.allclose(direction.vectors.norm(dim=1), torch.ones(2))


def test_samples_are_of_the_truncation():
    generator = make_biggan("biggan_deep", 0.5)
    z, _ = sample(generator, 7, 0, 50)
    assert torch.equal(z, latents_from_seeds(seeds.training_seeds(7, 0, range(50)), generator.spec))
    assert z.abs().max() <= 1
