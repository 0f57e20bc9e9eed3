"""Invert by LPIPS, with a backbone of random weights: what is found, beside what, and who cannot have it."""

import numpy as np
import pytest
import torch
from backbone_files import write_alexnet
from dcgan import make_dcgan

from latentwalk.gan.perceptual import BACKBONE_FILE, PerceptualError
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.v1 import generation_service_pb2 as pb
from latentwalk.v1 import image_pb2, latent_pb2

SIDE = 32


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    return write_alexnet(tmp_path_factory.mktemp("backbone") / BACKBONE_FILE)


@pytest.fixture
def large_library(empty_library):
    """A store with "large" pictures, that LPIPS can compare, and "small" ones."""
    for name, side in (("large", SIDE), ("small", 16)):
        empty_library.put_generator(name, make_dcgan(GeneratorSpec("dcgan", 6, 0, side, 3, {"width": 4}), contrast=0.3))
    return empty_library


def seeds(*values):
    return [latent_pb2.Latent(seed=value) for value in values]


def request(picture, **fields):
    return pb.InvertRequest(
        **{"model": "large", "picture": picture, "starts": seeds(1), "steps": 60, "lpips": 1.0} | fields
    )


async def drawn(server, model, seed):
    [image] = (await server.generation.Generate(pb.GenerateRequest(model=model, latents=seeds(seed)))).images
    return image


async def inverted(server, picture, **fields):
    return [reply async for reply in server.generation.Invert(request(picture, **fields))]


def pixels(image):
    return torch.from_numpy(np.frombuffer(image.data, np.uint8).reshape(1, SIDE, SIDE, -1).copy()).permute(0, 3, 1, 2)


def left_half():
    counts = np.zeros((SIDE, SIDE), np.uint8)
    counts[:, : SIDE // 2] = 255
    return image_pb2.Image(width=SIDE, height=SIDE, channels=1, data=counts.tobytes())


@pytest.mark.parametrize("mask", [None, left_half()])
async def test_the_best_is_that_of_the_least_sum_of_both(large_library, serve, backbone, mask):
    async with serve(large_library, lpips_backbone=str(backbone)) as server:
        target = await drawn(server, "large", 5)
        replies = await inverted(server, target, lpips=0.5, mask=mask)
    sums = [reply.error + 0.5 * reply.lpips for reply in replies]
    assert sums == sorted(sums, reverse=True)
    assert sums[-1] < sums[0] / 3
    shares = torch.ones(1, 1, SIDE, SIDE) if mask is None else pixels(mask) / 255
    one, other = (pixels(image) / 127.5 - 1 for image in (replies[-1].image, target))
    measured = PerceptualError(backbone)(one, other, shares).item()
    assert replies[-1].lpips == pytest.approx(measured, abs=0.02)


async def test_searches_with_and_without_it_go_on_beside_one_another(large_library, serve, backbone):
    async with serve(large_library, lpips_backbone=str(backbone.parent)) as server:
        target = await drawn(server, "large", 5)
        strict = pb.Delivery(determinism=pb.DETERMINISM_STRICT)
        plain = server.generation.Invert(request(target, lpips=0.0))
        perceived = server.generation.Invert(request(target, delivery=strict))
        *_, without = [reply async for reply in plain]
        *_, beside = [reply async for reply in perceived]
        *_, alone = await inverted(server, target, delivery=strict)
    assert not without.HasField("lpips")
    assert beside.latent == alone.latent != without.latent


async def test_who_cannot_have_it_is_told_why(large_library, serve, refusal, tmp_path, backbone):
    async def refused(server, model="large", **fields):
        told = await refusal(server.generation.Invert(request(await drawn(server, model, 5), model=model, **fields)))
        assert (told.status, told.fields) == ("INVALID_ARGUMENT", ["lpips"])
        return told.message

    async with serve(large_library, lpips_backbone=str(tmp_path)) as server:
        assert f"there is no {tmp_path / BACKBONE_FILE}: put torchvision's AlexNet" in await refused(server)
        assert "16 px: LPIPS needs at least 31" in await refused(server, "small")
        assert "-1 must be from 0 to 100" in await refused(server, lpips=-1.0)
        assert "nan must be from 0 to 100" in await refused(server, lpips=float("nan"))
        torch.save({"features.0.weight": torch.zeros(64, 3, 11, 11)}, tmp_path / BACKBONE_FILE)
        assert "holds no AlexNet of torchvision's: features.0.bias is missing" in await refused(server)
        (tmp_path / BACKBONE_FILE).write_bytes(backbone.read_bytes())  # and no restart
        assert (await inverted(server, await drawn(server, "large", 5), steps=1))[-1].HasField("lpips")
