import torch

from latentwalk.gan.images import as_served, to_uint8


def test_black_grey_and_white() -> None:
    pictures = torch.tensor([-1.0, 0.0, 1.0]).reshape(1, 1, 1, 3)
    assert to_uint8(pictures).flatten().tolist() == [0, 128, 255]
    assert to_uint8((pictures + 1) / 2, (0.0, 1.0)).flatten().tolist() == [0, 128, 255]


def test_halves_are_rounded_to_the_even_integer() -> None:
    pictures = torch.tensor([0.5, 1.5, 2.5, 2.49, 2.51]).reshape(1, 1, 1, 5)
    assert to_uint8(pictures, (0.0, 255.0)).flatten().tolist() == [0, 2, 2, 2, 3]


def test_values_beyond_the_range_are_clipped() -> None:
    pictures = torch.tensor([-1.5, 1.5, -torch.inf, torch.inf]).reshape(1, 1, 1, 4)
    assert to_uint8(pictures).flatten().tolist() == [0, 255, 0, 255]


def test_images_have_their_channels_last_and_lie_in_one_piece() -> None:
    pictures = torch.rand(2, 3, 4, 5) * 2 - 1
    images = to_uint8(pictures)
    assert images.shape == (2, 4, 5, 3)
    assert images.is_contiguous()
    assert images.dtype == torch.uint8
    assert torch.equal(to_uint8(pictures.to(memory_format=torch.channels_last)), images)


def test_all_256_values_lie_evenly_between_black_and_white() -> None:
    images = torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16, 1)
    for black, white in ((-1.0, 1.0), (0.0, 1.0)):
        pictures = torch.linspace(black, white, 256).reshape(1, 1, 16, 16)
        assert torch.equal(to_uint8(pictures, (black, white)), images)


def test_half_precision_pictures_become_images() -> None:
    assert to_uint8(torch.ones(1, 1, 1, 1, dtype=torch.bfloat16)).item() == 255


def test_pictures_as_served_have_the_colours_of_their_bytes() -> None:
    pictures = torch.tensor([-2.0, 0.001, 0.4, 7.0])[None, None, None]
    served = as_served(pictures, (0.0, 1.0))
    assert torch.equal(to_uint8(served, (0.0, 1.0)), to_uint8(pictures, (0.0, 1.0)))
    torch.testing.assert_close(served.flatten(), torch.tensor([0.0, 0.0, 102 / 255, 1.0]))
