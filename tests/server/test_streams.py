"""Walk and Interpolate: frames in order, of the latents that were asked for."""

import asyncio
import math

import grpc
import numpy as np
import pytest
import torch

from latentwalk.gan.images import to_uint8
from latentwalk.gan.interpolation import slerp
from latentwalk.gan.latents import z_from_seeds
from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import image_pb2, latent_pb2
from latentwalk.v1 import model_service_pb2 as model_pb


def seeds(*values):
    return [latent_pb2.Latent(seed=value) for value in values]


def stretch(direction, start, stop, slider="", unit="alpha"):
    ends = {"from": pb.Extent(**{unit: start}), "to": pb.Extent(**{unit: stop})}
    return pb.Stretch(direction=direction, slider=slider, **ends)


async def read(call):
    """The header and the frames of a stream."""
    replies = [reply async for reply in call]
    assert [reply.WhichOneof("event") for reply in replies] == ["header"] + ["frame"] * (len(replies) - 1)
    frames = [reply.frame for reply in replies[1:]]
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert replies[0].header.frames == len(frames)
    assert {len(frame.images) for frame in frames} == {replies[0].header.rows}
    return replies[0].header, frames


def assert_draws(frame, generator, z, condition=None):
    """The frame shows what the bare generator draws for z [R, Z]."""
    with torch.inference_mode():
        expected = to_uint8(generator(z, condition), generator.spec.range).numpy().astype(int)
    for image, one in zip(frame.images, expected, strict=True):
        assert np.abs(np.frombuffer(image.data, np.uint8).reshape(one.shape) - one).max() <= 1


async def test_a_walk_moves_every_start_along_all_stretches(server, faces, model):
    legs = [pb.Leg(stretches=[stretch("zoom", -1.0, 1.0), stretch("style", 0.0, 2.0, "age")], frames=5)]
    request = pb.WalkRequest(model="faces", starts=seeds(1, 2, 3), legs=legs)
    header, frames = await read(server.generation.Walk(request))
    assert (header.frames, header.rows, header.model_version, header.model_digest) == (5, 3, "1", faces.digest)
    zoom, age = (model.directions[name].direction.vectors[0] for name in ("zoom", "style"))
    for frame, t in zip(frames, (0.0, 0.25, 0.5, 0.75, 1.0), strict=True):
        assert_draws(frame, faces, z_from_seeds([1, 2, 3], 6) + (2 * t - 1) * zoom + 2 * t * age)


async def test_positions_say_where_every_slider_stands_in_alpha_and_in_its_unit(server):
    legs = [
        pb.Leg(stretches=[stretch("zoom", 0.25, 4.0, unit="amount")], frames=3),
        pb.Leg(stretches=[stretch("style", 0.0, 1.0, "light")], frames=2, easing=pb.EASING_IN_OUT),
    ]
    _, frames = await read(server.generation.Walk(pb.WalkRequest(model="faces", starts=seeds(1), legs=legs)))
    zoom = [frame.positions[0] for frame in frames]
    assert [position.direction for position in zoom] == ["zoom"] * 5
    assert [position.alpha for position in zoom] == pytest.approx([-1, 0, 1, 1, 1])
    assert [position.amount for position in zoom] == pytest.approx([0.25, 1, 4, 4, 4])
    light = [frame.positions[1] for frame in frames[3:]]
    assert [(position.slider, position.alpha) for position in light] == [("light", 0.0), ("light", 1.0)]
    assert not light[0].HasField("amount")


async def test_an_end_that_is_not_said_is_that_of_what_was_trained(server):
    ends = [{}, {"from": pb.Extent(alpha=0.5)}, {"to": pb.Extent(alpha=0.5)}]
    legs = [pb.Leg(stretches=[pb.Stretch(direction="style", slider="age", **end)], frames=2) for end in ends]
    _, frames = await read(server.generation.Walk(pb.WalkRequest(model="faces", starts=seeds(1), legs=legs)))
    assert [frame.positions[0].alpha for frame in frames] == [-2, 2, 0.5, 2, -2, 0.5]


async def test_a_looping_walk_comes_back_the_way_it_went(server):
    request = pb.WalkRequest(
        model="faces", starts=seeds(1), legs=[pb.Leg(stretches=[stretch("zoom", -1, 1)], frames=4)], loop=True
    )
    _, frames = await read(server.generation.Walk(request))
    alphas = [round(frame.positions[0].alpha, 6) for frame in frames]
    assert alphas == pytest.approx([-1, -1 / 3, 1 / 3, 1, 1 / 3, -1 / 3], abs=1e-5)


async def test_a_walk_of_a_conditional_generator_keeps_the_class_of_each_start(server, library, digits, direction_of):
    library.put_direction("digits", direction_of(digits.digest))
    await server.models.LoadDirection(model_pb.LoadDirectionRequest(model="digits", direction="zoom"))
    starts = [latent_pb2.Latent(seed=1, condition=latent_pb2.Condition(class_id=k)) for k in range(3)]
    legs = [pb.Leg(stretches=[stretch("zoom", 0, 1)], frames=2)]
    _, frames = await read(server.generation.Walk(pb.WalkRequest(model="digits", starts=starts, legs=legs)))
    assert_draws(frames[1], digits, z_from_seeds([1, 1, 1], 6) + 1, torch.eye(3))


async def test_an_interpolation_visits_its_keyframes(server, faces):
    request = pb.InterpolateRequest(model="faces", keyframes=seeds(1, 2, 3), frames_per_leg=4)
    header, frames = await read(server.generation.Interpolate(request))
    assert (header.frames, header.rows) == (9, 1)
    z = z_from_seeds([1, 2, 3], 6)
    for index, expected in ((0, z[:1]), (4, z[1:2]), (8, z[2:]), (2, slerp(z[:1], z[1:2], 0.5))):
        assert_draws(frames[index], faces, expected)
    assert not frames[0].positions


async def test_a_looping_straight_interpolation_closes_the_circle(server, faces):
    request = pb.InterpolateRequest(
        model="faces", keyframes=seeds(1, 2), frames_per_leg=2, loop=True, interpolation=pb.INTERPOLATION_LERP
    )
    _, frames = await read(server.generation.Interpolate(request))
    z = z_from_seeds([1, 2], 6)
    for frame, expected in zip(frames, (z[0], z.mean(0), z[1], z.mean(0)), strict=True):
        assert_draws(frame, faces, expected[None])


async def test_an_interpolation_blends_classes(server, digits):
    ends = [latent_pb2.Latent(seed=1, condition=latent_pb2.Condition(class_id=k)) for k in (0, 2)]
    request = pb.InterpolateRequest(model="digits", keyframes=ends, frames_per_leg=4)
    _, frames = await read(server.generation.Interpolate(request))
    assert_draws(frames[1], digits, z_from_seeds([1], 6), torch.tensor([[0.75, 0.0, 0.25]]))


@pytest.mark.parametrize("format", [image_pb2.IMAGE_FORMAT_PNG, image_pb2.IMAGE_FORMAT_WEBP])
async def test_frames_come_encoded(server, format):
    request = pb.InterpolateRequest(
        model="faces", keyframes=seeds(1, 2), frames_per_leg=2, encoding=image_pb2.ImageEncoding(format=format)
    )
    _, frames = await read(server.generation.Interpolate(request))
    assert {image.format for frame in frames for image in frame.images} == {format}


async def test_the_longest_walk_costs_nothing_until_it_is_read(server):
    legs = [pb.Leg(stretches=[stretch("zoom", -1, 1)], frames=10_000)]
    call = server.generation.Walk(pb.WalkRequest(model="faces", starts=seeds(*range(64)), legs=legs))
    assert (await call.read()).header.frames == 10_000
    assert len((await call.read()).frame.images) == 64
    call.cancel()
    await server.settles("latentwalk_open_streams", 0)


async def test_walks_of_many_callers_are_drawn_together(server):
    async def walk(seed):
        legs = [pb.Leg(stretches=[stretch("zoom", -1, 1)], frames=16)]
        return await read(server.generation.Walk(pb.WalkRequest(model="faces", starts=seeds(seed), legs=legs)))

    streams = await asyncio.gather(*map(walk, range(8)))
    assert [len(frames) for _, frames in streams] == [16] * 8
    await server.settles("latentwalk_frames_total", 128, model="faces", kind="walk")
    assert await server.metric("latentwalk_batch_size_count") <= math.ceil(128 / 2)


# -- going on with a stream that broke off -----------------------------------------------------------------------------


def long_walk(**delivery):
    legs = [pb.Leg(stretches=[stretch("zoom", -1.0, 1.0), stretch("style", 0.0, 2.0, "age")], frames=12)]
    return pb.WalkRequest(model="faces", starts=seeds(1, 2), legs=legs, delivery=pb.Delivery(**delivery))


def journey(**delivery):
    return pb.InterpolateRequest(
        model="faces", keyframes=seeds(1, 2, 3), frames_per_leg=6, delivery=pb.Delivery(**delivery)
    )


@pytest.mark.parametrize(("rpc", "request_of"), [("Walk", long_walk), ("Interpolate", journey)])
async def test_a_stream_goes_on_from_any_frame_to_the_bit(library, serve, rpc, request_of):
    strict = pb.DETERMINISM_STRICT
    async with serve(library, frame_cache_mib=0) as server:
        call = getattr(server.generation, rpc)
        whole = [reply async for reply in call(request_of(determinism=strict))]
        for first in (1, 7, len(whole) - 2):
            rest = [reply async for reply in call(request_of(determinism=strict, first_frame=first))]
            assert (rest[0].header.first_frame, rest[0].header.frames) == (first, len(whole) - 1)
            assert [reply.frame for reply in rest[1:]] == [reply.frame for reply in whole[1 + first :]]


async def test_what_arrived_before_a_deadline_is_good_and_the_rest_can_be_fetched(slow_library, serve):
    legs = [pb.Leg(stretches=[stretch("zoom", -1.0, 1.0)], frames=10_000)]
    async with serve(slow_library, max_batch=2, frame_cache_mib=0) as server:

        def walk(first, seconds=None):
            delivery = pb.Delivery(determinism=pb.DETERMINISM_STRICT, first_frame=first)
            request = pb.WalkRequest(model="slow", starts=seeds(1), legs=legs, delivery=delivery)
            return server.generation.Walk(request, timeout=seconds)

        async def collect(call, into):
            async for reply in call:
                into += [reply.frame] if reply.HasField("frame") else []

        broken, seconds = [], 0.5
        while not broken:
            with pytest.raises(grpc.aio.AioRpcError) as ended:
                await collect(walk(0, seconds), broken)
            assert ended.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
            seconds *= 2
        last = len(broken) - 1
        again = walk(last)
        assert (await again.read()).header.first_frame == last
        assert (await again.read()).frame == broken[last]
        assert (await again.read()).frame.index == last + 1
        again.cancel()


@pytest.mark.parametrize("determinism", [pb.DETERMINISM_DEFAULT, pb.DETERMINISM_STRICT])
async def test_the_way_back_of_a_loop_is_not_drawn_again(library, serve, determinism):
    legs = [pb.Leg(stretches=[stretch("zoom", -1, 1)], frames=50)]
    async with serve(library) as server:
        request = pb.WalkRequest(model="faces", starts=seeds(1), legs=legs, loop=True)
        request.delivery.determinism = determinism
        _, frames = await read(server.generation.Walk(request))
        assert [frame.images[0] for frame in frames[50:]] == [frame.images[0] for frame in frames[48:0:-1]]
        await server.settles("latentwalk_batch_size_sum", 50)
        hits = [await server.metric("latentwalk_cache_hits_total", cache=cache) for cache in ("frames", "in_flight")]
        assert sum(hits) == 48
        assert await server.metric("latentwalk_cache_misses_total", cache="in_flight") == 50
