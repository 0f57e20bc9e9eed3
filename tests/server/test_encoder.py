"""Every format comes back as the picture it was."""

import asyncio
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from latentwalk.server.encoder import Encoder, Encoding, Format
from latentwalk.server.engine import PictureSize

COLOUR, GREY = PictureSize(20, 12, 3), PictureSize(20, 12, 1)


@pytest.fixture
def encoder():
    encoder = Encoder(2)
    yield encoder
    encoder.close()


def picture(size, seed=0):
    """A smooth picture with a little noise, as bytes."""
    y, x, channel = np.mgrid[: size.height, : size.width, : size.channels]
    noise = np.random.default_rng(seed).integers(0, 8, y.shape)
    return (x * 6 + y * 8 + channel * 20 + noise).astype(np.uint8).tobytes()


def decoded(data, size):
    image = Image.open(BytesIO(data))
    mode = {1: "L", 3: "RGB"}[size.channels]
    return image.format, np.asarray(image.convert(mode)).astype(int).reshape(-1)


@pytest.mark.parametrize("size", [COLOUR, GREY], ids=["colour", "grey"])
@pytest.mark.parametrize(
    ("encoding", "name", "tolerance"),
    [
        (Encoding(Format.PNG), "PNG", 0),
        (Encoding(Format.WEBP, 100), "WEBP", 0),
        (Encoding(Format.WEBP), "WEBP", 40),
        (Encoding(Format.JPEG), "JPEG", 40),
    ],
    ids=str,
)
async def test_a_picture_survives_its_encoding(encoder, size, encoding, name, tolerance):
    pixels = picture(size)
    (data,) = await encoder.encode([pixels], size, encoding)
    found, values = decoded(data, size)
    assert found == name
    assert np.abs(values - np.frombuffer(pixels, np.uint8)).max() <= tolerance


async def test_raw_is_the_pixels_themselves(encoder):
    pixels = picture(COLOUR)
    assert await encoder.encode([pixels], COLOUR, Encoding()) == [pixels]


@pytest.mark.parametrize("format", [Format.JPEG, Format.WEBP])
async def test_a_higher_quality_makes_more_bytes(encoder, format):
    sizes = [len((await encoder.encode([picture(COLOUR)], COLOUR, Encoding(format, q)))[0]) for q in (5, 50, 95)]
    assert sizes == sorted(set(sizes))


async def test_many_pictures_keep_their_order(encoder):
    pictures = [picture(COLOUR, seed) for seed in range(20)]
    encoded = await encoder.encode(pictures, COLOUR, Encoding(Format.PNG))
    assert [decoded(data, COLOUR)[1].astype(np.uint8).tobytes() for data in encoded] == pictures


async def test_a_small_request_does_not_wait_for_all_pictures_of_a_large_one(encoder):
    wide = PictureSize(256, 256, 3)
    many = asyncio.create_task(encoder.encode([picture(wide)] * 100, wide, Encoding(Format.PNG)))
    await asyncio.sleep(0)
    assert await encoder.encode([picture(GREY)], GREY, Encoding(Format.PNG))
    assert not many.done()
    assert len(await many) == 100
