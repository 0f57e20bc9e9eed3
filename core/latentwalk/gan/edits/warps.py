"""Edits that move pixels.

A map [3, 3] or [N, 3, 3] takes the place of a pixel in the target to the place it comes from in the picture, in
homogeneous coordinates (x, y, 1), x to the right and y down from the centre; in pixels, or in half sides.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from latentwalk.gan.edits.edit import Transform

# Less of a pixel than this is rounding, not coverage: a shift by whole pixels is exact to 1e-4 px at 1024 px.
_COVERED = 1e-3
# In half sides, far beyond every border.
_NOWHERE = 8.0


def warp(source: Callable[[Tensor], Tensor]) -> Transform:
    """Moves pixels by affine maps: ``source`` gives, for amounts [N], the first two rows [N, 2, 3] in pixels."""

    def transform(pictures: Tensor, amounts: Tensor) -> tuple[Tensor, Tensor]:
        height, width = pictures.shape[2:]
        unit = amounts.new_tensor([width / 2, height / 2, 1])  # of x, y and 1 in half sides, in pixels
        theta = source(amounts) * unit / unit[:2, None]
        grid = F.affine_grid(theta, [len(pictures), 1, height, width], align_corners=False)
        return sample(pictures, grid)

    return transform


def project(pictures: Tensor, maps: Tensor) -> tuple[Tensor, Tensor]:
    """Moves pixels by maps [N, 3, 3] in half sides. What lies behind the eye is nowhere. Returns targets and mask."""
    height, width = pictures.shape[2:]
    x, y = ((2 * torch.arange(size).to(maps) + 1) / size - 1 for size in (width, height))
    places = torch.stack([x.expand(height, -1), y[:, None].expand(-1, width), torch.ones(height, width).to(maps)])
    sources = maps @ places.flatten(1)  # [N, 3, H W]
    depth = sources[:, 2:]
    # The length of (x, y, w) is of no account, its sign is: w is 1 for the centre of a picture that is left alone.
    grid = torch.where(depth > 0, sources[:, :2] / depth.where(depth > 0, 1), _NOWHERE).clamp(-_NOWHERE, _NOWHERE)
    return sample(pictures, grid.unflatten(2, (height, width)).permute(0, 2, 3, 1).to(pictures))


def sample(pictures: Tensor, grid: Tensor) -> tuple[Tensor, Tensor]:
    """Targets [N, C, H, W] and mask [N, 1, H, W] from the places [N, H, W, 2] that their pixels come from.

    Bilinear; beyond the border there is 0. A pixel that is covered in part is valid, as in the paper.
    """
    canvas = torch.cat([pictures, torch.ones_like(pictures[:, :1])], dim=1)
    warped = F.grid_sample(canvas, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    return warped[:, :-1], (warped[:, -1:] > _COVERED).to(pictures.dtype)


def turn_billboard(pictures: Tensor, degrees: Tensor) -> tuple[Tensor, Tensor]:
    """Turns pictures about the vertical line through their centre, seen in perspective, as in the code of the paper:
    the eye is as far away as the diagonal is long. Positive amounts turn the right side away.

    A pixel (x, y) comes to (x cos, y) distance / (distance + x sin); the map is the inverse of that. The paper's
    picture hangs 1 pixel too deep, so that no turn at all would not be the identity; that is left out.
    """
    height, width = pictures.shape[2:]
    # In half sides of the width; a picture is as high as its height says.
    distance = math.hypot(width, height) / (width / 2)
    cosine, sine = degrees.double().deg2rad().cos(), degrees.double().deg2rad().sin()
    o, i = torch.zeros_like(cosine), torch.ones_like(cosine)
    # (x, y, 1) = (d u, d v cos, d cos - u sin), up to its length; d > 0, and cos > 0 within the domain.
    rows = (distance * i, o, o, o, distance * cosine, o, -sine, o, distance * cosine)
    return project(pictures, torch.stack(rows, dim=-1).unflatten(-1, (3, 3)))


def zoom(factor: Tensor) -> Tensor:
    """Larger by this factor, about the centre."""
    o = torch.zeros_like(factor)
    return _affine(1 / factor, o, o, o, 1 / factor, o)


def shift_x(pixels: Tensor) -> Tensor:
    """To the right."""
    o, i = torch.zeros_like(pixels), torch.ones_like(pixels)
    return _affine(i, o, -pixels, o, i, o)


def shift_y(pixels: Tensor) -> Tensor:
    """Down."""
    o, i = torch.zeros_like(pixels), torch.ones_like(pixels)
    return _affine(i, o, o, o, i, -pixels)


def rotate(degrees: Tensor) -> Tensor:
    """Counter-clockwise, about the centre."""
    o, angle = torch.zeros_like(degrees), degrees.deg2rad()
    return _affine(angle.cos(), -angle.sin(), o, angle.sin(), angle.cos(), o)


def _affine(*entries: Tensor) -> Tensor:
    """Six entries [N], row after row -> [N, 2, 3]."""
    return torch.stack(entries, dim=-1).unflatten(-1, (2, 3))
