"""A Progressive GAN, served like any other."""

import asyncio

import numpy as np
import pytest
import torch
from progan import make_progan

from latentwalk.gan.images import to_uint8
from latentwalk.gan.latents import one_hot, z_from_seeds
from latentwalk.oip import open_inference_service_pb2 as oip
from latentwalk.oip import open_inference_service_pb2_grpc as oip_grpc
from latentwalk.server.engine.rows import sample_rows, stack
from latentwalk.server.engine.variants import VARIANTS
from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import latent_pb2


def latent(seed):
    """Of a class of its own."""
    return latent_pb2.Latent(seed=seed, condition=latent_pb2.Condition(class_id=seed % 3))


@pytest.fixture
def rooms(empty_library):
    """One with 3 classes, put into the library."""
    generator = make_progan()
    empty_library.put_generator("rooms", generator)
    return generator


async def test_strict_pictures_are_its_own_and_have_the_same_bytes_in_company(empty_library, rooms, serve):
    def request(*latents, determinism=pb.DETERMINISM_STRICT):
        return pb.GenerateRequest(model="rooms", latents=latents, delivery=pb.Delivery(determinism=determinism))

    latents = [latent(seed) for seed in range(4)]
    async with serve(empty_library, frame_cache_mib=0) as server:
        draw = server.generation.Generate
        alone = [(await draw(request(one))).images[0].data for one in latents]
        company = [draw(request(*latents, determinism=pb.DETERMINISM_DEFAULT)) for _ in range(3)]
        together, *_ = await asyncio.gather(draw(request(*latents)), *company)
    assert [image.data for image in together.images] == alone
    with torch.inference_mode():
        expected = to_uint8(rooms(z_from_seeds(range(4), 6), one_hot([0, 1, 2, 0], 3))).numpy().astype(int)
    drawn = np.stack([np.frombuffer(image, np.uint8).reshape(16, 16, 3) for image in alone])
    assert np.abs(drawn - expected).max() <= 1


async def test_a_threshold_is_refused_because_every_z_is_brought_to_one_length(empty_library, rooms, serve, refusal):
    chosen = latent(1)
    chosen.truncation.threshold = 0.5
    async with serve(empty_library) as server:
        refused = await refusal(server.generation.Generate(pb.GenerateRequest(model="rooms", latents=[chosen])))
        told = await oip_grpc.GRPCInferenceServiceStub(server.channel).ModelMetadata(
            oip.ModelMetadataRequest(name="rooms")
        )
    assert (refused.status, refused.fields) == ("INVALID_ARGUMENT", ["latents[0].truncation.threshold"])
    assert "a progan brings every z to one length" in refused.message
    assert "threshold" not in {one.name for one in told.inputs}


@pytest.mark.parametrize(
    ("form", "tolerance"), [("fp32-channels-last", 1e-5), ("bf16", 0.03), ("bf16-channels-last", 0.03)]
)
def test_it_draws_the_same_in_every_form(form, tolerance):
    generator = make_progan()
    inputs = stack(sample_rows(generator, 8))
    with torch.inference_mode():
        expected, drawn = generator(inputs.code, inputs.condition), VARIANTS[form](generator)(inputs).float()
    assert (drawn - expected).abs().mean() < tolerance * expected.std()
