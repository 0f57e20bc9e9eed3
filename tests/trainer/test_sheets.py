"""Sheets of samples: every picture whole, and beside it what it shows."""

import base64
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from latentwalk.trainer.sheets import Strip, amounts_shown, sheet

HEAD = 14
AMOUNTS = ("-1", "0", "1")


def drawn(*strips):
    with Image.open(BytesIO(base64.b64decode(sheet(strips)))) as picture:
        return np.asarray(picture.convert("RGB"))


def shades(count=3, side=32, channels=1):
    """Plain pictures from black to white."""
    return torch.linspace(-1, 1, count)[:, None, None, None].expand(-1, channels, side, side)


def test_pictures_without_names_and_amounts_are_all_there_is():
    pixels = drawn(Strip(shades()), Strip(shades(channels=3)))
    assert pixels.shape == (2 * 34, 3 * 34, 3)
    assert [int(pixels[5, 34 * place + 5, 0]) for place in range(3)] == [0, 128, 255]
    assert (pixels[32:34] == 255).all()


@pytest.mark.parametrize(("channels", "shown"), [(2, [0, 0, 0]), (4, [0, 85, 170]), (5, [0, 64, 128])])
def test_of_pictures_that_have_neither_grey_nor_colours_the_first_channels_are_shown(channels, shown):
    pixels = drawn(Strip(torch.linspace(-1, 1, channels)[None, :, None, None].expand(-1, -1, 32, 32)))
    assert pixels[5, 5].tolist() == shown


def test_a_name_stands_to_the_left_and_amounts_above():
    pixels = drawn(Strip(shades(), "zoom", AMOUNTS))
    left = pixels.shape[1] - 3 * 34
    assert pixels.shape[0] == HEAD + 34
    assert (pixels[HEAD : HEAD + 32, left : left + 32] == 0).all()
    assert (pixels[HEAD:, :left] < 128).any()
    assert all((pixels[:HEAD, left + 34 * place :][:, :34] < 128).any() for place in range(3))


def test_amounts_are_said_once_for_strips_that_share_them():
    one = Strip(shades(), "zoom", AMOUNTS)
    assert len(drawn(one, Strip(shades(), "shift", AMOUNTS))) == HEAD + 2 * 34
    assert len(drawn(one, Strip(shades(), "shift", ("-8", "0", "8")))) == 2 * (HEAD + 34)


def test_amounts_that_have_no_room_are_left_out_rather_than_written_over_one_another():
    pixels = drawn(Strip(shades(8, side=8), "", ("-0.25",) * 8))
    inked = (pixels[:HEAD] < 128).any(axis=(0, 2))
    assert inked.any()
    assert not inked.all()


@pytest.mark.parametrize(
    ("amounts", "shown"),
    [((-30, -1.9e-6, 30.00001), ("-30", "0", "30")), ((0.5, 1, 2), ("0.5", "1", "2")), ((0.0, 0.0), ("0", "0"))],
)
def test_amounts_are_short(amounts, shown):
    assert amounts_shown(amounts) == shown
