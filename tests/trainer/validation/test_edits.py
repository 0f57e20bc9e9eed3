"""Under which truncations a direction may be trained: those that its generator draws under, and no others."""

import json

import pytest
from biggan import make_biggan
from styled import make_styled

from latentwalk.gan.artifacts import ArtifactStore, save_generator
from latentwalk.gan.truncations import Truncation
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.trainer.materials import Materials
from latentwalk.trainer.specs import spec_from_json, spec_from_row, spec_to_json
from latentwalk.trainer.validation import read_spec
from latentwalk.trainer.wire import write_settings
from latentwalk.v1 import latent_pb2
from latentwalk.v1 import training_service_pb2 as pb

# A number 11 of 0.5, as it was sent before truncation had parts.
NUMBER_11 = bytes.fromhex("59 000000000000e03f")


@pytest.fixture
def materials(artifacts_url, tmp_path):
    """Also with "styled", which has w, and "deep", a BigGAN for one truncation."""
    store = ArtifactStore(artifacts_url)
    for name, one in (("styled", make_styled()), ("deep", make_biggan("biggan_deep", 0.5))):
        save_generator(store, name, one, provenance={}, created="2026-01-01T00:00:00Z")
    return Materials(store, tmp_path)


def job(model, method):
    method.edits.add(edit="brightness")
    return pb.JobSpec(model=model, direction="d", edit_direction=method)


def message(model, **settings):
    return job(model, pb.EditDirectionSpec(**settings))


@pytest.mark.parametrize(
    ("model", "parts"), [("styled", {"psi": 0.5}), ("styled", {"psi": -1, "layers": 2}), ("tiny", {"threshold": 0.5})]
)
def test_a_truncation_is_that_of_a_latent_and_a_job_keeps_it(materials, model, parts):
    asked = latent_pb2.Truncation(**parts)
    spec = read_spec(message(model, truncation=asked), materials)
    assert spec.settings.truncation == Truncation(**parts)
    assert spec_from_json(json.loads(json.dumps(spec_to_json(spec)))) == spec
    written = pb.EditDirectionSpec()
    write_settings(spec.settings, written)
    assert written.truncation == asked
    assert read_spec(message(model), materials).settings.truncation is None


def test_a_number_of_before_is_a_threshold_in_a_request_and_in_a_row(materials):
    spec = read_spec(job("tiny", pb.EditDirectionSpec.FromString(NUMBER_11)), materials)
    assert spec == read_spec(message("tiny", truncation=latent_pb2.Truncation(threshold=0.5)), materials)
    row = spec_to_json(spec)
    row["settings"]["truncation"] = 0.5
    del row["settings"]["threshold"]
    assert spec_from_row(row) == spec


@pytest.mark.parametrize(
    ("request_", "field", "problem"),
    [
        (message("styled", truncation={"threshold": 1}), "truncation.threshold", "has a mapping network, give a psi"),
        (message("styled", truncation={}), "truncation.psi", "is needed"),
        (message("styled", truncation={"layers": 2}), "truncation.psi", "is needed"),
        (message("styled", truncation={"psi": 3}), "truncation.psi", "3 must be from -2 to 2"),
        (message("styled", truncation={"psi": 1, "layers": 5}), "truncation.layers", "5 must be from 1 to 4"),
        (message("tiny", truncation={"psi": 0.7}), "truncation.psi", "give a threshold, which cuts off z"),
        (message("tiny", truncation={}), "truncation.threshold", "is needed"),
        (message("tiny", truncation={"threshold": 0}), "truncation.threshold", "0 must be above 0"),
        (message("deep", truncation={"threshold": 1}), "truncation.threshold", "normalised for truncation 0.5"),
        (message("styled", threshold=0.7), "threshold", "has a mapping network, give a psi"),
        (message("tiny", threshold=0.7, truncation={"threshold": 0.7}), "threshold", "is refused beside truncation"),
    ],
)
def test_what_the_generator_does_not_draw_under_is_refused_by_its_part(materials, request_, field, problem):
    with pytest.raises(InvalidRequest) as refusal:
        read_spec(request_, materials)
    [(named, said)] = refusal.value.violations
    assert named == f"spec.edit_direction.{field}"
    assert problem in said
