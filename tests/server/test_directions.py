"""Directions of every form, and of one class, as they are served."""

import dataclasses

import pytest
import torch

from latentwalk.gan.directions import IteratedDirection, LinearDirection, RbfDirection, Slider
from latentwalk.gan.images import to_uint8
from latentwalk.gan.latents import one_hot, z_from_seeds
from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import model_service_pb2 as models_pb

SLIDER = Slider("on", "", "", 1.0, (-1.0, 1.0), (-3.0, 3.0))


def iterated_of(digest):
    torch.manual_seed(0)
    shapes = {"inner": (1, 2, 6, 6), "inner_bias": (1, 2, 6), "outer": (1, 2, 6, 6), "outer_bias": (1, 2, 6)}
    return IteratedDirection("bend", digest, (SLIDER,), **{k: 0.5 * torch.randn(v) for k, v in shapes.items()}, steps=3)


def rbf_of(digest):
    torch.manual_seed(1)
    return RbfDirection(
        "climb", digest, (SLIDER,), torch.randn(1, 8, 6), torch.randn(1, 8), torch.ones(1, 8), step=0.2, reach=2.0
    )


def bound_of(digest, class_id=2):
    """Two sliders: "open" was found for a class, "all" moves every one."""
    everyone = Slider("all", "", "", 1.0, (-1.0, 1.0), (-3.0, 3.0))
    sliders = (dataclasses.replace(everyone, name="open", class_id=class_id), everyone)
    return LinearDirection("loops", digest, sliders, torch.eye(6)[:2].contiguous())


def walk_request(model, direction, *, first, last, frames, seeds=(1, 2)):
    request = pb.WalkRequest(model=model)
    for seed in seeds:
        request.starts.add(seed=seed)
    stretch = request.legs.add(frames=frames).stretches.add(direction=direction)
    getattr(stretch, "from").alpha, stretch.to.alpha = first, last
    return request


@pytest.mark.parametrize("make", [iterated_of, rbf_of])
async def test_a_curved_direction_is_walked_as_its_mathematics_says(library, serve, faces, make):
    direction = make(faces.digest)
    library.put_direction("faces", direction)
    async with serve(library) as server:
        call = server.generation.Walk(walk_request("faces", direction.name, first=-1.0, last=2.0, frames=7))
        frames = [reply.frame async for reply in call][1:]
    start = z_from_seeds([1, 2], 6)
    for index, frame in enumerate(frames):
        expected = to_uint8(faces(direction.walk(start, 0, -1.0 + index / 2)))
        drawn = torch.stack([torch.frombuffer(bytearray(one.data), dtype=torch.uint8) for one in frame.images])
        assert (drawn.int() - expected.flatten(1).int()).abs().max() <= 1


async def test_a_direction_says_its_form_and_the_classes_of_its_sliders(library, serve, faces, digits):
    library.put_direction("faces", iterated_of(faces.digest))
    library.put_direction("digits", bound_of(digits.digest))
    async with serve(library) as server:
        directions = (await server.models.ListDirections(models_pb.ListDirectionsRequest())).directions
    forms = {one.name: one.form for one in directions}
    assert forms == {"bend": "iterated", "style": "linear", "zoom": "linear", "loops": "linear"}
    (loops,) = [one for one in directions if one.name == "loops"]
    bound, free = loops.sliders
    assert (bound.HasField("class_id"), bound.class_id, free.HasField("class_id")) == (True, 2, False)


def displaced(slider, mixture, *, any_class=False):
    """A request that moves seed 1 of class 2, and seed 2 of a mixture of classes, along a slider of "loops"."""
    request = pb.GenerateRequest(model="digits", any_class=any_class)
    request.latents.add(seed=1).condition.class_id = 2
    request.latents.add(seed=2).condition.class_mix.weights.update(mixture)
    request.displacements.add(direction="loops", slider="all").extent.alpha = 0.5
    request.displacements.add(direction="loops", slider=slider).extent.alpha = 1.0
    return request


async def test_a_slider_of_one_class_is_refused_for_latents_of_another_unless_any_class_is_set(
    library, serve, digits, refusal
):
    direction = bound_of(digits.digest)
    library.put_direction("digits", direction)
    async with serve(library) as server:
        generate = server.generation.Generate
        refused = await refusal(generate(displaced("open", {0: 1.0})))
        assert (refused.status, refused.reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
        assert refused.fields == ["displacements[1]"]
        for words in ("'open' of direction 'loops'", "class 2", "class 0", "latents[1]", "set any_class"):
            assert words in refused.message
        assert "a mixture of classes" in (await refusal(generate(displaced("open", {1: 0.5, 2: 0.5})))).message
        assert (await generate(displaced("open", {2: 3.0}))).images
        assert (await generate(displaced("all", {0: 1.0}))).images
        images = (await generate(displaced("open", {0: 1.0}, any_class=True))).images
    moved = z_from_seeds([1, 2], 6) + torch.tensor([1.0, 0.5, 0, 0, 0, 0])
    expected = to_uint8(digits(moved, one_hot([2, 0], 3))).flatten(1)
    drawn = torch.stack([torch.frombuffer(bytearray(one.data), dtype=torch.uint8) for one in images])
    assert (drawn.int() - expected.int()).abs().max() <= 1


async def test_a_walk_names_the_stretch_whose_slider_is_of_another_class(library, serve, digits, refusal, rest):
    library.put_direction("digits", bound_of(digits.digest))
    async with serve(library) as server:
        request = pb.WalkRequest(model="digits")
        request.starts.add(seed=1).condition.class_id = 1
        for slider in ("all", "open"):
            stretch = request.legs.add(frames=2).stretches.add(direction="loops", slider=slider)
            getattr(stretch, "from").alpha, stretch.to.alpha = 0.0, 1.0
        refused = await refusal(server.generation.Walk(request))
        assert refused.fields == ["legs[1].stretches[0]"]
        assert "starts[0]" in refused.message
        request.any_class = True
        assert len(await rest(server.generation.Walk(request))) == 5


async def test_a_slider_of_a_class_that_the_generator_has_not_cannot_be_loaded(library, serve, faces, digits, refusal):
    library.put_direction("faces", bound_of(faces.digest))
    library.put_direction("digits", bound_of(digits.digest, class_id=3))
    async with serve(library) as server:
        for model, classes in (("faces", 0), ("digits", 3)):
            request = models_pb.LoadDirectionRequest(model=model, direction="loops")
            refused = await refusal(server.models.LoadDirection(request))
            assert (refused.status, refused.reason) == ("FAILED_PRECONDITION", "CORRUPT_ARTIFACT")
            assert f"its generator has {classes} classes" in refused.message


@pytest.mark.parametrize("make", [iterated_of, rbf_of])
async def test_a_curved_direction_is_steered_as_its_mathematics_says(library, serve, faces, make):
    direction = make(faces.digest)
    library.put_direction("faces", direction)
    async with serve(library) as server:
        call = server.generation.Steer()
        await call.write(pb.SteerRequest(setup=pb.SteerSetup(model="faces")))
        for sequence, (seed, alpha) in enumerate([(1, -1.2), (1, 0.4), (1, 2.0), (2, 2.0), (2, -0.3)], start=1):
            request = pb.SteerRequest(sequence=sequence)
            request.position.latents.add(seed=seed)
            request.position.displacements.add(direction=direction.name).extent.alpha = alpha
            await call.write(request)
            (image,) = (await call.read()).frame.images
            expected = to_uint8(faces(direction.walk(z_from_seeds([seed], 6), 0, alpha))).flatten()
            drawn = torch.frombuffer(bytearray(image.data), dtype=torch.uint8)
            assert (drawn.int() - expected.int()).abs().max() <= 1
        await call.done_writing()
