"""Publishing: once a job, with all that is needed to make it again."""

import math
from dataclasses import replace

import pytest
import torch
from fsspec import register_implementation
from fsspec.implementations.memory import MemoryFileSystem

from latentwalk.gan.artifacts import ArtifactStore, load_direction
from latentwalk.gan.errors import GanError
from latentwalk.trainer.methods.edits import EditDirection
from latentwalk.trainer.methods.method import Outcome
from latentwalk.trainer.publish import Publisher
from latentwalk.trainer.reports import SliderEvaluation
from latentwalk.trainer.specs import spec_from_json

EVALUATIONS = (SliderEvaluation("brightness", 0.1, 0.4),)


def outcome_of(direction):
    return Outcome((direction,), EVALUATIONS, {"gain": 0.75})


def test_a_job_that_is_killed_after_publishing_does_not_publish_again(artifacts_url, generator, make_spec):
    store = ArtifactStore(artifacts_url)
    direction = EditDirection(make_spec(), generator).direction()
    results = [Publisher(store, job, make_spec()).publish(outcome_of(direction)) for job in ("a", "b", "a", "b", "c")]
    assert [result.artifacts[0].version for result in results] == [1, 2, 1, 2, 3]
    assert store.versions("directions", "tiny/bright") == [1, 2, 3]


def test_a_damaged_version_does_not_hinder_the_next(artifacts_url, generator, make_spec, tmp_path):
    store = ArtifactStore(artifacts_url)
    direction = EditDirection(make_spec(), generator).direction()
    Publisher(store, "a", make_spec()).publish(outcome_of(direction))
    (tmp_path / "store/directions/tiny/bright/1/vectors.safetensors").write_bytes(b"")
    [published] = Publisher(store, "b", make_spec()).publish(outcome_of(direction)).artifacts
    assert (published.kind, published.name, published.version) == ("directions", "bright", 2)


@pytest.mark.parametrize(
    ("outcome", "problem"),
    [
        (
            Outcome((), measures={"gain": 1.0, "path_length.z.full": math.nan}),
            r"path_length\.z\.full was measured as nan",
        ),
        (Outcome((), (SliderEvaluation("zoom", math.inf, 0.4),)), "error of slider zoom was measured as inf"),
    ],
)
def test_what_is_no_number_is_not_published_and_named(artifacts_url, generator, make_spec, outcome, problem):
    store = ArtifactStore(artifacts_url)
    direction = EditDirection(make_spec(), generator).direction()
    with pytest.raises(GanError, match=problem):
        Publisher(store, "a", make_spec()).publish(replace(outcome, products=(direction,)))
    assert store.versions("directions", "tiny/bright") == []


class Watched(MemoryFileSystem):
    """Files in memory, of which it is known which were read."""

    protocol = "watched"
    store, pseudo_dirs, reads = {}, [""], []

    def cat_file(self, path, **options):
        self.reads.append(path)
        return super().cat_file(path, **options)


def test_of_the_versions_of_other_jobs_only_the_manifests_are_read(generator, make_spec):
    register_implementation("watched", Watched)
    store = ArtifactStore("watched://store")
    outcome = outcome_of(EditDirection(make_spec(), generator).direction())
    for job in ("a", "b"):
        Publisher(store, job, make_spec()).publish(outcome)
    Watched.reads.clear()
    assert Publisher(store, "a", make_spec()).publish(outcome).artifacts[0].version == 1
    assert [path.partition("/bright/")[2] for path in Watched.reads] == [
        "2/manifest.json",
        *["1/manifest.json"] * 2,
        "1/vectors.safetensors",
    ]


def test_the_provenance_says_how_the_direction_was_made(artifacts_url, generator, make_spec):
    store = ArtifactStore(artifacts_url)
    Publisher(store, "a", make_spec()).publish(outcome_of(EditDirection(make_spec(), generator).direction()))
    provenance = store.get("directions", "tiny/bright").manifest["provenance"]
    assert provenance["job"] == "a"
    assert provenance["method"] == "edit_direction"
    assert spec_from_json(provenance["spec"]) == make_spec()
    assert provenance["evaluations"] == [{"slider": "brightness", "error": 0.1, "baseline": 0.4}]
    assert provenance["measures"] == {"gain": 0.75}
    assert provenance["generator"] == {"name": "tiny", "version": 1, "digest": generator.digest}
    assert provenance["torch"] == torch.__version__
    assert provenance["device"] == "cpu"
    assert {"latentwalk", "threads"} <= provenance.keys()
    assert load_direction(store, "tiny", "bright")[0].generator_digest == generator.digest
