"""Edits: what a steered picture should look like, done to its pixels.

The transformations, their masks and the amounts to train on are those of Jahanian, Chai and Isola, "On the
steerability of generative adversarial networks" (ICLR 2020, section 3, and the code of the paper), with an
amount for each picture. An amount is in the edit's natural unit; its linear coordinate is the one in which a
latent walk is straight: the logarithm for zoom, the amount itself for the others.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypeVar

import torch
from torch import Tensor
from torch.nn import functional as F

from latentwalk.gan.errors import GanError, OutOfRange, UnknownEdit
from latentwalk.gan.spec import LIMITS

Number = TypeVar("Number", float, Tensor)
Span: TypeAlias = tuple[float, float]
Transform: TypeAlias = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
Law: TypeAlias = Callable[[int, float, float, torch.Generator], Tensor]

# Pictures are in (-1, 1): the full range from black to white.
_FULL_RANGE = 2.0
# A shift by more than this leaves nothing of any picture.
WIDEST = LIMITS["resolution"][1]
# Less of a pixel than this is rounding, not coverage: a shift by whole pixels is exact to 1e-4 px at 1024 px.
_COVERED = 1e-3


class Coordinate(Protocol):
    """A change of the coordinate of an amount, of one number or of a tensor of them."""

    def __call__(self, value: Number, /) -> Number:
        """The other coordinate."""
        ...


@dataclass(frozen=True)
class Edit:
    """One transformation of pictures, its unit, and the amounts that make sense for it."""

    name: str
    unit: str
    """"fraction" of the full range from black to white, "x", "px" or "deg"."""
    neutral: float
    """The amount that changes nothing."""
    domain: Span
    """The least and greatest amount that it is defined for."""
    default_range: Callable[[int], Span]
    """From the resolution in pixels to the least and greatest amount to train on, as in the paper."""
    transform: Transform
    law: Law
    linear: Coordinate
    """From the amount to the coordinate in which a walk is straight; the neutral amount goes to 0."""
    natural: Coordinate
    """The inverse of linear."""

    def __call__(self, pictures: Tensor, amounts: Tensor) -> tuple[Tensor, Tensor]:
        """Edits pictures [N, C, H, W] in (-1, 1) by amounts [N].

        Returns the targets [N, C, H, W], not clipped, and the mask [N, 1, H, W]: 1 where a pixel of the
        target comes from the picture, 0 where it comes from beyond its border. Raises GanError for a colour
        that grey has not.
        """
        return self.transform(pictures, amounts.to(pictures))

    def draw(self, n: int, low: float, high: float, generator: torch.Generator) -> Tensor:
        """Draws n amounts [n] to train on, between low and high, on the device of the random generator.

        Raises OutOfRange if they are not within the domain, GanError if there is no amount between them.
        """
        self.check(low)
        self.check(high)
        if not low < high:
            raise GanError(f"range of {self.name} is {low} to {high} {self.unit}: it must be rising")
        return self.law(n, low, high, generator)

    def check(self, amount: float) -> None:
        """Raises OutOfRange if the amount is not within the domain, or NaN."""
        low, high = self.domain
        if not low <= amount <= high:
            raise OutOfRange(f"amount of {self.name} ({self.unit})", amount, low, high)


def edit_of(name: str) -> Edit:
    """The edit of this name. Raises UnknownEdit."""
    if name not in EDITS:
        raise UnknownEdit(name, tuple(EDITS))
    return EDITS[name]


def masked_squared_error(pictures: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """The L2 loss of the paper, row by row: the mean of (pictures - target)^2 over the valid elements.

    pictures, target: [N, C, H, W]; mask: [N, 1, H, W] of 0 and 1. Returns [N]; 0 where no pixel is valid.
    """
    error = (mask * (pictures - target) ** 2).sum(dim=(1, 2, 3))
    valid = mask.sum(dim=(1, 2, 3)) * pictures.shape[1]
    return error / valid.clamp(min=1)


# -- transformations of pixels -------------------------------------------------------------------------------


def _brighten(channels: slice) -> Transform:
    """Adds the amount to these channels."""

    def transform(pictures: Tensor, amounts: Tensor) -> tuple[Tensor, Tensor]:
        if channels != slice(None) and pictures.shape[1] != 3:
            raise GanError(f"pictures have {pictures.shape[1]} channels: red, green and blue need 3")
        target = pictures.clone()
        target[:, channels] += _FULL_RANGE * amounts[:, None, None, None]
        return target, torch.ones_like(pictures[:, :1])

    return transform


def _warp(source: Callable[[Tensor], Tensor]) -> Transform:
    """Moves pixels: ``source`` gives for amounts [N] the affine maps [N, 2, 3] from the place of a pixel in
    the target to the place it comes from in the picture, in pixels from the centre, x to the right and y
    down.
    """

    def transform(pictures: Tensor, amounts: Tensor) -> tuple[Tensor, Tensor]:
        height, width = pictures.shape[2:]
        unit = amounts.new_tensor([width / 2, height / 2, 1])  # of x, y and 1 in the grid of torch, in pixels
        theta = source(amounts) * unit / unit[:2, None]
        canvas = torch.cat([pictures, torch.ones_like(pictures[:, :1])], dim=1)
        grid = F.affine_grid(theta, list(canvas.shape), align_corners=False)
        warped = F.grid_sample(canvas, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
        return warped[:, :-1], (warped[:, -1:] > _COVERED).to(pictures.dtype)

    return transform


def _affine(*entries: Tensor) -> Tensor:
    """Six entries [N], row after row -> [N, 2, 3]."""
    return torch.stack(entries, dim=-1).unflatten(-1, (2, 3))


def _zoom(factor: Tensor) -> Tensor:
    o = torch.zeros_like(factor)
    return _affine(1 / factor, o, o, o, 1 / factor, o)


def _shift_x(pixels: Tensor) -> Tensor:
    o, i = torch.zeros_like(pixels), torch.ones_like(pixels)
    return _affine(i, o, -pixels, o, i, o)


def _shift_y(pixels: Tensor) -> Tensor:
    o, i = torch.zeros_like(pixels), torch.ones_like(pixels)
    return _affine(i, o, o, o, i, -pixels)


def _rotate(degrees: Tensor) -> Tensor:
    o, angle = torch.zeros_like(degrees), degrees.deg2rad()
    return _affine(angle.cos(), -angle.sin(), o, angle.sin(), angle.cos(), o)


# -- laws of the amounts to train on -------------------------------------------------------------------------


def _uniform(n: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(n, generator=generator, device=generator.device)


def _whole(n: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    """Whole numbers strictly between low and high, not 0: the paper's randint(1, limit), either sign."""
    numbers = [number for number in range(math.floor(low) + 1, math.ceil(high)) if number != 0]
    if not numbers:
        raise GanError(f"there is no whole amount but 0 strictly between {low} and {high}: widen the range")
    chosen = torch.randint(len(numbers), (n,), generator=generator, device=generator.device)
    return torch.tensor(numbers, dtype=torch.float32, device=generator.device)[chosen]


def _in_or_out(n: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    """In or out by the toss of a coin, then uniform in the paper's alpha = 1 / amount: how much of the
    picture's side is seen when going in, how much wider the canvas is when going out.
    """
    if low >= 1 or high <= 1:
        return 1 / _uniform(n, 1 / high, 1 / low, generator)
    going_in, going_out = _uniform(n, 1 / high, 1, generator), _uniform(n, 1, 1 / low, generator)
    coin = torch.rand(n, generator=generator, device=generator.device) < 0.5
    return 1 / torch.where(coin, going_in, going_out)


# -- coordinates of the amounts ------------------------------------------------------------------------------


def _same(value: Number, /) -> Number:
    return value


def _log(value: Number, /) -> Number:
    if isinstance(value, Tensor):
        return value.log()
    return math.log(value)


def _exp(value: Number, /) -> Number:
    if isinstance(value, Tensor):
        return value.exp()
    return math.exp(value)


# -- the table -----------------------------------------------------------------------------------------------


def _colour(name: str, channels: slice) -> Edit:
    domain, trained = (-1.0, 1.0), (-0.25, 0.25)
    return Edit(name, "fraction", 0, domain, lambda _: trained, _brighten(channels), _uniform, _same, _same)


def _shift(name: str, source: Callable[[Tensor], Tensor]) -> Edit:
    def half(resolution: int) -> Span:
        return -resolution / 2, resolution / 2

    return Edit(name, "px", 0, (-WIDEST, WIDEST), half, _warp(source), _whole, _same, _same)


EDITS: dict[str, Edit] = {
    edit.name: edit
    for edit in (
        _colour("brightness", slice(None)),
        _colour("red", slice(0, 1)),
        _colour("green", slice(1, 2)),
        _colour("blue", slice(2, 3)),
        # At 1/64 a picture of 64 px is one pixel.
        Edit("zoom", "x", 1, (1 / 64, 64), lambda _: (1 / 4, 4), _warp(_zoom), _in_or_out, _log, _exp),
        _shift("shift_x", _shift_x),
        _shift("shift_y", _shift_y),
        Edit("rotate", "deg", 0, (-180, 180), lambda _: (-45, 45), _warp(_rotate), _whole, _same, _same),
    )
}
