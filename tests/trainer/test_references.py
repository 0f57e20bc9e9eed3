"""Artifacts by name and version: what a job was created for stays what it works with."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from latentwalk.gan.artifacts import ArtifactStore, save_direction
from latentwalk.gan.directions import LinearDirection, Slider
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.trainer.materials import Materials
from latentwalk.trainer.references import Reference
from latentwalk.trainer.validation import read_spec
from latentwalk.v1 import training_service_pb2 as pb


@pytest.fixture
def publish(artifacts_url, generator):
    """Publishes the next version of the direction "push", along an axis."""

    def save(axis):
        slider = Slider("0", "", "", 1.0, (-1.0, 1.0), (-3.0, 3.0))
        push = LinearDirection("push", generator.digest, (slider,), vectors=torch.eye(8)[axis : axis + 1])
        save_direction(ArtifactStore(artifacts_url), "tiny", push, provenance={}, created="2026-01-01T00:00:00Z")

    return save


@pytest.fixture
def materials(artifacts_url, tmp_path):
    return Materials(ArtifactStore(artifacts_url), tmp_path)


def boundary(materials, condition):
    """A job that must leave one direction alone."""
    conditions = [pb.SliderReference(direction=condition)]
    method = pb.BoundarySpec(samples=500, score=pb.Score(attribute="luminance"), conditions=conditions)
    return read_spec(pb.JobSpec(model="tiny", direction="bright", boundary=method), materials)


def test_a_job_goes_on_with_the_version_that_was_the_newest_when_it_was_created(materials, publish):
    publish(0)
    spec = boundary(materials, "push")
    publish(1)
    [condition] = spec.settings.conditions
    assert condition.direction == "push@1"
    assert materials.vector(spec, condition.direction, condition.slider).argmax() == 0
    assert boundary(materials, "push").settings.conditions[0].direction == "push@2"


def test_an_earlier_version_may_be_asked_for(materials, publish):
    publish(0)
    publish(1)
    assert boundary(materials, "push@1").settings.conditions[0].direction == "push@1"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("push@3", "push.*3"),
        ("push@0", "is no name, nor a name with a version, like zoom@3"),
        ("push@x", "is no name"),
        ("push@", "is no name"),
        (f"push@{'9' * 5_000}", "is no name"),
        ("@1", "is no name"),
        ("../push", "is no name"),
    ],
)
def test_what_names_no_direction_is_refused_by_field(materials, publish, name, told):
    publish(0)
    with pytest.raises(InvalidRequest, match=told) as refusal:
        boundary(materials, name)
    assert [field for field, _ in refusal.value.violations] == ["spec.boundary.conditions[0].direction"]


@given(st.from_regex(r"[a-z0-9][a-z0-9_.-]{0,20}", fullmatch=True), st.none() | st.integers(1, 10**9))
def test_a_reference_is_read_as_it_is_written(name, version):
    assert Reference.read(str(Reference(name, version))) == Reference(name, version)


@given(st.text(max_size=30))
def test_any_text_is_a_reference_or_refused(text):
    try:
        read = Reference.read(text)
    except ValueError:
        return
    assert Reference.read(str(read)) == read
