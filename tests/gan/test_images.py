import torch

from latentwalk.gan.images import from_uint8, to_uint8


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


def test_all_256_values_survive_the_way_there_and_back() -> None:
    images = torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16, 1)
    for value_range in ((-1.0, 1.0), (0.0, 1.0)):
        pictures = from_uint8(images, value_range)
        assert pictures.dtype == torch.float32
        assert (pictures.min().item(), pictures.max().item()) == value_range
        assert torch.equal(to_uint8(pictures, value_range), images)


def test_from_uint8_has_its_channels_first() -> None:
    images = torch.randint(0, 256, (2, 4, 5, 3), dtype=torch.uint8)
    pictures = from_uint8(images)
    assert pictures.shape == (2, 3, 4, 5)
    assert pictures.is_contiguous()


def test_half_precision_pictures_become_images() -> None:
    assert to_uint8(torch.ones(1, 1, 1, 1, dtype=torch.bfloat16)).item() == 255
