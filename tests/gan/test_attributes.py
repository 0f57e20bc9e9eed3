"""Plain attributes: what they rise with, and that core and the SDK see the same."""

import numpy as np
import pytest
import torch

from latentwalk.client._attributes import ATTRIBUTES as THOSE_OF_THE_SDK
from latentwalk.gan.attributes import ATTRIBUTES, COLOURED, attribute, attributes, attributes_of
from latentwalk.gan.edits import EDITS
from latentwalk.gan.errors import GanError

GEOMETRY = ("centre_x", "centre_y", "spread", "slant")
RISING = {
    "luminance": torch.tensor([0.1, 0.1, 0.1]),
    "red": torch.tensor([0.2, 0.0, 0.0]),
    "green": torch.tensor([0.0, 0.2, 0.0]),
    "blue": torch.tensor([0.0, 0.0, 0.2]),
    "saturation": torch.tensor([0.2, 0.0, -0.1]),
}


@pytest.mark.parametrize("name", sorted(set(ATTRIBUTES) - set(GEOMETRY)))
def test_an_attribute_of_colour_rises_with_what_it_is_named_for(name):
    grey = torch.linspace(-0.5, 0.5, 16).view(1, 1, 4, 4).expand(1, 3, 4, 4)
    more = 1.2 * grey if name == "contrast" else grey + RISING[name][:, None, None]
    low, high = attribute(name, torch.cat([grey, more])).tolist()
    assert high > low


def blob(side=32):
    """A bright square to the left of and above the middle, longer than it is high, on black."""
    picture = torch.full((1, 1, side, side), -1.0)
    picture[:, :, 10:14, 8:18] = 1.0
    return picture


@pytest.mark.parametrize(
    ("name", "edit", "amount", "change"),
    [
        ("centre_x", "shift_x", 4.0, 2 * 4 / 31),
        ("centre_y", "shift_y", 4.0, 2 * 4 / 31),
        ("spread", "zoom", 1.5, 0.1),
        ("slant", "rotate", 20.0, None),
    ],
)
def test_an_attribute_of_geometry_moves_with_the_edit_of_that_name(name, edit, amount, change):
    edited, _ = EDITS[edit](blob() + 1, torch.tensor([amount]))  # what enters is as black as the ground
    before, after = attribute(name, torch.cat([blob(), edited - 1])).tolist()
    if change is None:
        assert abs(after - before) > 0.01
    elif edit == "zoom":
        assert after - before > change
    else:
        assert after - before == pytest.approx(change, abs=1e-4)


@pytest.mark.parametrize("name", GEOMETRY)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [15, 32])  # of an odd number of pixels the median is one of them
def test_core_and_the_sdk_see_the_same_geometry(name, channels, side):
    drawn = torch.rand(5, channels, side, side, generator=torch.Generator().manual_seed(0)) ** 3
    constant = torch.full((1, channels, side, side), 0.25)
    pictures = torch.cat([drawn, constant])
    in_core = attribute(name, 2 * pictures - 1)
    in_the_sdk = THOSE_OF_THE_SDK[name](pictures.permute(0, 2, 3, 1).double().numpy())
    np.testing.assert_allclose(in_core.numpy(), in_the_sdk, atol=1e-5)
    assert in_core[:5].abs().min() > 1e-4


@pytest.mark.parametrize("channels", [1, 3])
def test_all_that_pictures_have_are_told_at_once(channels):
    pictures = torch.rand(4, channels, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1
    found = attributes(attributes_of(channels), pictures)
    assert set(found) == set(ATTRIBUTES) - (COLOURED if channels == 1 else set())
    for name, values in found.items():
        assert torch.equal(values, attribute(name, pictures))


def test_an_attribute_that_is_not_there_is_refused():
    with pytest.raises(GanError, match="use one of luminance, contrast"):
        attribute("mood", torch.zeros(1, 3, 4, 4))
    for name in COLOURED:
        with pytest.raises(GanError, match="needs pictures of 3 channels, these have 1"):
            attribute(name, torch.zeros(1, 1, 4, 4))
