"""Invert with a mask: what it hides is left to the generator."""

import numpy as np
import pytest

from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import image_pb2, latent_pb2

SIDE = 16


def image(pixels):
    height, width, channels = pixels.shape
    return image_pb2.Image(width=width, height=height, channels=channels, data=pixels.tobytes())


def mask(columns=slice(None, SIDE // 2)):
    pixels = np.zeros((SIDE, SIDE, 1), np.uint8)
    pixels[:, columns] = 255
    return image(pixels)


def seeds(*values):
    return [latent_pb2.Latent(seed=value) for value in values]


async def pixels_of(server, *values):
    reply = await server.generation.Generate(pb.GenerateRequest(model="faces", latents=seeds(*values)))
    return [np.frombuffer(one.data, np.uint8).reshape(SIDE, SIDE, 3) for one in reply.images]


async def inverted(server, picture, **fields):
    request = pb.InvertRequest(model="faces", picture=image(picture), **{"starts": seeds(1), "steps": 40} | fields)
    return [reply async for reply in server.generation.Invert(request)]


async def test_a_search_goes_by_what_counts_alone(server):
    [target] = await pixels_of(server, 5)
    spoiled = target.copy()
    spoiled[:, SIDE // 2 :] = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE // 2, 3))
    strict = pb.Delivery(determinism=pb.DETERMINISM_STRICT)
    of_target, of_spoiled = [await inverted(server, one, mask=mask(), delivery=strict) for one in (target, spoiled)]
    assert of_spoiled[-1].latent == of_target[-1].latent
    errors = [reply.error for reply in of_spoiled]
    assert errors == sorted(errors, reverse=True)
    found = np.frombuffer(of_spoiled[-1].image.data, np.uint8).reshape(SIDE, SIDE, 3)
    apart = (found[:, : SIDE // 2].astype(float) - target[:, : SIDE // 2]) / 255
    assert errors[-1] == pytest.approx(np.square(apart).mean(), abs=1e-4)
    whole = await inverted(server, spoiled, delivery=strict)
    assert whole[-1].latent != of_spoiled[-1].latent


async def test_a_search_begins_at_the_start_that_is_the_most_like_what_counts(server):
    left, right = await pixels_of(server, 1, 2)
    both = np.concatenate([left[:, : SIDE // 2], right[:, SIDE // 2 :]], axis=1)
    for columns, nearest in ((slice(None, SIDE // 2), 0), (slice(SIDE // 2, None), 1)):
        [first, *_] = await inverted(server, both, starts=seeds(1, 2), mask=mask(columns), steps=1)
        assert first.start == nearest
        assert first.error < 1 / 255**2


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        (image(np.zeros((SIDE, SIDE, 1), np.uint8)), "mask", "is black: at least one pixel must count"),
        (image(np.full((SIDE, SIDE, 3), 255, np.uint8)), "mask.channels", "3 must be 1"),
        (image(np.full((8, SIDE, 1), 255, np.uint8)), "mask.height", "8 must be 16"),
    ],
)
async def test_a_mask_that_cannot_be_one_is_refused_by_its_field(server, refusal, given, field, words):
    request = pb.InvertRequest(
        model="faces", picture=image(np.zeros((SIDE, SIDE, 3), np.uint8)), starts=seeds(1), mask=given
    )
    refused = await refusal(server.generation.Invert(request))
    assert (refused.status, refused.fields) == ("INVALID_ARGUMENT", [field])
    assert words in refused.message
