"""Where a direction comes from and how good it is, by what its manifest says."""

from datetime import UTC, datetime
from typing import Any

import pytest

from latentwalk.gan.artifacts import MOST_OTHERS, Manifest, Origin, origin_of


def said(provenance: dict[str, Any], *sliders: str, created: str = "") -> Origin:
    """What comes of a manifest that was written and read."""
    manifest = Manifest("directions", "faces/bank", 1, created, {}, provenance, {})
    return origin_of(Manifest.from_bytes(manifest.to_bytes()), sliders)


def test_it_is_the_method_the_job_and_the_moment() -> None:
    origin = said({"method": "sefa", "job": "a1b2"}, "0", created="2026-01-01T02:00:00+02:00")
    assert origin == Origin(datetime(2026, 1, 1, tzinfo=UTC), "sefa", "a1b2", of_sliders={"0": {}})


def test_of_an_import_it_is_the_file() -> None:
    origin = said({"method": "import", "imported": {"file": "smile.npy", "sha256": "00"}}, "smile")
    assert (origin.method, origin.job, origin.file) == ("import", "", "smile.npy")


def test_measures_belong_to_the_slider_that_they_name_and_else_to_all() -> None:
    measures = {
        "reconstruction_accuracy": 0.9,
        "rca_class0": 0.5,
        "accuracy.0": 0.8,
        "variation.0": 0.75,
        "accuracy.class1.2": 1,
        "accuracy.7": 0.1,
    }
    origin = said({"measures": measures}, "0", "class1.2")
    assert origin.of_sliders == {"0": {"accuracy": 0.8, "variation": 0.75}, "class1.2": {"accuracy": 1.0}}
    assert origin.measures == {"reconstruction_accuracy": 0.9, "rca_class0": 0.5, "accuracy.7": 0.1}


def test_evaluations_are_measures_of_their_sliders_with_what_is_gained_over_doing_nothing() -> None:
    evaluations = [
        {"slider": "zoom", "error": 0.1, "baseline": 0.4},
        {"slider": "dull", "error": 0.0, "baseline": 0.0},
        {"slider": "wild", "error": 1e308, "baseline": 1e-308},
    ]
    origin = said({"evaluations": evaluations}, "zoom", "dull", "wild", "new")
    assert origin.of_sliders == {
        "zoom": {"error": 0.1, "baseline": 0.4, "gain": pytest.approx(0.75)},
        "dull": {"error": 0.0, "baseline": 0.0},
        "wild": {"error": 1e308, "baseline": 1e-308},
        "new": {},
    }


@pytest.mark.parametrize(
    "provenance",
    [
        {},
        {"method": 3, "job": ["a"], "imported": "file", "measures": [1], "evaluations": {"slider": "zoom"}},
        {"method": "m" * 65, "job": "a\nb", "imported": {"file": "f" * 256}},
        {"method": "\ud800", "measures": {"\ud800": 1.0, "n" * 65: 1.0}},
        {"measures": {"a": "0.5", "b": None, "c": True, "d": 10**400, "accuracy.zoom": [1]}},
        {"evaluations": [3, {}, {"slider": ["zoom"]}, {"slider": "rotate", "error": 1.0}, {"slider": "zoom"}]},
    ],
)
@pytest.mark.parametrize("created", ["", "yesterday", "2026-01-01T00:00:00", "0001-01-01T00:00:00+14:00"])
def test_what_is_of_another_form_is_left_out(provenance: dict[str, Any], created: str) -> None:
    assert said(provenance, "zoom", created=created) == Origin(of_sliders={"zoom": {}})


def test_there_are_no_more_measures_than_a_reply_has_room_for() -> None:
    measures = {f"m{number}": 1.0 for number in range(100)} | {f"m{number}.zoom": 1.0 for number in range(100)}
    evaluations = [{"slider": "zoom", "error": 0.1, "baseline": 0.4}]
    origin = said({"measures": measures, "evaluations": evaluations}, "zoom")
    assert len(origin.measures) == 64
    assert len(origin.of_sliders["zoom"]) == 8
    assert origin.of_sliders["zoom"].keys() > {"error", "baseline", "gain"}


def test_of_what_a_slider_was_projected_off_no_more_is_said_than_a_reply_has_room_for() -> None:
    names = [f"pose@1:{number}" for number in range(2 * MOST_OTHERS)]
    picked = {"name": "glow", "direction": "style", "version": 1, "slider": "light"}
    for without, kept in ((names, names[:MOST_OTHERS]), (["\ud800", "a\nb", "n" * 1_000, 3, "pose@1:0"], ["pose@1:0"])):
        origin = said({"picked": [{**picked, "without": without}]}, "glow")
        assert origin.sources["glow"].without == tuple(kept)
