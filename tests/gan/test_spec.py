import json
from dataclasses import replace

import pytest

from latentwalk.gan.errors import GanError, OutOfRange
from latentwalk.gan.spec import GeneratorSpec


def test_a_spec_survives_json(spec: GeneratorSpec) -> None:
    assert GeneratorSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


def test_a_truncation_survives_json_and_none_is_not_spoken_of(spec: GeneratorSpec) -> None:
    truncated = replace(spec, truncation=0.4)
    assert GeneratorSpec.from_json(json.loads(json.dumps(truncated.to_json()))) == truncated
    assert truncated.to_json() == {**spec.to_json(), "truncation": 0.4}
    assert "truncation" not in spec.to_json()
    assert GeneratorSpec.from_json({**spec.to_json(), "truncation": 1}).to_json()["truncation"] == 1.0


def test_a_truncation_is_changed_only_where_there_is_one(spec: GeneratorSpec) -> None:
    assert replace(spec, truncation=1.0).truncated(0.4) == replace(spec, truncation=0.4)
    with pytest.raises(GanError, match="the family dcgan knows none"):
        spec.truncated(0.4)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("family", 3),
        ("latent_size", "100"),
        ("latent_size", True),
        ("latent_size", 100.0),
        ("classes", None),
        ("config", ["width", 64]),
        ("config", {"width": [64]}),
        ("range", [-1]),
        ("range", [1, -1]),
        ("range", ["a", "b"]),
        ("truncation", "0.5"),
        ("truncation", None),
        ("truncation", 0),
        ("truncation", 1.01),
        ("truncation", float("nan")),
        ("spaces", []),
        ("spaces", "z"),
    ],
)
def test_a_malformed_field_is_refused_by_name(spec: GeneratorSpec, field: str, value: object) -> None:
    with pytest.raises(GanError, match=field):
        GeneratorSpec.from_json({**spec.to_json(), field: value})


@pytest.mark.parametrize("document", [None, [], "spec", {}])
def test_what_is_no_spec_at_all_is_refused(document) -> None:
    with pytest.raises(GanError, match="a generator spec must be"):
        GeneratorSpec.from_json(document)


def test_a_missing_and_an_unknown_field_are_refused(spec: GeneratorSpec) -> None:
    document = spec.to_json()
    with pytest.raises(GanError):
        GeneratorSpec.from_json({**document, "colour": "red"})
    del document["channels"]
    with pytest.raises(GanError):
        GeneratorSpec.from_json(document)


@pytest.mark.parametrize(
    ("field", "value"),
    [("latent_size", 0), ("classes", -1), ("resolution", 4), ("resolution", 2**20), ("channels", 0)],
)
def test_a_number_that_cannot_be_is_out_of_range(spec: GeneratorSpec, field: str, value: int) -> None:
    with pytest.raises(OutOfRange, match=field) as caught:
        GeneratorSpec.from_json({**spec.to_json(), field: value})
    assert caught.value.value == value
