"""What a spec may be: defaults are filled in, and whatever cannot work is refused with the field, value and limit."""

import json

import pytest

from latentwalk.gan.artifacts import ArtifactStore, save_generator
from latentwalk.gan.errors import CorruptArtifact
from latentwalk.gan.families import build_generator
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.rpc.errors import InvalidRequest, UnknownModel
from latentwalk.trainer.materials import Materials
from latentwalk.trainer.messages import job_message
from latentwalk.trainer.reports import JobState
from latentwalk.trainer.specs import EditDirectionSpec, EditTarget, JobSpec, spec_from_json, spec_to_json
from latentwalk.trainer.validation import read_page, read_request, read_spec, read_states
from latentwalk.v1 import training_service_pb2 as pb


def edit(name="brightness", low=None, high=None):
    return pb.EditTarget(edit=name, amount_low=low, amount_high=high)


def message(*edits, settings=(), **changes):
    method = pb.EditDirectionSpec(edits=edits or [edit()], **dict(settings))
    return pb.JobSpec(**{"model": "tiny", "direction": "d", "edit_direction": method} | changes)


def named(name, unit=""):
    return pb.CustomEdit(name=name, unit=unit, affine=pb.Matrix(entries=[0, 0, 0.1, 0, 0, 0]))


def together(*names, **settings):
    return message(*map(edit, names), settings={"together": True, **settings})


TOGETHER = "spec.edit_direction.together"
TEN = {"class_id": 10}
SHORT = pb.CustomEdit(name="warm", colour=pb.Matrix(entries=[1]))
CUSTOM = pb.CustomEdit(name="warm", colour=pb.Matrix(entries=[0] * 11 + [-1]))


@pytest.fixture
def materials(artifacts_url, tmp_path):
    return Materials(ArtifactStore(artifacts_url), tmp_path)


def test_colours_can_be_trained_together(materials):
    for names in (("red", "green", "blue"), ("lab_a", "lab_b"), ("brightness", "red")):
        assert read_spec(together(*names), materials).settings.together


def test_defaults_are_filled_in(materials):
    assert read_spec(message(edit("zoom"), edit("shift_x")), materials) == JobSpec(
        model="tiny",
        model_version=1,
        direction="d",
        seed=0,
        checkpoint_every=50,
        method="edit_direction",
        settings=EditDirectionSpec(
            edits=(EditTarget("zoom", 0.25, 4.0), EditTarget("shift_x", -8.0, 8.0)),
            steps=250,
            batch_size=16,
            learning_rate=0.4,
            evaluation_size=1_024,
        ),
    )


def test_what_is_said_is_taken(materials):
    settings = {"steps": 9, "batch_size": 3, "learning_rate": 0.01, "evaluation_size": 5}
    spec = read_spec(
        message(edit("rotate", -10, 20), settings=settings, seed=2**64 - 1, checkpoint_every=7, model_version="1"),
        materials,
    )
    assert spec.settings == EditDirectionSpec((EditTarget("rotate", -10, 20),), 9, 3, 0.01, 5)
    assert (spec.seed, spec.checkpoint_every) == (2**64 - 1, 7)


def test_a_nonlinear_walk_goes_in_steps(materials):
    for said, taken in ((0, 5), (3, 3)):
        spec = read_spec(message(settings={"form": pb.WALK_FORM_NONLINEAR, "walk_steps": said}), materials)
        assert spec.settings.walk_steps == taken


def test_a_spec_survives_its_json(materials):
    spec = read_spec(message(edit("zoom"), edit("red")), materials)
    assert spec_from_json(json.loads(json.dumps(spec_to_json(spec)))) == spec


@pytest.mark.parametrize(
    ("bad", "field", "problem"),
    [
        (pb.JobSpec(model="tiny", direction="d"), "spec.method", "edit_direction"),
        (message(model=""), "spec.model", "''"),
        (message(model="../tiny"), "spec.model", "'../tiny'"),
        (message(model_version="newest"), "spec.model_version", "'newest'"),
        (message(model_version="0"), "spec.model_version", "'0'"),
        (message(model_version="9" * 5000), "spec.model_version", "'999"),
        (message(direction=""), "spec.direction", "1 to 63"),
        (message(direction="Bright"), "spec.direction", "'Bright'"),
        (message(direction="x" * 64), "spec.direction", "1 to 63"),
        (message(checkpoint_every=1_000_001), "spec.checkpoint_every", "1,000,001 must be from 1 to 1,000,000"),
        (pb.JobSpec(model="tiny", direction="d", edit_direction={}), "spec.edit_direction.edits", "are 0 edits"),
        (message(edit("sharpen")), "spec.edit_direction.edits[0].edit", "'sharpen' is none of brightness"),
        (message(edit("zoom"), edit("zoom")), "spec.edit_direction.edits[1].edit", "twice"),
        (message(edit("red"), model="grey"), "spec.edit_direction.edits[0].edit", "1 channels"),
        (message(edit(low=-1.5)), "spec.edit_direction.edits[0].amount_low", "-1.5 fraction must be finite"),
        (message(edit("zoom", high=65)), "spec.edit_direction.edits[0].amount_high", "65 x"),
        (message(edit("zoom", low=float("nan"))), "spec.edit_direction.edits[0].amount_low", "nan"),
        (message(edit("shift_x", high=float("inf"))), "spec.edit_direction.edits[0].amount_high", "inf"),
        (message(edit("shift_x", high=16)), "spec.edit_direction.edits[0].amount_high", "16 px leaves nothing"),
        (message(edit("shift_x", 0.2, 0.8)), "spec.edit_direction.edits[0].amount_high", "no whole amount"),
        (message(edit("rotate", 10, -10)), "spec.edit_direction.edits[0].amount_high", "10.0 to -10.0"),
        (message(edit("zoom"), edit("rotate", 5, 5)), "spec.edit_direction.edits[1].amount_high", "5.0 to 5.0"),
        (message(settings={"steps": 1_000_001}), "spec.edit_direction.steps", "1,000,001 must be from 1 to 1,000,000"),
        (message(settings={"batch_size": 1_025}), "spec.edit_direction.batch_size", "1,025 must be from 1 to 1,024"),
        (message(settings={"learning_rate": 0}), "spec.edit_direction.learning_rate", "0 must be above 0"),
        (message(settings={"learning_rate": 1.01}), "spec.edit_direction.learning_rate", "1.01"),
        (message(settings={"learning_rate": float("nan")}), "spec.edit_direction.learning_rate", "nan"),
        (message(settings={"evaluation_size": 65_537}), "spec.edit_direction.evaluation_size", "from 1 to 65,536"),
        (message(settings={"space": "w"}), "spec.edit_direction.space", "'w' is none that the generator has: z"),
        (message(settings={"layers": [0]}), "spec.edit_direction.layers", "only w+ has layers"),
        (message(settings={"classes": {"each": True}}), "spec.edit_direction.classes", "has no classes"),
        (message(settings={"classes": {}}, model="digits"), "spec.edit_direction.classes", "is empty"),
        (message(settings={"classes": TEN}, model="digits"), "spec.edit_direction.classes.class_id", "0 to 9"),
        (message(settings={"loss": 2}), "spec.edit_direction.loss", "16 px: LPIPS needs at least 31"),
        (message(settings={"loss": 9}), "spec.edit_direction.loss", "9 is not supported; use one of L2, LPIPS"),
        (together("red"), TOGETHER, "it takes two edits or more of brightness, red, green, blue, or lab_l"),
        (together("red", "zoom"), TOGETHER, "is refused for red, zoom"),
        (together("red", "lab_l"), TOGETHER, "is refused for red, lab_l"),
        (together("red", "blue", form=pb.WALK_FORM_NONLINEAR), TOGETHER, "for a nonlinear walk: only linear ones add"),
        (message(settings={"walk_steps": 5}), "spec.edit_direction.walk_steps", "only a nonlinear walk goes in steps"),
        (message(settings={"walk_steps": 65}), "spec.edit_direction.walk_steps", "65 must be from 1 to 64"),
        (message(pb.EditTarget(custom=CUSTOM)), "spec.edit_direction.edits[0].amount_low", "needs amount_low"),
        (message(pb.EditTarget(custom=SHORT)), "spec.edit_direction.edits[0].custom", "3 x 4 = 12"),
        (message(pb.EditTarget(custom=named("a\0b"))), "spec.edit_direction.edits[0].custom.name", "1 to 63 letters"),
        (message(pb.EditTarget(custom=named(""))), "spec.edit_direction.edits[0].custom.name", "1 to 63 letters"),
        (message(pb.EditTarget(custom=named("a", "x" * 33))), "spec.edit_direction.edits[0].custom.unit", "up to 32"),
        (message(*[edit("zoom")] * 65), "spec.edit_direction.edits", "65 edits; from 1 to 64"),
        (message(priority=101), "spec.priority", "101 must be from -100 to 100"),
    ],
)  # fmt: skip
def test_a_spec_that_cannot_work_is_refused_by_field(materials, bad, field, problem):
    with pytest.raises(InvalidRequest) as refusal:
        read_spec(bad, materials)
    [(named, said)] = refusal.value.violations
    assert named == field
    assert problem in said


def test_a_model_that_is_not_there_is_answered_with_those_that_are(materials):
    with pytest.raises(UnknownModel) as refusal:
        read_spec(message(model="faces"), materials)
    assert refusal.value.existing == ("broken", "digits", "grey", "tiny")


def test_a_version_that_is_not_there_is_answered_with_those_that_are(materials):
    with pytest.raises(UnknownModel, match=r"tiny version 2.*there are: 1"):
        read_spec(message(model_version="2"), materials)


def test_a_damaged_generator_is_refused_before_anything_is_queued(materials, tmp_path):
    [weights] = (tmp_path / "store").glob("generators/tiny/1/*.safetensors")
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(CorruptArtifact):
        read_spec(message(), materials)


def test_a_request_id_has_an_end_and_can_be_written():
    with pytest.raises(InvalidRequest, match="129 characters; at most 128"):
        read_request(pb.CreateJobRequest(request_id="x" * 129))
    with pytest.raises(InvalidRequest, match="must be printable"):
        read_request(pb.CreateJobRequest(request_id="a\0b"))


def test_a_walk_is_no_larger_than_can_be_learned(materials):
    wide = build_generator(GeneratorSpec("dcgan", 8_192, 0, 8, 1, {"width": 1})).freeze()
    save_generator(materials.store, "wide", wide, provenance={}, created="2026-01-01T00:00:00Z")
    spec = message(edit("zoom"), edit("rotate"), edit("shift_x", -2, 2), model="wide")
    assert len(read_spec(spec, materials).settings.edits) == 3
    spec.edit_direction.form = pb.WALK_FORM_NONLINEAR
    with pytest.raises(InvalidRequest, match="3 nonlinear sliders of 8,192 numbers of a code learn 805,404,672"):
        read_spec(spec, materials)


def test_a_direction_has_no_more_sliders_than_can_be_shown(materials):
    many = build_generator(GeneratorSpec("dcgan", 8, 65, 8, 3, {"width": 1})).freeze()
    save_generator(materials.store, "many", many, provenance={}, created="2026-01-01T00:00:00Z")
    edits = [pb.EditTarget(custom=named(f"e{number}"), amount_low=-1, amount_high=1) for number in range(64)]
    assert len(read_spec(message(*edits, model="many"), materials).settings.edits) == 64
    each = message(*edits, model="many", settings={"classes": {"each": True}})
    with pytest.raises(InvalidRequest, match="64 edits for each of 65 classes make 4,160 sliders; at most 4,096"):
        read_spec(each, materials)


def test_the_digest_of_a_request_tells_specs_apart():
    digests = {
        read_request(pb.CreateJobRequest(request_id="a", spec=spec)).digest
        for spec in (message(), message(), message(seed=1), message(edit("zoom")))
    }
    assert len(digests) == 3


def test_pages_and_states_are_checked():
    with pytest.raises(InvalidRequest, match="page_size: 1,001 must be from 1 to 1,000"):
        read_page(pb.ListJobsRequest(page_size=1_001))
    with pytest.raises(InvalidRequest, match="page_token: 'x'"):
        read_page(pb.ListJobsRequest(page_token="x"))
    with pytest.raises(InvalidRequest, match=r"states\[1\]: 77"):
        read_states([pb.JOB_STATE_QUEUED, 77])
    assert read_states([pb.JOB_STATE_FAILED]) == {JobState.FAILED}
    assert read_page(pb.ListJobsRequest(page_token="5")) == (5, 100)


def test_every_state_has_a_word_on_the_wire():
    assert {f"JOB_STATE_{state}" for state in JobState} == set(pb.JobState.keys()) - {"JOB_STATE_UNSPECIFIED"}
    assert callable(job_message)
