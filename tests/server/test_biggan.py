"""A generator of the biggan families, served like any other."""

import asyncio

import numpy as np
import pytest
import torch
from biggan import make_biggan

from latentwalk.gan.images import to_uint8
from latentwalk.gan.latents import latents_from_seeds, z_from_seeds
from latentwalk.server.engine.rows import sample_rows, stack
from latentwalk.server.engine.variants import VARIANTS
from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import latent_pb2, model_service_pb2

MIXTURES = [{0: 1.0}, {3: 1.0}, {1: 1.0, 2: 3.0}, {0: 1.0, 1: 1.0, 2: 1.0, 3: 1.0}]
CONDITIONS = torch.tensor([[1.0, 0, 0, 0], [0, 0, 0, 1.0], [0, 0.25, 0.75, 0], [0.25, 0.25, 0.25, 0.25]])


def latent(seed, mixture):
    condition = latent_pb2.Condition(class_mix=latent_pb2.ClassMix(weights=mixture))
    return latent_pb2.Latent(seed=seed, condition=condition)


def pixels(images):
    """Raw images of a reply, as int [N, H, W, C]."""
    shapes = [(image.height, image.width, image.channels) for image in images]
    return np.stack(
        [np.frombuffer(one.data, np.uint8).reshape(shape) for one, shape in zip(images, shapes, strict=True)]
    ).astype(int)


@pytest.fixture
def animals(empty_library):
    """A biggan for the truncation 0.5, put into the library."""
    generator = make_biggan("biggan_deep", 0.5)
    empty_library.put_generator("animals", generator)
    return generator


async def test_seeds_stand_for_latents_of_the_truncation_and_classes_for_their_mixture(empty_library, animals, serve):
    latents = [latent(seed, mixture) for seed, mixture in enumerate(MIXTURES)]
    async with serve(empty_library) as server:
        reply = await server.generation.Generate(pb.GenerateRequest(model="animals", latents=latents))
        described = (await server.models.GetModel(model_service_pb2.GetModelRequest(model="animals"))).model
    assert described.truncation == 0.5
    with torch.inference_mode():
        expected = to_uint8(animals(latents_from_seeds(range(4), animals.spec), CONDITIONS)).numpy().astype(int)
        untruncated = to_uint8(animals(z_from_seeds(range(4), 4), CONDITIONS)).numpy().astype(int)
    assert np.abs(pixels(reply.images) - expected).max() <= 1
    assert np.abs(untruncated - expected).max() > 10


async def test_the_original_is_served_too(empty_library, serve):
    generator = make_biggan("biggan")
    empty_library.put_generator("original", generator)
    latents = [latent(seed, mixture) for seed, mixture in enumerate(MIXTURES)]
    async with serve(empty_library) as server:
        reply = await server.generation.Generate(pb.GenerateRequest(model="original", latents=latents))
    with torch.inference_mode():
        expected = to_uint8(generator(z_from_seeds(range(4), 12), CONDITIONS)).numpy().astype(int)
    assert np.abs(pixels(reply.images) - expected).max() <= 1


async def test_strict_pictures_have_the_same_bytes_alone_and_in_company(empty_library, animals, serve):
    def request(*latents, determinism=pb.DETERMINISM_STRICT):
        return pb.GenerateRequest(model="animals", latents=latents, delivery=pb.Delivery(determinism=determinism))

    latents = [latent(seed, mixture) for seed, mixture in enumerate(MIXTURES)]
    async with serve(empty_library, frame_cache_mib=0) as server:
        draw = server.generation.Generate
        alone = [(await draw(request(one))).images[0].data for one in latents]
        company = [draw(request(*latents, determinism=pb.DETERMINISM_DEFAULT)) for _ in range(3)]
        together, *_ = await asyncio.gather(draw(request(*latents)), *company)
    assert [image.data for image in together.images] == alone
    assert len(set(alone)) == len(alone)


@pytest.mark.parametrize("family", ["biggan_deep", "biggan"])
@pytest.mark.parametrize(
    ("form", "tolerance"),
    [("fp32-channels-last", 1e-5), ("bf16", 0.02), ("bf16-channels-last", 0.02)],
)
def test_it_draws_the_same_in_every_form(family, form, tolerance):
    generator = make_biggan(family)
    inputs = stack(sample_rows(generator, 8))
    with torch.inference_mode():
        expected, drawn = generator(inputs.code, inputs.condition), VARIANTS[form](generator)(inputs).float()
    assert (drawn - expected).abs().mean() < tolerance
