"""A plane through latents that others have scored: by seed, or as codes."""

from dataclasses import replace
from itertools import count

import numpy as np
import pytest
import torch
from styled import make_styled

from latentwalk.gan.artifacts import save_direction
from latentwalk.gan.latents import one_hot, z_from_seeds
from latentwalk.trainer.checkpoint import Checkpoints
from latentwalk.trainer.loop import train
from latentwalk.trainer.methods import METHODS
from latentwalk.trainer.specs import spec_from_json, spec_to_json
from latentwalk.trainer.validation import read_spec
from latentwalk.v1 import tensor_pb2
from latentwalk.v1 import training_service_pb2 as pb

WAY = torch.tensor([3.0, -1, 2, 0, 0.5])
WAY /= WAY.norm()
WAY_Z = torch.tensor([1.0, 0, -2, 0, 0, 1, 0, 3])
WAY_Z /= WAY_Z.norm()


@pytest.fixture
def found(materials, tmp_path):
    """The direction of a job, and what was measured of it."""
    folders = (tmp_path / f"checkpoints{number}" for number in count())

    def run(labels, model="tiny", **settings):
        method = pb.BoundarySpec(score=pb.Score(labels=labels), **settings)
        spec = read_spec(pb.JobSpec(model=model, direction="smile", boundary=method), materials)
        stored = spec_from_json(spec_to_json(spec))
        assert stored == spec
        made = METHODS["boundary"].prepare(stored, materials)
        train(made, Checkpoints(next(folders)), 1, report=lambda _: None, pause=lambda: None)
        outcome = made.outcome(lambda: None)
        [direction] = outcome.products
        return direction, outcome.measures

    return run


def tensor(codes, dtype="float32"):
    kinds = {"float32": tensor_pb2.DATA_TYPE_FLOAT32, "float16": tensor_pb2.DATA_TYPE_FLOAT16}
    array = np.asarray(codes).astype(dtype)
    return tensor_pb2.Tensor(dtype=kinds[dtype], shape=array.shape, data=array.tobytes())


def w_of_class(seeds, class_id):
    """Those of the styled generator [N, W]."""
    with torch.no_grad():
        return make_styled().encode(z_from_seeds(seeds, 6), "w", one_hot([class_id] * len(seeds), 2))


def cosine(direction, way):
    vector = direction.vectors[0]
    return float(vector @ way / vector.norm())


@pytest.mark.parametrize("share", [0.5, 0.15])
def test_a_yes_and_no_by_seed_gives_back_the_direction_by_which_they_were_told(found, share):
    seeds = range(5, 605)
    along = z_from_seeds(seeds, 8) @ WAY_Z
    says_yes = (along > along.quantile(1 - share)).double()
    direction, measures = found(pb.Labels(seeds=seeds, scores=says_yes.tolist()))
    assert cosine(direction, WAY_Z) > 0.97
    assert measures["validation_accuracy"] > 0.9
    assert [slider.name for slider in direction.sliders] == ["smile"]


def test_of_graded_scores_the_ends_are_told_apart_and_their_scale_is_of_no_account(found):
    seeds = range(400)
    along = z_from_seeds(seeds, 8) @ WAY_Z
    stars = (1e9 + along.mul(2).round().clamp(-2, 2).double()).tolist()
    direction, measures = found(pb.Labels(seeds=seeds, scores=stars))
    assert cosine(direction, WAY_Z) > 0.97
    assert measures["validation_accuracy"] > 0.9
    few, _ = found(pb.Labels(seeds=seeds, scores=along.tolist()), fraction=0.1)
    assert cosine(few, WAY_Z) > 0.8


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_codes_of_z_and_of_w_may_be_labelled(found, dtype):
    z = torch.randn(600, 8, generator=torch.Generator().manual_seed(3))
    in_z, _ = found(pb.Labels(z=tensor(z, dtype), scores=((z @ WAY_Z) > 0).double().tolist()))
    assert cosine(in_z, WAY_Z) > 0.97
    w = torch.randn(600, 5, generator=torch.Generator().manual_seed(4))
    labels = pb.Labels(w=tensor(w, dtype), scores=((w @ WAY) > 0).double().tolist())
    in_w, _ = found(labels, model="styled", space="w")
    assert cosine(in_w, WAY) > 0.97
    assert in_w.space == "w"


def test_seeds_are_mapped_to_w_with_the_class_that_they_were_drawn_with(found):
    seeds = range(800)
    w = w_of_class(seeds, 1)
    along = (w - w.mean(dim=0)) @ WAY
    labels = pb.Labels(seeds=seeds, scores=(along > 0).double().tolist())
    direction, measures = found(labels, model="styled", space="w", class_ids=[1])
    of_same, _ = found(pb.Labels(w=tensor(w), scores=labels.scores), model="styled", space="w")
    assert cosine(direction, of_same.vectors[0] / of_same.vectors[0].norm()) > 0.9999
    assert measures["validation_accuracy"] > 0.9
    z = z_from_seeds(seeds, 6)
    of_z, _ = found(pb.Labels(z=tensor(z), scores=labels.scores), model="styled", space="w", class_ids=[1])
    assert torch.equal(of_z.vectors, direction.vectors)


def test_a_labelled_boundary_leaves_its_conditions_alone(found, materials):
    seeds = range(400)
    z = z_from_seeds(seeds, 8)
    first, _ = found(pb.Labels(seeds=seeds, scores=(z[:, 0] > 0).double().tolist()))
    other = replace(first, name="other")
    save_direction(materials.store, "tiny", other, provenance={}, created="2026-01-01T00:00:00Z")
    scores = (z[:, 0] + z[:, 1] > 0).double().tolist()
    condition = [pb.SliderReference(direction="other")]
    second, measures = found(pb.Labels(seeds=seeds, scores=scores), conditions=condition)
    assert abs(cosine(second, other.vectors[0])) < 1e-5
    assert measures["cosine_with_unconditioned"] == pytest.approx(0.7, abs=0.1)
