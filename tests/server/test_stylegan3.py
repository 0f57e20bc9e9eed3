"""A StyleGAN3, served like any other generator with a mapping network."""

import numpy as np
import pytest
import torch
from golden import golden
from styled_requests import latent

from latentwalk.gan.directions import LinearDirection, Slider
from latentwalk.gan.families.stylegan3 import StyleGAN3
from latentwalk.gan.images import to_uint8
from latentwalk.gan.latents import one_hot, z_from_seeds
from latentwalk.server.engine.rows import sample_rows, stack
from latentwalk.server.engine.variants import VARIANTS
from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import latent_pb2

SLIDER = Slider("bent", "", "", 1.0, (-1.0, 1.0), (-3.0, 3.0))


@pytest.fixture(scope="module", params=["t", "r"])
def waves(request):
    """One of either config; that of config R has two classes."""
    return StyleGAN3.from_checkpoint(golden(f"stylegan3_{request.param}").checkpoint).freeze()


def latents_of(generator, *, psi=1.0):
    """Of the seeds 0 and 1, and of the class 1 if there are classes, truncated in the first three layers."""
    truncation = latent_pb2.Truncation(psi=psi, layers=3)
    class_id = 1 if generator.spec.classes else None
    return [latent(seed, class_id, truncation=truncation) for seed in (0, 1)]


def expected_codes(generator, psi):
    condition = one_hot([1, 1], 2) if generator.spec.classes else None
    w_plus = generator.map(z_from_seeds([0, 1], 6), condition).clone()
    w_plus[:, :3] = generator.mean_w + psi * (w_plus[:, :3] - generator.mean_w)
    return w_plus


def assert_drawn(images, generator, w_plus):
    expected = to_uint8(generator.synthesise(w_plus)).numpy().astype(int)
    drawn = np.stack([np.frombuffer(image.data, np.uint8).reshape(32, 32, 3) for image in images])
    assert np.abs(drawn - expected).max() <= 1


async def test_seeds_are_mapped_and_truncated_the_same_bytes_alone_and_in_company(empty_library, waves, serve):
    empty_library.put_generator("waves", waves)
    strict = pb.Delivery(determinism=pb.DETERMINISM_STRICT)
    latents = latents_of(waves, psi=0.5)
    async with serve(empty_library, frame_cache_mib=0) as server:
        draw = server.generation.Generate
        together = (await draw(pb.GenerateRequest(model="waves", latents=latents, delivery=strict))).images
        (alone,) = (await draw(pb.GenerateRequest(model="waves", latents=latents[1:], delivery=strict))).images
    assert alone.data == together[1].data
    assert_drawn(together, waves, expected_codes(waves, 0.5))


async def test_a_direction_is_walked_in_some_layers_of_w_plus(empty_library, waves, serve):
    empty_library.put_generator("waves", waves)
    vectors = torch.randn(1, 14, generator=torch.Generator().manual_seed(0))
    bent = LinearDirection("bent", waves.digest, (SLIDER,), vectors, space="w+", layers=(0, 7))
    empty_library.put_direction("waves", bent)
    bend = pb.Stretch(direction="bent", **{"from": pb.Extent(alpha=0), "to": pb.Extent(alpha=1)})
    leg = pb.Leg(stretches=[bend], frames=2)
    walk = pb.WalkRequest(model="waves", starts=latents_of(waves)[:1], legs=[leg])
    async with serve(empty_library) as server:
        frames = [reply.frame async for reply in server.generation.Walk(walk) if reply.HasField("frame")]
    moved = expected_codes(waves, 1.0)[:1]
    assert_drawn(frames[0].images, waves, moved)
    moved[:, [0, 7]] += vectors.view(1, 2, 7)
    assert_drawn(frames[1].images, waves, moved)


@pytest.mark.parametrize(("form", "tolerance"), [("fp32-channels-last", 1e-5), ("bf16", 0.2)])
def test_it_draws_the_same_in_every_form(waves, form, tolerance):
    inputs = stack(sample_rows(waves, 8))
    with torch.inference_mode():
        expected, drawn = waves.synthesise(inputs.code), VARIANTS[form](waves)(inputs).float()
    assert (drawn - expected).abs().mean() < tolerance * expected.std()
