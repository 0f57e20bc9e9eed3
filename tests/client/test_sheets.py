"""Contact sheets: every picture whole, named, and under its amount."""

import numpy as np
import pytest

from latentwalk.client import Frame, Frames, InvalidRequest, Picture, Pictures, Position, contact_sheet

SIDE, HEAD = 40, 16


def walk(amounts, rows=2, unit=True, channels=3):
    """Plain pictures, the darker the further right."""

    def frame(index, amount):
        pixels = np.full((SIDE, SIDE, channels), 200 - 10 * index, np.uint8)
        pictures = Pictures((Picture.from_array(pixels),) * rows, "1", "")
        return Frame(index, pictures, (Position("d", "s", amount / 10, amount if unit else None),))

    return Frames(tuple(frame(index, amount) for index, amount in enumerate(amounts)))


def inked(pixels):
    return bool((pixels < 100).any())


@pytest.mark.parametrize("channels", [1, 3])
def test_each_picture_stands_under_its_amount_and_beside_its_name(channels):
    sheet = contact_sheet([("zoom", walk((0.5, 1, 2), channels=channels))])
    left = sheet.width - (3 * (SIDE + 2) - 2)
    assert (sheet.channels, sheet.height) == (channels, HEAD + 2 * (SIDE + 2) - 2)
    for column in range(3):
        x = left + column * (SIDE + 2)
        assert inked(sheet.array[:HEAD, x : x + SIDE])
        for row in range(2):
            y = HEAD + row * (SIDE + 2)
            assert (sheet.array[y : y + SIDE, x : x + SIDE] == 200 - 10 * column).all()
    assert inked(sheet.array[HEAD : HEAD + SIDE, :left])
    assert not inked(sheet.array[HEAD + SIDE :, :left])


def test_amounts_are_said_once_for_walks_that_share_them():
    zoom, shift = walk((0.5, 1, 2)), walk((-8, 0, 8))
    rows = 4 * (SIDE + 2) - 2
    assert contact_sheet([("zoom", zoom), ("again", zoom)]).height == HEAD + rows
    assert contact_sheet([("zoom", zoom), ("shift", shift)]).height == 2 * HEAD + rows
    assert contact_sheet([("zoom", zoom), ("shift", shift)], rows=1).height == 2 * HEAD + 2 * (SIDE + 2) - 2


def test_a_walk_that_imitates_no_edit_shows_its_alphas():
    alphas = contact_sheet([("", walk((-30, 0, 30), unit=False))])
    assert np.array_equal(alphas.array, contact_sheet([("", walk((-3, 0, 3)))]).array)


def test_nothing_cannot_be_shown():
    with pytest.raises(InvalidRequest, match="nothing to show"):
        contact_sheet([])
