"""Sliders are picked from directions that were found, under names of their own."""

import json
from dataclasses import replace

import pytest
import torch
from forms import deformed, iterated, linear, rbf

from latentwalk.gan.artifacts import load_direction
from latentwalk.gan.images import to_uint8
from latentwalk.gan.latents import z_from_seeds
from latentwalk.v1 import generation_service_pb2 as generation
from latentwalk.v1 import model_service_pb2 as pb

FOUND = {"method": "discovery", "job": "a1b2", "measures": {"reconstruction_accuracy": 0.5, "accuracy.light": 0.75}}


def picking(*picks, direction="mine"):
    return pb.PickSlidersRequest(model="faces", direction=direction, picks=[pb.SliderPick(**pick) for pick in picks])


LIGHT = {"direction": "style", "slider": "light", "name": "glow", "opposite": True, "alpha_low": -1, "alpha_high": 2}


async def drawn(server, direction, slider, alpha):
    request = generation.GenerateRequest(model="faces")
    request.latents.add(seed=1)
    request.displacements.add(direction=direction, slider=slider).extent.alpha = alpha
    (image,) = (await server.generation.Generate(request)).images
    return image.data


async def test_picked_sliders_are_a_direction_of_their_own_that_is_loaded_at_once(library, serve):
    library.put_direction("faces", load_direction(library.store, "faces", "style")[0], FOUND)
    async with serve(library) as server:
        mine = (await server.models.PickSliders(picking(LIGHT, {"direction": "zoom"}))).direction
        assert (mine.name, mine.version, mine.state, mine.form) == ("mine", "1", pb.LOAD_STATE_READY, "linear")
        assert (mine.provenance.method, mine.provenance.job) == ("pick", "")
        glow, zoom = mine.sliders
        assert (glow.name, glow.limit.alpha_low, glow.limit.alpha_high) == ("glow", -1, 2)
        assert (glow.trained.alpha_low, glow.trained.alpha_high) == (-1, 2)
        assert dict(glow.measures) == {"accuracy": 0.75}
        assert glow.source == pb.SliderSource(
            direction="style", version="2", slider="light", opposite=True, method="discovery", job="a1b2"
        )
        assert zoom.source == pb.SliderSource(direction="zoom", version="1", slider="zoom")
        assert await drawn(server, "mine", "glow", 1.5) == await drawn(server, "style", "light", -1.5)
        assert await drawn(server, "mine", "zoom", 0.5) == await drawn(server, "zoom", "zoom", 0.5)
        asked = pb.GetDirectionRequest(model="faces", direction="mine")
        assert (await server.models.GetDirection(asked)).direction == mine


async def test_what_is_picked_from_a_pick_says_where_it_was_found(server):
    await server.models.PickSliders(picking(LIGHT))
    again = {"direction": "mine", "slider": "glow", "name": "gloom", "opposite": True}
    mine = (await server.models.PickSliders(picking(again))).direction
    assert (mine.version, list(mine.versions)) == ("2", ["1", "2"])
    (gloom,) = mine.sliders
    assert (gloom.limit.alpha_low, gloom.limit.alpha_high) == (-2, 1)
    assert gloom.source == pb.SliderSource(direction="style", version="1", slider="light")
    assert await drawn(server, "mine", "", -2) == await drawn(server, "style", "light", -2)


async def test_a_slider_is_picked_without_what_others_move(library, serve):
    library.put_direction("faces", load_direction(library.store, "faces", "style")[0], FOUND)
    async with serve(library) as server:
        others = [pb.SliderPick.Other(direction="zoom"), pb.SliderPick.Other(direction="style", slider="age")]
        mine = (await server.models.PickSliders(picking({**LIGHT, "without": others}))).direction
        (glow,) = mine.sliders
        assert list(glow.source.without) == ["zoom@1:zoom", "style@2:age"]
        assert dict(glow.measures) == {}
        asked = pb.GetDirectionRequest(model="faces", direction="mine")
        assert (await server.models.GetDirection(asked)).direction == mine
        names = ("mine", "zoom", "style")
        found = {name: load_direction(library.store, "faces", name)[0].rows["vectors"] for name in names}
        left_alone = torch.stack([found["zoom"][0], found["style"][0]])
        assert (left_alone @ found["mine"][0]).abs().max() < 1e-5
        assert found["mine"][0] @ -found["style"][1] > 0
        assert await drawn(server, "mine", "glow", 1.5) != await drawn(server, "style", "light", -1.5)


async def test_a_slider_cannot_be_picked_without_what_is_not_there_or_is_all_of_it(server, refusal):
    for slider, field in (("light", "picks[0]"), ("nose", "picks[0].without[0].slider")):
        asked = picking({**LIGHT, "without": [pb.SliderPick.Other(direction="style", slider=slider)]})
        assert (await refusal(server.models.PickSliders(asked))).fields == [field]


async def test_a_slider_cannot_be_picked_without_more_others_than_are_projected_off_at_once(server, refusal):
    """A message has room for a million of them, of which each has a vector."""
    others = [pb.SliderPick.Other(direction="zoom")] * 65
    refused = await refusal(server.models.PickSliders(picking({**LIGHT, "without": others})))
    assert refused.fields == ["picks[0].without"]
    assert "65 sliders; at most 64" in refused.message
    assert (await server.models.PickSliders(picking({**LIGHT, "without": others[1:]}))).direction.version == "1"


async def test_a_direction_may_be_picked_anew_from_itself(server):
    style = (await server.models.PickSliders(picking({**LIGHT, "direction": "style"}, direction="style"))).direction
    assert (style.version, [one.name for one in style.sliders]) == ("2", ["glow"])


async def test_an_edit_that_is_turned_round_keeps_the_meaning_of_its_amounts(server):
    pick = {"direction": "zoom", "name": "far", "opposite": True, "alpha_high": 0.5}
    (far,) = (await server.models.PickSliders(picking(pick))).direction.sliders
    assert (far.edit, far.unit, far.limit.alpha_low, far.limit.alpha_high) == ("zoom", "x", -1, 0.5)
    assert (far.limit.amount_low, far.limit.amount_high) == pytest.approx((0.5, 4))
    pictures = []
    for direction in ("mine", "zoom"):
        request = generation.GenerateRequest(model="faces")
        request.latents.add(seed=1)
        request.displacements.add(direction=direction).extent.amount = 3
        pictures.append((await server.generation.Generate(request)).images[0].data)
    assert pictures[0] == pictures[1]


async def test_sliders_of_every_form_are_picked_and_draw_what_they_drew(library, serve, faces):
    for make in (linear, iterated, deformed, rbf):
        direction = make(6)
        library.put_direction("faces", _renamed(direction, make.__name__, faces.digest))
    async with serve(library) as server:
        for form in ("linear", "iterated", "deformed", "rbf"):
            picks = [{"direction": form, "slider": "b", "opposite": True}, {"direction": form, "slider": "a"}]
            mine = (await server.models.PickSliders(picking(*picks, direction="mine"))).direction
            assert (mine.form, [slider.name for slider in mine.sliders]) == (form, ["b", "a"])
            for slider, sign in (("a", 1), ("b", -1)):
                assert await drawn(server, "mine", slider, 1.3) == await drawn(server, form, slider, sign * 1.3)
        stored, _ = load_direction(library.store, "faces", "mine")
        moved = to_uint8(faces(stored.walk(z_from_seeds([1], 6), 0, -2.0))).flatten()
        image = torch.frombuffer(bytearray(await drawn(server, "mine", "b", -2.0)), dtype=torch.uint8)
        assert (moved.int() - image.int()).abs().max() <= 1


def _renamed(direction, name, digest):
    return replace(direction, name=name, generator_digest=digest)


@pytest.mark.parametrize(
    ("picks", "field", "words"),
    [
        ([], "picks", "pick at least one"),
        ([{"direction": "style", "slider": "smile"}], "picks[0].slider", "'smile' is none of age, light"),
        ([{"direction": "style"}], "picks[0].slider", "is needed: direction 'style' has age, light"),
        ([LIGHT, {**LIGHT, "name": "dim"}], "picks[1].slider", "'style:light' stands in picks[0] already"),
        ([LIGHT, {**LIGHT, "slider": "age"}], "picks[1].name", "'glow' stands in picks[0]"),
        # Whatever follows is not even read: a message has room for half a million picks.
        ([LIGHT, LIGHT, {"direction": "style", "slider": "smile"}], "picks[1].slider", "stands in picks[0]"),
        ([{**LIGHT, "name": "so bright"}], "picks[0]", "name of a slider is 'so bright'"),
        ([{**LIGHT, "alpha_low": 1}], "picks[0]", "range of alpha is 1 to 2"),
        ([{**LIGHT, "alpha_high": 4}], "picks[0]", "it must lie from -3.0 to 3.0"),
        ([{**LIGHT, "alpha_high": float("nan")}], "picks[0]", "range of alpha is -1 to nan"),
        ([LIGHT, {"direction": "bend", "slider": "a"}], "picks", "form is linear of the one, iterated of the other"),
    ],
)
async def test_what_cannot_be_picked_is_refused_by_name_and_nothing_is_published(
    library, serve, faces, refusal, picks, field, words
):
    library.put_direction("faces", _renamed(iterated(6), "bend", faces.digest))
    async with serve(library) as server:
        refused = await refusal(server.models.PickSliders(picking(*picks)))
        assert (refused.status, refused.fields) == ("INVALID_ARGUMENT", [field])
        assert words in refused.message
        assert not library.store.versions("directions", "faces/mine")


async def test_a_name_or_a_direction_that_is_not_there_is_told(server, refusal):
    refused = await refusal(server.models.PickSliders(picking(LIGHT, direction="../mine")))
    assert (refused.status, refused.fields) == ("INVALID_ARGUMENT", ["direction"])
    refused = await refusal(server.models.PickSliders(picking({"direction": "other"})))
    assert (refused.status, refused.reason) == ("NOT_FOUND", "UNKNOWN_DIRECTION")
    refused = await refusal(server.models.PickSliders(pb.PickSlidersRequest(model="other", direction="mine")))
    assert (refused.status, refused.reason) == ("NOT_FOUND", "UNKNOWN_MODEL")


async def test_a_store_that_cannot_be_written_to_is_told(library, serve, refusal):
    async with serve(library) as server:
        (library.path / "directions" / "faces" / "mine").write_text("in the way")
        refused = await refusal(server.models.PickSliders(picking(LIGHT)))
        assert (refused.status, refused.reason) == ("FAILED_PRECONDITION", "STORE_FAILED")
        assert str(library.path) in refused.message


async def test_the_manifest_says_what_was_picked(library, server):
    await server.models.PickSliders(picking(LIGHT))
    manifest = json.loads((library.path / "directions/faces/mine/1/manifest.json").read_text())
    assert manifest["provenance"]["picked"] == [
        {"name": "glow", "direction": "style", "version": 1, "slider": "light", "opposite": True, "method": "",
         "job": "", "measures": {}}
    ]  # fmt: skip
    assert manifest["provenance"]["generator"]["name"] == "faces"
    assert manifest["provenance"]["latentwalk"]
