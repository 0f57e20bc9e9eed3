"""What is asked of scores that were given elsewhere, and how many of them are told apart."""

import logging

import pytest
import torch
from styled import make_styled

from latentwalk.gan.artifacts import ArtifactStore, save_generator
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.trainer.jobs.records import Request
from latentwalk.trainer.jobs.store import JobStore
from latentwalk.trainer.materials import Materials
from latentwalk.trainer.messages import job_message
from latentwalk.trainer.validation import read_spec
from latentwalk.v1 import tensor_pb2
from latentwalk.v1 import training_service_pb2 as pb

YES_NO = [0.0, 1.0] * 20


@pytest.fixture
def materials(artifacts_url, tmp_path):
    """Of a store with a generator "styled", too."""
    store = ArtifactStore(artifacts_url)
    save_generator(store, "styled", make_styled(), provenance={}, created="2026-01-01T00:00:00Z")
    return Materials(store, tmp_path)


def spec(labels, model="tiny", **settings):
    method = pb.BoundarySpec(score=pb.Score(labels=labels), **settings)
    return pb.JobSpec(model=model, direction="smile", boundary=method)


def seeds(scores):
    return pb.Labels(seeds=range(len(scores)), scores=scores)


def codes(rows, size, dtype=tensor_pb2.DATA_TYPE_FLOAT32, value=0.0):
    return tensor_pb2.Tensor(dtype=dtype, shape=[rows, size], data=torch.full((rows, size), value).numpy().tobytes())


@pytest.mark.parametrize(
    ("labels", "settings", "field", "problem"),
    [
        (pb.Labels(scores=YES_NO), {}, "", "give one of seeds, z and w"),
        (pb.Labels(seeds=[1], z=codes(1, 8), scores=[1]), {}, "", "give one of seeds, z and w"),
        (pb.Labels(w=codes(40, 5), scores=YES_NO), {}, ".w", "is refused for a plane in z"),
        (pb.Labels(seeds=[1, 2, 1], scores=[1, 0, 1]), {}, ".seeds", "1 is there twice; give it one score"),
        (pb.Labels(seeds=range(10_001)), {}, ".seeds", "are 10,001 latents; from 1 to 10,000 are allowed"),
        (pb.Labels(z=codes(0, 8)), {}, ".z.shape", "are 0 latents; from 1"),
        (pb.Labels(z=codes(40, 7), scores=YES_NO), {}, ".z.shape", "[40, 7] must be [N, 8]"),
        (pb.Labels(z=codes(40, 8, 0), scores=YES_NO), {}, ".z.dtype", "is needed: FLOAT32 or FLOAT16"),
        (pb.Labels(z=codes(40, 8, 7), scores=YES_NO), {}, ".z.dtype", "7 is not supported; use one of FLOAT32"),
        (pb.Labels(z=codes(40, 8, 2), scores=YES_NO), {}, ".z.data", "has 1,280 bytes; this shape and dtype need 640"),
        (pb.Labels(z=codes(40, 8, value=float("inf")), scores=YES_NO), {}, ".z.data", "number 0 is not finite"),
        (pb.Labels(seeds=range(3), scores=[1]), {}, ".scores", "are 1 for 3 latents; give one for each"),
        (seeds([1, float("nan")]), {}, ".scores[1]", "nan must be finite"),
        (seeds([1] * 40), {}, ".scores", "are all 1: of each of two scores, or at either end of more, 10 are needed"),
        (seeds([0] * 31 + [1] * 9), {}, ".scores", "1 is there 9 times: of each of two scores"),
        (seeds(list(range(19))), {}, ".scores", "differ for 9 of 19 at either end"),
        (seeds([0] * 9 + [1] * 91 + [2] * 9), {}, ".scores", "differ for 9 of 109 at either end"),
        (seeds(list(range(100))), {"fraction": 0.05}, ".scores", "differ for 5 of 100 at either end"),
    ],
)
def test_labels_that_tell_no_plane_are_refused_by_field(materials, labels, settings, field, problem):
    with pytest.raises(InvalidRequest) as refusal:
        read_spec(spec(labels, **settings), materials)
    [(named, said)] = refusal.value.violations
    assert named == f"spec.boundary.score.labels{field}"
    assert problem in said


@pytest.mark.parametrize(
    ("labels", "settings", "field", "problem"),
    [
        (seeds(YES_NO), {"samples": 200}, "samples", "is refused with labels"),
        (seeds(YES_NO), {"fraction": 0.2}, "fraction", "there are two scores only, a yes and a no"),
        (seeds([1, 2, 2, 3] * 25), {"fraction": 0.4}, "fraction", "0.4 takes latents of one score to both ends"),
        (seeds(YES_NO), {"space": "w"}, "class_ids", "[] must be the one class of what is labelled"),
        (seeds(YES_NO), {"space": "w", "class_ids": [0, 1]}, "class_ids", "[0, 1] must be the one class"),
        (seeds(YES_NO), {"space": "w", "class_ids": [2]}, "class_ids[0]", "2 must be from 0 to 1"),
        (seeds(YES_NO), {"class_ids": [1]}, "class_ids", "are refused: only labels of seeds or z need a class"),
        (pb.Labels(w=codes(40, 5), scores=YES_NO), {"space": "w", "class_ids": [1]}, "class_ids", "are refused"),
    ],
)
def test_settings_that_do_not_go_with_labels_are_refused_by_field(materials, labels, settings, field, problem):
    with pytest.raises(InvalidRequest) as refusal:
        read_spec(spec(labels, "styled", **settings), materials)
    [(named, said)] = refusal.value.violations
    assert named == f"spec.boundary.{field}"
    assert problem in said


def test_more_codes_than_a_job_may_hold_are_refused(materials):
    labels = pb.Labels(z=codes(9_999, 53))
    labels.z.shape[:] = [9_999, 8]
    with pytest.raises(InvalidRequest, match="has 2,119,788 bytes; this shape"):
        read_spec(spec(labels), materials)


@pytest.mark.parametrize(
    ("scores", "fraction"),
    [
        ([0] * 30 + [1] * 10, None),
        (list(range(400)), 0.5),
        ([1] * 40 + [2] * 80 + [3] * 160 + [4] * 80 + [5] * 40, 0.3),
        ([1] * 350 + [2] * 25 + [3] * 25, 0.125),
        (list(range(10_000)), 0.04),
    ],
)
def test_as_many_labels_are_told_apart_as_differ_up_to_400_at_either_end(materials, scores, fraction):
    settings = read_spec(spec(seeds(scores)), materials).settings
    assert (settings.fraction, settings.samples, settings.steps) == (fraction, 0, 1)


def test_a_job_is_told_with_the_labels_that_it_was_made_with_and_may_be_made_of_that_again(materials, database_url):
    store = JobStore(database_url, max_queued=10)
    scores = [0.25, -1e300, 1, 2, 3] * 20
    for labels in (seeds(scores), pb.Labels(z=codes(100, 8, value=0.1), scores=scores)):
        first = read_spec(spec(labels), materials)
        told = job_message(store.create(Request("", ""), first)).spec
        assert told.boundary.score.labels == labels
        assert read_spec(told, materials) == first
    store.close()


def test_the_log_of_a_job_has_not_all_of_its_labels(materials):
    whole = read_spec(spec(pb.Labels(seeds=[*range(39), 987654321], scores=YES_NO)), materials)
    record = logging.LogRecord("trainer", logging.INFO, "", 0, "%s", (whole,), None)
    assert "987654321" not in record.getMessage()
