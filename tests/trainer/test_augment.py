"""Augmentation: real pictures edited without a frame around them."""

import torch

from latentwalk.gan.spec import GeneratorSpec
from latentwalk.trainer.augment import Augmentation, mirrored
from latentwalk.trainer.seat import Dice
from latentwalk.trainer.specs import EditTarget

SPEC = GeneratorSpec("dcgan", 4, 0, 16, 3, {"width": 2})


def augmented(target, pictures, seed=0):
    return Augmentation(target, SPEC)(pictures, Dice(torch.Generator().manual_seed(seed)))


def test_what_an_edit_sees_beyond_the_border_has_the_borders_colour():
    colour = torch.tensor([-1.0, 0.25, 0.5])[None, :, None, None]
    pictures = colour.repeat(4, 1, 16, 16)
    turns = [EditTarget("rotate", -far, far) for far in (40.0, 90.0, 180.0)]
    for target in (*turns, EditTarget("shift_x", -8.0, 8.0), EditTarget("zoom", 0.25, 4.0)):
        assert torch.allclose(augmented(target, pictures), pictures, atol=1e-5)


def test_each_picture_has_an_amount_of_its_own_that_follows_from_the_random_numbers():
    pictures = torch.randn(1, 3, 16, 16).clamp(-1, 1).repeat(8, 1, 1, 1)
    target = EditTarget("rotate", -40.0, 40.0)
    edited = augmented(target, pictures)
    assert len({picture.sum().item() for picture in edited}) > 4
    assert torch.equal(augmented(target, pictures), edited)
    assert not torch.equal(augmented(target, pictures, seed=1), edited)


def test_half_of_the_pictures_are_mirrored_as_the_random_numbers_say():
    pictures = torch.arange(4.0).expand(1_000, 3, 2, 4)
    seen = mirrored(pictures, Dice(torch.Generator().manual_seed(0)))
    turned = (seen == pictures.flip(3)).flatten(1).all(dim=1)
    assert torch.equal(seen[~turned], pictures[~turned])
    assert 400 < turned.sum() < 600
    assert torch.equal(mirrored(pictures, Dice(torch.Generator().manual_seed(0))), seen)
    assert not torch.equal(mirrored(pictures, Dice(torch.Generator().manual_seed(1))), seen)


def test_colours_are_changed_within_the_range_of_pictures():
    pictures = torch.full((6, 3, 16, 16), 0.9)
    edited = augmented(EditTarget("brightness", 0.1, 0.2), pictures)
    assert (edited == 1).all()
