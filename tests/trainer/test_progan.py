"""Jobs on a Progressive GAN."""

from dataclasses import replace

import numpy as np
import pytest
from progan import make_progan

from latentwalk.gan.artifacts import ArtifactStore, save_generator
from latentwalk.trainer.checkpoint import Checkpoints
from latentwalk.trainer.loop import train
from latentwalk.trainer.materials import Materials
from latentwalk.trainer.methods import METHODS
from latentwalk.trainer.specs import PcaSpec, SefaSpec


@pytest.fixture
def outcome(tmp_path):
    """The outcome of a job on one without classes."""
    store = ArtifactStore(str(tmp_path / "rooms"))
    save_generator(store, "tiny", make_progan("genforce"), provenance={}, created="2026-01-01T00:00:00Z")

    def run(spec):
        method = METHODS[spec.method].prepare(spec, Materials(store, tmp_path))
        train(method, Checkpoints(tmp_path / spec.method), 1_000, report=lambda _: None, pause=lambda: None)
        return method.outcome(lambda: None)

    return run


def test_sefa_factorises_what_the_first_layer_does_to_z(outcome, make_spec):
    [direction] = outcome(replace(make_spec(), method="sefa", settings=SefaSpec(directions=3))).products
    weights = make_progan("genforce").state_dict()["layers.0.source.weight"].double().numpy()
    _, _, expected = np.linalg.svd(weights / np.linalg.norm(weights, axis=1, keepdims=True))
    assert (np.abs((direction.vectors.numpy() * expected[:3]).sum(axis=1)) > 0.999).all()


def test_pca_looks_at_the_first_features(outcome, make_spec):
    [direction] = outcome(replace(make_spec(), method="pca", settings=PcaSpec(directions=2, samples=100))).products
    assert np.allclose(direction.vectors.norm(dim=1), 1)
