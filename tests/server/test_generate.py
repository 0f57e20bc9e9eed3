"""Generate: pictures, as asked for."""

import asyncio
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from latentwalk.gan.images import to_uint8
from latentwalk.gan.latents import z_from_seeds
from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import image_pb2, latent_pb2, tensor_pb2
from latentwalk.v1 import model_service_pb2 as model_pb

RAW = image_pb2.IMAGE_FORMAT_RAW


def seeds(*values):
    return [latent_pb2.Latent(seed=value) for value in values]


def coded(z, dtype="<f4"):
    """A latent that is given in full."""
    name = {"<f4": tensor_pb2.DATA_TYPE_FLOAT32, "<f2": tensor_pb2.DATA_TYPE_FLOAT16}[dtype]
    return latent_pb2.Latent(z=tensor_pb2.Tensor(dtype=name, shape=[len(z)], data=z.numpy().astype(dtype).tobytes()))


def drawn(generator, z, condition=None):
    """What the bare generator draws, as int [N, H, W, C]."""
    with torch.inference_mode():
        return to_uint8(generator(z, condition), generator.spec.range).numpy().astype(int)


def pixels(image):
    """A raw image of a reply, as int [H, W, C]."""
    assert image.format == RAW
    return np.frombuffer(image.data, np.uint8).reshape(image.height, image.width, image.channels).astype(int)


def assert_same(images, expected):
    assert len(images) == len(expected)
    for image, one in zip(images, expected, strict=True):
        assert np.abs(pixels(image) - one).max() <= 1


async def test_seeds_become_the_pictures_of_the_generator(server, faces):
    reply = await server.generation.Generate(pb.GenerateRequest(model="faces", latents=seeds(3, 2**64 - 1, 3)))
    assert_same(reply.images, drawn(faces, z_from_seeds([3, 2**64 - 1, 3], 6)))
    assert reply.images[0] == reply.images[2]
    assert reply.images[0] != reply.images[1]
    assert (reply.model_version, reply.model_digest) == ("1", faces.digest)


@pytest.mark.parametrize("dtype", ["<f4", "<f2"])
async def test_a_code_may_be_given_in_full(server, faces, dtype):
    z = z_from_seeds([5], 6)[0].half().float()
    request = pb.GenerateRequest(model="faces", latents=[*seeds(1), coded(z, dtype), *seeds(2)])
    reply = await server.generation.Generate(request)
    assert_same(reply.images, drawn(faces, torch.stack([z_from_seeds([1], 6)[0], z, z_from_seeds([2], 6)[0]])))


async def test_a_class_and_a_mixture_of_classes_condition_the_picture(server, digits):
    one = latent_pb2.Latent(seed=1, condition=latent_pb2.Condition(class_id=2))
    mixed = latent_pb2.Latent(seed=1)
    mixed.condition.class_mix.weights.update({0: 1.0, 2: 3.0})
    reply = await server.generation.Generate(pb.GenerateRequest(model="digits", latents=[one, mixed]))
    condition = torch.tensor([[0.0, 0.0, 1.0], [0.25, 0.0, 0.75]])
    assert_same(reply.images, drawn(digits, z_from_seeds([1, 1], 6), condition))
    assert reply.images[0].channels == 1


async def test_displacements_add_up_in_alpha_and_in_amounts(server, faces, model):
    request = pb.GenerateRequest(
        model="faces",
        latents=seeds(1, 2),
        displacements=[
            pb.Displacement(direction="zoom", extent=pb.Extent(amount=2.0)),
            pb.Displacement(direction="style", slider="light", extent=pb.Extent(alpha=-1.5)),
            pb.Displacement(direction="zoom", slider="zoom", extent=pb.Extent(alpha=0.25)),
        ],
    )
    reply = await server.generation.Generate(request)
    zoom = model.directions["zoom"].direction.vectors[0]
    light = model.directions["style"].direction.vectors[1]
    assert_same(reply.images, drawn(faces, z_from_seeds([1, 2], 6) + 0.75 * zoom - 1.5 * light))


@pytest.mark.parametrize(
    ("format", "quality", "name"),
    [
        (image_pb2.IMAGE_FORMAT_PNG, 0, "PNG"),
        (image_pb2.IMAGE_FORMAT_JPEG, 0, "JPEG"),
        (image_pb2.IMAGE_FORMAT_JPEG, 30, "JPEG"),
        (image_pb2.IMAGE_FORMAT_WEBP, 100, "WEBP"),
    ],
)
async def test_pictures_come_in_the_format_that_was_asked_for(server, format, quality, name):
    encoding = image_pb2.ImageEncoding(format=format, quality=quality)
    request = pb.GenerateRequest(model="faces", latents=seeds(1), encoding=encoding)
    (image,) = (await server.generation.Generate(request)).images
    assert (image.format, image.width, image.height, image.channels) == (format, 16, 16, 3)
    opened = Image.open(BytesIO(image.data))
    assert (opened.format, opened.size) == (name, (16, 16))


async def test_a_seed_alone_in_a_full_batch_and_through_a_walk_is_one_picture(server):
    alone = (await server.generation.Generate(pb.GenerateRequest(model="faces", latents=seeds(7)))).images[0]
    among = await server.generation.Generate(pb.GenerateRequest(model="faces", latents=seeds(*range(32))))
    stretch = pb.Stretch(direction="zoom", to=pb.Extent(alpha=1.0), **{"from": pb.Extent(alpha=0.0)})
    walk = pb.WalkRequest(model="faces", starts=seeds(6, 7), legs=[pb.Leg(stretches=[stretch], frames=5)])
    frames = [reply.frame async for reply in server.generation.Walk(walk) if reply.HasField("frame")]
    for other in (among.images[7], frames[0].images[1]):
        assert np.abs(pixels(other) - pixels(alone)).max() <= 1


async def test_requests_of_many_callers_at_once_each_get_their_own_pictures(server, faces):
    expected = drawn(faces, z_from_seeds(range(60), 6))

    async def ask(first):
        request = pb.GenerateRequest(model="faces", latents=seeds(*range(first, first + 3)))
        return (await server.generation.Generate(request)).images

    for first, images in zip(range(0, 60, 3), await asyncio.gather(*map(ask, range(0, 60, 3))), strict=True):
        assert_same(images, expected[first : first + 3])


async def test_a_picture_that_is_not_finite_is_an_error_of_its_own_request_only(server, library, wild, refusal):
    library.put_generator("wild", wild)
    await server.models.LoadModel(model_pb.LoadModelRequest(model="wild"))
    bad = pb.GenerateRequest(model="wild", latents=[*seeds(1), coded(torch.full((6,), 1e20))])
    good = pb.GenerateRequest(model="wild", latents=seeds(1))
    calls = [server.generation.Generate(good) for _ in range(5)]
    refused = await refusal(server.generation.Generate(bad))
    assert (refused.status, refused.fields) == ("INVALID_ARGUMENT", ["latents[1]"])
    assert "NaN or infinite" in refused.message
    assert len([await call for call in calls]) == 5


async def test_pictures_are_counted_by_model_and_kind(server):
    await server.generation.Generate(pb.GenerateRequest(model="faces", latents=seeds(1, 2, 3)))
    await server.settles("latentwalk_frames_total", 3, model="faces", kind="generate")
    assert await server.metric("latentwalk_batch_size_sum") == 3
    assert await server.metric("latentwalk_batch_seconds_count") >= 1


async def test_the_time_to_the_first_frame_and_between_frames_is_measured(server):
    await server.generation.Generate(pb.GenerateRequest(model="faces", latents=seeds(1, 2)))
    request = pb.InterpolateRequest(model="faces", keyframes=seeds(1, 2), frames_per_leg=4)
    frames = [reply async for reply in server.generation.Interpolate(request)][1:]
    await server.settles("latentwalk_frames_total", len(frames), model="faces", kind="interpolate")
    for kind in ("generate", "interpolate"):
        assert await server.metric("latentwalk_first_frame_seconds_count", model="faces", kind=kind) == 1
        assert await server.metric("latentwalk_first_frame_seconds_sum", model="faces", kind=kind) > 0
    assert await server.metric("latentwalk_frame_gap_seconds_count", kind="interpolate") == len(frames) - 1
    assert await server.metric("latentwalk_frame_gap_seconds_count", kind="generate") == 0
