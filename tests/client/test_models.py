"""What a server holds: models and directions, loaded and unloaded."""

from datetime import UTC, datetime

import pytest

from latentwalk.client import (
    Client,
    Displacement,
    InvalidRequest,
    LoadState,
    NotFound,
    Provenance,
    SliderPick,
    SliderSource,
)


def test_models_are_listed_with_all_that_a_caller_needs(client: Client):
    digits, tiny = client.models()
    assert (digits.name, digits.classes, digits.channels) == ("digits", 3, 1)
    assert (tiny.name, tiny.state, tiny.version, tiny.versions) == ("tiny", LoadState.READY, "1", ("1",))
    assert (tiny.family, tiny.latent_size, tiny.classes, tiny.spaces) == ("dcgan", 6, 0, ("z",))
    assert (tiny.width, tiny.height, tiny.channels) == (16, 16, 3)
    assert tiny.max_rows > 0
    assert tiny.max_frames > 0
    assert client.model("tiny") == tiny


def test_a_direction_is_described_in_both_measures(client: Client):
    zoom = client.direction("tiny", "zoom")
    assert (zoom.model, zoom.space, zoom.generator_digest) == ("tiny", "z", client.model("tiny").digest)
    (slider,) = zoom.sliders
    assert (slider.edit, slider.unit) == ("zoom", "x")
    assert slider.trained.alpha == (-1, 1)
    assert slider.trained.amount == pytest.approx((0.25, 4))
    assert client.direction("tiny", "bank").sliders[0].limit.amount is None


def test_a_direction_says_its_form_and_its_sliders_their_class(client: Client):
    zoom, loops = client.direction("tiny", "zoom"), client.direction("digits", "loops")
    assert (zoom.form, zoom.layers, zoom.sliders[0].class_id) == ("linear", (), None)
    assert (loops.form, loops.sliders[0].class_id) == ("linear", 2)


def test_a_direction_says_where_it_comes_from_and_its_sliders_what_was_measured(client: Client):
    bank = client.direction("tiny", "bank")
    provenance = bank.provenance
    assert provenance is not None
    assert (provenance.method, provenance.job, provenance.file) == ("discovery", "a1b2", "")
    assert provenance.create_time == datetime(2026, 1, 1, tzinfo=UTC)
    assert list(provenance.measures.items()) == [("rca_class9", 0.25), ("rca_class10", 0.5)]
    assert [(one.name, one.measures) for one in bank.sliders] == [
        ("left", {"accuracy": 0.75}),
        ("right", {"accuracy": 1}),
    ]
    assert len({bank, client.direction("tiny", "bank")}) == 1
    listed = {one.name: one for one in client.directions("tiny")}["bank"]
    assert (listed.provenance, listed.sliders[0].measures) == (None, {})


def test_sliders_are_picked_into_a_direction_of_their_own(client: Client):
    picks = [SliderPick("bank", slider="right", name="east", opposite=True, alpha=(-1, 3)), SliderPick("zoom")]
    mine = client.pick_sliders("tiny", "mine", picks)
    assert (mine.name, mine.state, mine.space) == ("mine", LoadState.READY, "z")
    assert (mine.provenance and mine.provenance.method) == "pick"
    east, zoom = mine.sliders
    assert (east.name, east.trained.alpha, east.limit.alpha) == ("east", (-1, 1), (-1, 3))
    assert east.measures == {"accuracy": 1}
    assert east.source == SliderSource("bank", "1", "right", opposite=True, method="discovery", job="a1b2")
    assert zoom.source == SliderSource("zoom", "1", "zoom", opposite=False, method="", job="")
    there = client.generate("tiny", seeds=7, displacements=Displacement("mine", slider="east", alpha=-0.5))
    here = client.generate("tiny", seeds=7, displacements=Displacement("bank", slider="right", alpha=0.5))
    assert (there.array == here.array).all()
    with pytest.raises(InvalidRequest, match="'bank:left' stands in"):
        client.pick_sliders("tiny", "mine", [SliderPick("bank", slider="left", name=name) for name in "ab"])
    client.unload_direction("tiny", "mine")


def test_sliders_are_picked_without_what_others_move(client: Client):
    pick = SliderPick("bank", slider="right", name="own", without=iter(["zoom", "bank:left"]))
    (own,) = client.pick_sliders("tiny", "alone", [pick]).sliders
    assert own.source is not None
    assert own.source.without == ("zoom@1:zoom", "bank@1:left")
    client.unload_direction("tiny", "alone")


def test_of_a_direction_without_a_word_nothing_is_made_up(client: Client):
    zoom = client.direction("tiny", "zoom")
    assert zoom.provenance == Provenance("", "", "", datetime(2026, 1, 1, tzinfo=UTC), {})
    assert zoom.sliders[0].measures == {}


def test_directions_can_be_unloaded_and_loaded_again(client: Client):
    client.unload_direction("tiny", "zoom")
    states = {direction.name: direction.state for direction in client.directions("tiny")}
    assert states["zoom"] is LoadState.AVAILABLE
    with pytest.raises(NotFound):
        client.walk("tiny", "zoom", seeds=1).collect()
    assert client.load_direction("tiny", "zoom", version=1).state is LoadState.READY
    assert len(client.walk("tiny", "zoom", seeds=1, frames=2).collect()) == 2


def test_models_can_be_unloaded_and_loaded_again(client: Client):
    client.unload_model("digits")
    assert client.model("digits").state is LoadState.AVAILABLE
    with pytest.raises(NotFound):
        client.generate("digits", seeds=1, classes=0)
    loaded = client.load_model("digits", version=1)
    assert (loaded.model.state, loaded.dropped_directions) == (LoadState.READY, ())
    assert len(client.generate("digits", seeds=1, classes=0)) == 1
    client.load_direction("digits", "loops")


def test_a_version_that_is_not_there_is_told(client: Client):
    with pytest.raises(NotFound):
        client.load_model("tiny", version=9)
