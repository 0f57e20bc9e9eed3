"""The latent of a picture: searched for by both clients, of use to the other calls, kept in a file, and on the command
line."""

import asyncio
import json
from dataclasses import replace

import numpy as np
import pytest
from backbone_files import write_alexnet
from dcgan import make_dcgan
from PIL import Image
from typer.testing import CliRunner

from latentwalk.cli.commands import app
from latentwalk.client import AsyncClient, Client, InvalidRequest, Picture, Unavailable, load_latents
from latentwalk.gan.artifacts import ArtifactStore, save_generator
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.server.assembly import serving
from latentwalk.server.settings import Settings


def test_what_is_found_is_the_picture_of_the_latent(client):
    target = client.generate("digits", seeds=5, classes=2)[0]
    *before, found = client.invert("digits", target, classes=2, steps=25, report_every=10)
    assert [one.step for one in before] == [0, 10, 20]
    assert (found.step, found.space, found.classes, found.code.shape) == (25, "z", 2, (6,))
    assert found.error <= before[0].error
    again = client.generate("digits", **found.latent)[0]
    np.testing.assert_allclose(again.array.astype(int), found.picture.array, atol=1)


def test_the_search_begins_at_the_nearest_of_the_starts_and_keeps_its_class(client):
    target = client.generate("digits", seeds=7, classes={0: 0.25, 1: 0.75})[0]
    search = client.invert("digits", target, seeds=[7, 7, 8], classes=[2, {0: 1, 1: 3}, 0], steps=1)
    found = search.result()
    assert found.start == 1
    assert found.classes == {0: 1, 1: 3}
    assert found.error < 1e-5


def test_a_search_goes_on_from_what_an_earlier_one_has_found(client):
    target = client.generate("tiny", seeds=5)[0]
    earlier = client.invert("tiny", target, steps=20).result()
    later = client.invert("tiny", target.array, steps=20, **earlier.latent).result()
    assert later.error <= earlier.error


def test_pictures_may_travel_as_they_are_encoded(client):
    target = client.generate("tiny", seeds=5, encoding="png")[0]
    with client.invert("tiny", target, seeds=5, steps=1, encoding="jpeg", quality=80) as search:
        found = search.result()
    assert found.error < 1e-5
    assert found.picture.encoding == "jpeg"


def test_what_was_found_can_be_compared_and_kept_in_a_set(client):
    picture = client.generate("tiny", seeds=7)[0]
    finds = list(client.invert("tiny", picture, steps=2, report_every=1))
    assert finds.index(finds[1]) == 1
    assert len({*finds, *finds}) == len(finds)


def test_a_search_may_be_left(client):
    target = client.generate("tiny", seeds=5)[0]
    with client.invert("tiny", target, steps=10_000) as search:
        assert next(search).step == 0
    assert client.generate("tiny", seeds=1)


def test_what_was_found_until_a_search_ended_is_kept(client):
    target = client.generate("tiny", seeds=5)[0]
    search = client.invert("tiny", target, steps=2, report_every=1)
    *_, last = search
    assert search.result() is last
    left = client.invert("tiny", target, steps=10_000)
    first = next(left)
    left.close()
    assert left.result() is first
    unasked = client.invert("tiny", target)
    unasked.close()
    with pytest.raises(InvalidRequest, match="before anything was found"):
        unasked.result()


async def test_the_asynchronous_client_finds_the_same(client, server):
    target = client.generate("tiny", seeds=5)[0]
    blocking = client.invert("tiny", target, steps=20, determinism="strict").result()
    async with (
        AsyncClient(server.address) as other,
        other.invert("tiny", target, determinism="strict", steps=20) as one,
    ):
        found = await one.result()
    np.testing.assert_array_equal(found.code, blocking.code)


async def test_of_a_search_that_the_end_of_the_server_cuts_short_the_best_is_kept(store):
    settings = Settings(
        address="127.0.0.1:0", metrics_address="127.0.0.1:0", store=str(store), torch_threads=1, engine_seconds=0.0
    )
    async with serving(settings) as doorway:
        address = f"127.0.0.1:{doorway.port}"
        with Client(address) as blocking:
            async with AsyncClient(address) as client:
                target = (await client.generate("tiny", seeds=5))[0]
                one = client.invert("tiny", target, steps=10_000)
                other = blocking.invert("tiny", target, steps=10_000)
                first = await anext(one), await asyncio.to_thread(next, other)
                drain = asyncio.create_task(doorway.drain())
                with pytest.raises(Unavailable, match="after step"):
                    await one.result()
                with pytest.raises(Unavailable, match="after step"):
                    await asyncio.to_thread(other.result)
                for begun, best in zip(first, (await one.result(), other.result()), strict=True):
                    assert begun.step < best.step < 10_000
                    assert best.error <= begun.error
                await drain


def test_what_is_found_is_kept_in_a_file(client, tmp_path):
    target = client.generate("digits", seeds=5, classes=2)[0]
    found = [client.invert("digits", target, seeds=seed, classes=2, steps=1).result() for seed in (1, 2)]
    for index, one in enumerate(found):
        one.save(tmp_path / f"{index}.npz")
    latents = load_latents(tmp_path / "0.npz", tmp_path / "1.npz")
    np.testing.assert_array_equal(latents["z"], [one.code for one in found])
    assert latents["classes"] == (2, 2)
    assert len(client.generate("digits", **latents)) == 2


def test_latents_of_other_sizes_do_not_go_together(client, tmp_path):
    found = client.invert("tiny", client.generate("tiny", seeds=5)[0], steps=1).result()
    found.save(tmp_path / "one.npz")
    replace(found, code=found.code[:3]).save(tmp_path / "short.npz")
    with pytest.raises(InvalidRequest, match="latents: are of 2 sizes"):
        load_latents(tmp_path / "one.npz", tmp_path / "short.npz")


def test_another_file_is_no_latent(tmp_path):
    (tmp_path / "text.npz").write_text("no")
    np.savez(tmp_path / "other.npz", something=np.zeros(3))
    for name in ("text.npz", "other.npz"):
        with pytest.raises(InvalidRequest, match=f"{name} is no latent that `Found.save` has written$"):
            load_latents(tmp_path / name)


def test_a_mask_says_which_pixels_count(client):
    target = client.generate("tiny", seeds=5)[0]
    counts = np.zeros((16, 16), bool)
    counts[:8] = True
    spoiled = np.where(counts[:, :, None], target.array, 255 - target.array)
    grey = counts.astype(np.uint8) * 255
    masks = [counts, grey, Picture.from_array(grey[:, :, None].repeat(3, axis=2))]
    found = [client.invert("tiny", spoiled, steps=5, mask=mask, determinism="strict").result() for mask in masks]
    assert all(np.array_equal(one.code, found[0].code) for one in found)
    apart = (found[0].picture.array.astype(float) - target.array)[:8] / 255
    assert found[0].error == pytest.approx(np.square(apart).mean(), abs=1e-4)
    with pytest.raises(InvalidRequest, match=r"mask: float64 \[16, 16\], must be a Picture, or uint8 or bool"):
        client.invert("tiny", target, mask=np.zeros((16, 16)))


def test_lpips_is_told_where_a_search_goes_by_it(start_server, tmp_path):
    large = make_dcgan(GeneratorSpec("dcgan", 6, 0, 32, 3, {"width": 4}), contrast=0.3)
    save_generator(
        ArtifactStore(str(tmp_path / "store")), "large", large, provenance={}, created="2026-01-01T00:00:00Z"
    )
    file = write_alexnet(tmp_path / "alexnet.pth")
    server = start_server(store=str(tmp_path / "store"), lpips_backbone=str(file))
    with Client(server.address) as client:
        target = client.generate("large", seeds=5)[0]
        found = client.invert("large", target, seeds=5, lpips=1, steps=1).result()
        assert found.lpips == pytest.approx(0, abs=0.01)
        assert client.invert("large", target, seeds=5, steps=1).result().lpips is None
        target.save(tmp_path / "mine.png")
    words = ["invert", "large", tmp_path / "mine.png", "--out", tmp_path / "out.png", "--steps", 2, "--lpips", 1]
    told = CliRunner().invoke(app, ["--server", server.address, *map(str, words)])
    assert told.exit_code == 0, told.output
    assert ", LPIPS 0." in told.stdout


@pytest.mark.parametrize("wrong", [np.zeros((16, 16, 3)), np.zeros((16, 16), np.uint8), "face.png", None])
def test_what_is_no_picture_is_refused(client, wrong):
    with pytest.raises(InvalidRequest, match=r"picture: .* must be a Picture, or pixels uint8"):
        client.invert("tiny", wrong).result()


def test_who_gives_a_path_is_told_how_it_is_read(client):
    with pytest.raises(InvalidRequest, match=r"picture: 'face\.png' is a path, .*: Picture\.open reads it$"):
        client.invert("tiny", "face.png")


def test_a_picture_of_another_size_is_refused_by_the_server(client):
    with pytest.raises(InvalidRequest, match=r"picture.width: 8 must be 16"):
        client.invert("tiny", np.zeros((8, 8, 3), np.uint8)).result()


def test_pictures_of_any_size_and_kind_are_fitted(tmp_path):
    wide = Image.new("RGBA", (60, 20), (255, 0, 0, 255))
    wide.paste((0, 0, 255, 255), (20, 0, 40, 20))  # what is left when both sides are cut off
    wide.save(tmp_path / "wide.png")
    fitted = Picture.open(tmp_path / "wide.png").fitted(16, 16, 3)
    assert (fitted.array[:, 2:-2] == (0, 0, 255)).all()
    assert Picture.open(tmp_path / "wide.png").fitted(16, 16, 1).array.shape == (16, 16, 1)


@pytest.mark.parametrize("dtype", [np.uint16, np.int32])
def test_pictures_of_16_bits_are_as_bright_as_those_of_8(tmp_path, dtype):
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    Image.fromarray(grey.astype(dtype) * 257).save(tmp_path / "deep.tif")
    opened = Picture.open(tmp_path / "deep.tif")
    np.testing.assert_array_equal(opened.array[:, :, 0], grey)
    assert opened.channels == 1


def test_the_command_line_inverts_a_picture_and_walks_from_it(client, server, tmp_path):
    client.generate("tiny", seeds=5)[0].image().resize((64, 48)).save(tmp_path / "mine.jpg")

    def latentwalk(*arguments):
        # Wide enough for what is said of a path, whose length is not the same for everybody.
        return CliRunner().invoke(app, ["--server", server.address, *map(str, arguments)], env={"COLUMNS": "400"})

    out = tmp_path / "found.png"
    done = latentwalk("invert", "tiny", tmp_path / "mine.jpg", "--out", out, "--steps", 20, "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["file"], told["latent"]) == (str(out), str(out.with_suffix(".npz")))
    assert Image.open(out).size == (16, 16)
    walked = latentwalk("walk", "tiny", "zoom", "--latent", told["latent"], "--out", tmp_path / "walk.png")
    assert walked.exit_code == 0, walked.output
    both = latentwalk("generate", "tiny", "--latent", told["latent"], "--seeds", 1, "--out", out)
    assert (both.exit_code, "give either" in both.stderr) == (2, True)
    Image.linear_gradient("L").resize((64, 48)).save(tmp_path / "mask.png")
    masked = latentwalk(
        "invert", "tiny", tmp_path / "mine.jpg", "--out", out, "--steps", 2, "--mask", tmp_path / "mask.png", "--json"
    )
    assert json.loads(masked.stdout)["error"] != told["error"]
    Image.new("L", (64, 64), 255).save(tmp_path / "square.png")
    square = latentwalk("invert", "tiny", tmp_path / "mine.jpg", "--out", out, "--mask", tmp_path / "square.png")
    assert (square.exit_code, "it must be 64 x 48 px" in square.stderr) == (2, True)
    gone = latentwalk("generate", "tiny", "--latent", tmp_path / "gone.npz", "--out", out)
    assert (gone.exit_code, "cannot be read" in gone.stderr) == (2, True)
    other = latentwalk("generate", "tiny", "--latent", tmp_path / "mine.jpg", "--out", out)
    assert (other.exit_code, "is no latent" in other.stderr) == (1, True)
    text = latentwalk("invert", "tiny", told["latent"], "--out", out)
    assert (text.exit_code, "cannot be read as" in text.stderr) == (2, True)


def test_a_file_that_a_decoder_stumbles_over_cannot_be_read(tmp_path):
    Image.new("RGB", (16, 16)).save(tmp_path / "whole.png")
    whole = (tmp_path / "whole.png").read_bytes()
    broken = tmp_path / "broken.png"
    broken.write_bytes(whole.replace(b"IDAT", b"tRNS"))
    with pytest.raises(OSError, match=r"broken\.png"):
        Picture.open(broken)


@pytest.mark.parametrize(
    ("exif", "upright"),
    [
        (b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0", True),  # a quarter turn
        (b"no EXIF at all", False),
        (b"II*\0", False),  # which breaks off
    ],
)
def test_a_picture_is_turned_upright_where_its_file_says_how_and_is_read_also_where_that_is_broken(
    tmp_path, exif: bytes, upright: bool
):
    lying = np.zeros((8, 8), np.uint8)
    lying[:, 0] = 255
    Image.fromarray(lying).save(tmp_path / "photo.png", exif=b"Exif\0\0" + exif)
    seen = Picture.open(tmp_path / "photo.png").array[..., 0]
    assert (seen == (lying.T if upright else lying)).all()


def test_a_picture_that_one_can_see_through_lies_on_white(tmp_path):
    glass = Image.new("RGBA", (16, 16), (255, 0, 0, 0))
    glass.paste((0, 0, 255, 255), (0, 0, 16, 8))
    glass.save(tmp_path / "glass.png")
    pixels = Picture.open(tmp_path / "glass.png").array
    assert (pixels[:8] == (0, 0, 255)).all()
    assert (pixels[8:] == 255).all()
    Image.new("LA", (16, 16), (0, 0)).save(tmp_path / "grey.png")
    assert (Picture.open(tmp_path / "grey.png").array == 255).all()
