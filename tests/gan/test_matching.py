"""How much pictures differ, at all scales and where it counts."""

import torch

from latentwalk.gan.matching import difference, squared_error


def test_the_difference_is_the_mean_over_scales():
    pictures, targets = torch.zeros(2, 1, 8, 8), torch.zeros(2, 1, 8, 8)
    pictures[0] = 0.5  # the same at all scales
    pictures[1, :, ::2] = 0.5  # seen only at the finest scale: half of the rows, whose mean is 0.25 at the next
    expected = torch.tensor([0.25, (0.125 + 0.0625) / 2])
    torch.testing.assert_close(difference(pictures, targets, torch.ones(2, 1, 8, 8)), expected)


def test_only_what_counts_differs_at_any_scale():
    pictures, targets, masks = torch.full((3, 3, 8, 8), 0.5), torch.zeros(3, 3, 8, 8), torch.zeros(3, 1, 8, 8)
    masks[:, :, :3] = 1  # also over the middle of coarse pixels
    pictures[:, :, 3:] = torch.tensor([0.5, 0.0, 9.0])[:, None, None, None]
    torch.testing.assert_close(difference(pictures, targets, masks), torch.full((3,), 0.25))
    torch.testing.assert_close(squared_error(pictures, targets, masks), torch.full((3,), 0.25))


def test_a_pixel_counts_as_much_as_its_mask_says():
    pictures, masks = torch.zeros(1, 1, 4, 4), torch.full((1, 1, 4, 4), 0.5)
    pictures[0, 0, 0, 0], masks[0, 0, 0, 0] = 1.0, 1.0
    torch.testing.assert_close(squared_error(pictures, torch.zeros(1, 1, 4, 4), masks), torch.tensor([1 / 8.5]))
    torch.testing.assert_close(difference(pictures, torch.zeros(1, 1, 4, 4), masks), torch.tensor([1 / 8.5]))
