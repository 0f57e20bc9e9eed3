"""Models and directions come and go, and a bad one never harms a good one."""

import asyncio
import gc
import logging

import pytest
import torch

from latentwalk.gan.spec import GeneratorSpec
from latentwalk.server.device import RemoteEngine
from latentwalk.v1 import generation_service_pb2 as generation
from latentwalk.v1 import latent_pb2
from latentwalk.v1 import model_service_pb2 as pb

AVAILABLE, LOADING, READY = pb.LOAD_STATE_AVAILABLE, pb.LOAD_STATE_LOADING, pb.LOAD_STATE_READY


async def picture(server, model="faces"):
    request = generation.GenerateRequest(model=model)
    request.latents.add(seed=1)
    return await server.generation.Generate(request)


async def model_of(server, name):
    return (await server.models.GetModel(pb.GetModelRequest(model=name))).model


def corrupt(path):
    """Cuts the last byte off the weights or vectors of an artifact."""
    (file,) = path.glob("*.safetensors")
    file.write_bytes(file.read_bytes()[:-1])
    return file


# -- what there is ---------------------------------------------------------------------------------------------------


async def test_a_server_loads_the_newest_of_everything_in_its_store(server, faces, digits):
    models = (await server.models.ListModels(pb.ListModelsRequest())).models
    assert [(model.name, model.version, model.state) for model in models] == [
        ("digits", "1", READY),
        ("faces", "1", READY),
    ]
    assert models[0] == pb.Model(
        name="digits", version="1", state=READY, digest=digits.digest, family="dcgan", latent_size=6, classes=3,
        width=16, height=16, channels=1, spaces=["z"], max_rows=64, max_frames=10_000, versions=["1"],
    )  # fmt: skip
    directions = (await server.models.ListDirections(pb.ListDirectionsRequest())).directions
    assert [(one.model, one.name, one.state) for one in directions] == [
        ("faces", "style", READY),
        ("faces", "zoom", READY),
    ]
    assert await server.metric("latentwalk_model_loaded", model="faces", version="1") == 1


async def test_a_direction_is_described_in_alphas_and_amounts(server, faces):
    request = pb.GetDirectionRequest(model="faces", direction="zoom")
    zoom = (await server.models.GetDirection(request)).direction
    assert (zoom.generator_digest, zoom.space, list(zoom.versions)) == (faces.digest, "z", ["1"])
    (slider,) = zoom.sliders
    assert (slider.name, slider.edit, slider.unit) == ("zoom", "zoom", "x")
    assert (slider.limit.alpha_low, slider.limit.alpha_high) == (-1, 1)
    assert (slider.limit.amount_low, slider.limit.amount_high) == pytest.approx((0.25, 4))
    request = pb.GetDirectionRequest(model="faces", direction="style")
    style = (await server.models.GetDirection(request)).direction
    assert not style.sliders[0].limit.HasField("amount_low")


async def test_only_the_models_that_are_named_are_loaded_at_start(library, serve):
    async with serve(library, models=("digits",)) as server:
        faces = await model_of(server, "faces")
        assert faces == pb.Model(name="faces", version="1", state=AVAILABLE, versions=["1"])
        directions = await server.models.ListDirections(pb.ListDirectionsRequest(model="faces"))
        assert {one.state for one in directions.directions} == {AVAILABLE}


async def test_a_server_of_an_empty_store_runs_and_takes_in_a_model_later(empty_library, serve, faces, refusal):
    async with serve(empty_library) as server:
        assert not (await server.models.ListModels(pb.ListModelsRequest())).models
        assert (await refusal(picture(server))).message == "no model 'faces'; there are none"
        empty_library.put_generator("faces", faces)
        loaded = (await server.models.LoadModel(pb.LoadModelRequest(model="faces"))).model
        assert (loaded.state, loaded.digest) == (READY, faces.digest)
        assert (await picture(server)).model_digest == faces.digest


async def test_that_a_model_is_being_loaded_serves_and_is_unloaded_is_logged(library, serve, caplog):
    with caplog.at_level(logging.INFO, "latentwalk.repository"):
        async with serve(library) as server:
            await server.models.UnloadDirection(pb.UnloadDirectionRequest(model="faces", direction="zoom"))
            await server.models.UnloadModel(pb.UnloadModelRequest(model="digits"))
    told = [one.getMessage() for one in caplog.records if one.name == "latentwalk.repository"]
    loading, serves, unloaded = (message for message in told if message.startswith("model digits "))
    assert (" is being loaded: " in loading, " serves: " in serves) == (True, True)
    assert unloaded == "model digits serves no more: it was unloaded"
    assert "direction faces/zoom serves no more: it was unloaded" in told


async def test_what_is_damaged_at_start_is_logged_and_the_rest_serves(library, serve, caplog):
    file = corrupt(library.path / "generators/digits/1")
    damaged = corrupt(library.path / "directions/faces/style/1")
    with caplog.at_level(logging.ERROR):
        async with serve(library) as server:
            assert (await picture(server)).images
            assert (await model_of(server, "digits")).state == AVAILABLE
            directions = await server.models.ListDirections(pb.ListDirectionsRequest(model="faces"))
            assert [one.state for one in directions.directions] == [AVAILABLE, READY]
    messages = [record.getMessage() for record in caplog.records]
    assert any("model digits is skipped" in message and str(file) in message for message in messages)
    assert any("direction faces/style is skipped" in message and str(damaged) in message for message in messages)


# -- how models come and go ------------------------------------------------------------------------------------------


async def test_a_new_version_takes_over_and_drops_the_directions_that_no_longer_fit(server, library, other):
    library.put_generator("faces", other)
    assert (await picture(server)).model_version == "1"
    reply = await server.models.LoadModel(pb.LoadModelRequest(model="faces"))
    assert (reply.model.version, reply.model.digest, list(reply.model.versions)) == ("2", other.digest, ["1", "2"])
    assert list(reply.dropped_directions) == ["style", "zoom"]
    assert (await picture(server)).model_digest == other.digest
    assert await server.metric("latentwalk_model_loaded", model="faces", version="1") == 0
    assert await server.metric("latentwalk_model_loaded", model="faces", version="2") == 1
    back = await server.models.LoadModel(pb.LoadModelRequest(model="faces", version="1"))
    assert (back.model.version, list(back.dropped_directions)) == ("1", [])


async def test_directions_that_still_fit_stay(server, library, faces):
    library.put_generator("faces", faces)
    reply = await server.models.LoadModel(pb.LoadModelRequest(model="faces"))
    assert (reply.model.version, list(reply.dropped_directions)) == ("2", [])
    directions = await server.models.ListDirections(pb.ListDirectionsRequest(model="faces"))
    assert {one.state for one in directions.directions} == {READY}


@pytest.mark.parametrize("damage", ["truncated", "flipped", "missing", "bad manifest"])
async def test_a_damaged_version_is_refused_with_its_file_and_the_old_one_serves_on(
    server, library, other, refusal, damage
):
    library.put_generator("faces", other)
    folder = library.path / "generators/faces/2"
    (file,) = folder.glob("*.safetensors")
    if damage == "truncated":
        corrupt(folder)
    elif damage == "flipped":
        content = bytearray(file.read_bytes())
        content[-1] ^= 1
        file.write_bytes(content)
    elif damage == "missing":
        file.unlink()
    else:
        file = folder / "manifest.json"
        file.write_text("{")
    refused = await refusal(server.models.LoadModel(pb.LoadModelRequest(model="faces")))
    assert (refused.status, refused.reason) == ("FAILED_PRECONDITION", "CORRUPT_ARTIFACT")
    assert refused.metadata["file"].endswith(str(file)[-50:])
    model = await model_of(server, "faces")
    assert (model.version, model.state) == ("1", READY)
    assert (await picture(server)).model_version == "1"


@pytest.mark.parametrize("engine_seconds", [0.0, 1.0])
async def test_a_version_that_draws_nothing_is_refused_and_the_old_one_serves_on(
    library, serve, faces, generator_of, refusal, engine_seconds
):
    broken = generator_of(faces.spec)
    with torch.no_grad():
        next(broken.parameters()).fill_(float("nan"))
    async with serve(library, engine_seconds=engine_seconds) as server:
        library.put_generator("faces", broken.freeze())
        refused = await refusal(server.models.LoadModel(pb.LoadModelRequest(model="faces")))
        assert (refused.status, refused.reason) == ("FAILED_PRECONDITION", "CORRUPT_ARTIFACT")
        assert "are its weights damaged?" in refused.message
        assert (await picture(server)).model_version == "1"


def engines():
    """How many there are, those of servers of other tests among them."""
    gc.collect()
    return sum(type(one) is RemoteEngine for one in gc.get_objects())


async def test_an_unloaded_model_is_let_go_of_though_a_stream_that_steered_it_is_open(server):
    call = server.generation.Steer()
    await call.write(generation.SteerRequest(setup=generation.SteerSetup(model="faces")))
    position = generation.SteerPosition(latents=[latent_pb2.Latent(seed=1)])
    await call.write(generation.SteerRequest(sequence=1, position=position))
    assert (await call.read()).frame.images
    before = engines()
    await server.models.UnloadModel(pb.UnloadModelRequest(model="faces"))
    assert engines() == before - 1


async def test_an_unloaded_model_is_refused_and_can_come_back(server, refusal):
    await server.models.UnloadModel(pb.UnloadModelRequest(model="faces"))
    assert "there are: digits" in (await refusal(picture(server))).message
    assert (await model_of(server, "faces")).state == AVAILABLE
    assert await server.metric("latentwalk_model_loaded", model="faces") == 0
    await server.models.LoadModel(pb.LoadModelRequest(model="faces"))
    assert (await picture(server)).images


async def test_a_walk_that_runs_is_served_to_its_end_by_the_version_it_began_with(server, library, other, rest):
    request = generation.WalkRequest(model="faces")
    request.starts.add(seed=1)
    stretch = request.legs.add(frames=200).stretches.add(direction="zoom", to=generation.Extent(alpha=1))
    getattr(stretch, "from").alpha = 0
    call = server.generation.Walk(request)
    header = (await call.read()).header
    library.put_generator("faces", other)
    await server.models.LoadModel(pb.LoadModelRequest(model="faces"))
    await server.models.UnloadModel(pb.UnloadModelRequest(model="faces"))
    assert len(await rest(call)) == 200
    assert header.model_version == "1"


async def test_a_load_does_not_hold_up_the_pictures_of_others(server, library, other):
    library.put_generator("other", other)
    load = asyncio.ensure_future(server.models.LoadModel(pb.LoadModelRequest(model="other")))
    assert (await picture(server)).images
    assert (await load).model.state == READY


async def test_loads_at_once_end_with_one_of_the_versions(server, library, other):
    library.put_generator("faces", other)
    requests = [pb.LoadModelRequest(model="faces", version=version) for version in ("1", "2", "1", "2")]
    replies = await asyncio.gather(*map(server.models.LoadModel, requests))
    assert {reply.model.name for reply in replies} == {"faces"}
    assert (await picture(server)).model_version in ("1", "2")


# -- how directions come and go --------------------------------------------------------------------------------------


async def test_a_direction_of_another_generator_is_refused_with_both_digests(
    server, library, faces, other, direction_of, refusal
):
    library.put_direction("faces", direction_of(other.digest, "turn"))
    refused = await refusal(server.models.LoadDirection(pb.LoadDirectionRequest(model="faces", direction="turn")))
    assert (refused.status, refused.reason) == ("FAILED_PRECONDITION", "GENERATOR_MISMATCH")
    assert (refused.metadata["expected_digest"], refused.metadata["actual_digest"]) == (other.digest, faces.digest)
    assert other.digest in refused.message
    assert faces.digest in refused.message
    assert "serve that generator, or train" in refused.message


async def test_a_direction_of_an_earlier_version_of_the_model_is_refused_with_that_version(
    server, library, other, refusal
):
    library.put_generator("faces", other)
    loaded = await server.models.LoadModel(pb.LoadModelRequest(model="faces"))
    [dropped, *_] = loaded.dropped_directions
    refused = await refusal(server.models.LoadDirection(pb.LoadDirectionRequest(model="faces", direction=dropped)))
    assert refused.reason == "GENERATOR_MISMATCH"
    assert "serve that generator (version 1 of the model), or train" in refused.message


async def test_a_new_version_of_a_direction_takes_over(server, library, faces, direction_of):
    library.put_direction("faces", direction_of(faces.digest))
    reply = await server.models.LoadDirection(pb.LoadDirectionRequest(model="faces", direction="zoom"))
    assert (reply.direction.version, reply.direction.state) == ("2", READY)
    request = pb.LoadDirectionRequest(model="faces", direction="zoom", version="1")
    assert (await server.models.LoadDirection(request)).direction.version == "1"


async def test_a_damaged_direction_is_refused_and_the_old_one_serves_on(server, library, faces, direction_of, refusal):
    library.put_direction("faces", direction_of(faces.digest))
    file = corrupt(library.path / "directions/faces/zoom/2")
    refused = await refusal(server.models.LoadDirection(pb.LoadDirectionRequest(model="faces", direction="zoom")))
    assert (refused.status, refused.reason) == ("FAILED_PRECONDITION", "CORRUPT_ARTIFACT")
    assert refused.metadata["file"].endswith(str(file)[-50:])
    zoom = await server.models.GetDirection(pb.GetDirectionRequest(model="faces", direction="zoom"))
    assert (zoom.direction.version, zoom.direction.state) == ("1", READY)


async def test_a_direction_of_the_wrong_length_is_refused(server, library, faces, direction_of, refusal):
    library.put_direction("faces", direction_of(faces.digest, "long", size=7))
    refused = await refusal(server.models.LoadDirection(pb.LoadDirectionRequest(model="faces", direction="long")))
    assert refused.reason == "CORRUPT_ARTIFACT"
    assert "moves 7 numbers in space z, its generator has 6" in refused.message


async def test_an_unloaded_direction_is_refused_and_a_walk_that_uses_it_ends_undisturbed(server, refusal, rest):
    request = generation.WalkRequest(model="faces")
    request.starts.add(seed=1)
    stretch = request.legs.add(frames=200).stretches.add(direction="zoom", to=generation.Extent(alpha=1))
    getattr(stretch, "from").alpha = 0
    call = server.generation.Walk(request)
    await call.read()
    await server.models.UnloadDirection(pb.UnloadDirectionRequest(model="faces", direction="zoom"))
    assert "there are: style" in (await refusal(server.generation.Walk(request))).message
    assert len(await rest(call)) == 200


# -- what does not exist ---------------------------------------------------------------------------------------------

UNKNOWN = [
    ("GetModel", pb.GetModelRequest(model="x"), "UNKNOWN_MODEL", "digits, faces"),
    ("LoadModel", pb.LoadModelRequest(model="x"), "UNKNOWN_MODEL", "digits, faces"),
    ("LoadModel", pb.LoadModelRequest(model="../faces"), "UNKNOWN_MODEL", "digits, faces"),
    ("LoadModel", pb.LoadModelRequest(model="faces", version="7"), "UNKNOWN_MODEL", "1"),
    ("UnloadModel", pb.UnloadModelRequest(model="x"), "UNKNOWN_MODEL", "digits, faces"),
    ("ListDirections", pb.ListDirectionsRequest(model="x"), "UNKNOWN_MODEL", "digits, faces"),
    ("GetDirection", pb.GetDirectionRequest(model="x", direction="zoom"), "UNKNOWN_MODEL", "digits, faces"),
    ("GetDirection", pb.GetDirectionRequest(model="faces", direction="x"), "UNKNOWN_DIRECTION", "style, zoom"),
    ("LoadDirection", pb.LoadDirectionRequest(model="x", direction="zoom"), "UNKNOWN_MODEL", "digits, faces"),
    ("LoadDirection", pb.LoadDirectionRequest(model="faces", direction="x"), "UNKNOWN_DIRECTION", "style, zoom"),
    (
        "LoadDirection",
        pb.LoadDirectionRequest(model="faces", direction="zoom", version="2"),
        "UNKNOWN_DIRECTION",
        "1",
    ),
    ("UnloadDirection", pb.UnloadDirectionRequest(model="faces", direction="x"), "UNKNOWN_DIRECTION", "style, zoom"),
]


async def test_what_does_not_exist_is_answered_with_what_does(server, refusal):
    for method, request, reason, existing in UNKNOWN:
        refused = await refusal(getattr(server.models, method)(request))
        assert (refused.status, refused.reason) == ("NOT_FOUND", reason), request
        assert f"there are: {existing}" in refused.message, request


@pytest.mark.parametrize("version", ["0", "-1", "one", "1.0", "٣", " 1", "9" * 5000])
async def test_a_version_that_is_no_number_is_refused(server, refusal, version):
    for method, request in (
        ("LoadModel", pb.LoadModelRequest(model="faces", version=version)),
        ("LoadDirection", pb.LoadDirectionRequest(model="faces", direction="zoom", version=version)),
    ):
        refused = await refusal(getattr(server.models, method)(request))
        assert (refused.status, refused.fields) == ("INVALID_ARGUMENT", ["version"])
        assert repr(version)[:100] in refused.message


async def test_a_direction_is_asked_for_with_its_model(server, refusal):
    refused = await refusal(server.models.GetDirection(pb.GetDirectionRequest(direction="zoom")))
    assert refused.fields == ["model"]


async def test_a_model_whose_picture_fits_no_reply_is_refused(library, serve, generator_of, refusal):
    library.put_generator("huge", generator_of(GeneratorSpec("dcgan", 1, 0, 1024, 3, {"width": 1})))
    async with serve(library, models=("faces",), max_reply_mib=1, max_batch=1) as server:
        refused = await refusal(server.models.LoadModel(pb.LoadModelRequest(model="huge")))
        assert refused.status == "INVALID_ARGUMENT"
        assert "3,145,728 bytes" in refused.message
