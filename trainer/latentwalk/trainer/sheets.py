"""Sheets of pictures, for people to look at while a job goes on."""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torch.nn import functional as F

from latentwalk.gan.images import to_uint8

_SMALL_PIXELS = 64
_GAP, _LETTERS, _LINE = 2, 11, 14
"""Pixels between pictures, of letters, and of a line of them."""


@dataclass(frozen=True, slots=True)
class Strip:
    """A row of pictures, and what they show."""

    pictures: Tensor
    """[N, C, H, W] in (-1, 1)."""
    name: str = ""
    """To the left of them."""
    amounts: tuple[str, ...] = ()
    """Above each of them."""


def small(pictures: Tensor) -> Tensor:
    """Pictures [N, C, H, W], as large as a sheet of many has room for."""
    return F.adaptive_avg_pool2d(pictures, min(pictures.shape[-1], _SMALL_PIXELS))


def amounts_shown(amounts: Sequence[float]) -> tuple[str, ...]:
    """Amounts as they stand above the pictures of a strip."""
    nothing = 1e-4 * max(map(abs, amounts))
    return tuple("0" if abs(amount) <= nothing else f"{amount:.3g}" for amount in amounts)


def sheet(strips: Sequence[Strip]) -> str:
    """Strips of pictures below one another, as one PNG in base64.

    Amounts stand above a strip unless the one before it has the same, and of those that would run into one another
    only as many as can be read. Of more channels than three, the first three are shown, and of two the first.
    """
    font = ImageFont.load_default(_LETTERS)
    left = max(round(font.getlength(strip.name)) for strip in strips)
    left += 3 * _GAP if left else 0
    heads = [_LINE if now.amounts and now.amounts != before.amounts else 0 for before, now in _pairs(strips)]
    width = left + max(len(one.pictures) * (one.pictures.shape[3] + _GAP) for one in strips)
    height = sum(head + one.pictures.shape[2] + _GAP for head, one in zip(heads, strips, strict=True))
    canvas = Image.new("RGB", (width, height), "white")
    pen, y = ImageDraw.Draw(canvas), 0
    for head, strip in zip(heads, strips, strict=True):
        tall, wide = strip.pictures.shape[2:]
        if head:
            _write_amounts(pen, font, strip.amounts, left, y, wide + _GAP)
        y += head
        pen.text((left - 2 * _GAP, y + tall / 2), strip.name, "black", font, "rm")
        for place, pixels in enumerate(to_uint8(strip.pictures.detach()).cpu().numpy()):
            seen = pixels[:, :, :3] if pixels.shape[2] >= 3 else pixels[:, :, 0]
            canvas.paste(Image.fromarray(np.ascontiguousarray(seen)), (left + place * (wide + _GAP), y))
        y += tall + _GAP
    content = BytesIO()
    canvas.save(content, "PNG")
    return base64.b64encode(content.getvalue()).decode()


def _pairs(strips: Sequence[Strip]) -> Iterable[tuple[Strip, Strip]]:
    """Each strip, after the one before it; before the first is an empty one."""
    return zip([Strip(strips[0].pictures), *strips], strips, strict=False)


def _write_amounts(
    pen: ImageDraw.ImageDraw,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    amounts: Sequence[str],
    left: int,
    y: int,
    step: int,
) -> None:
    """Each above the middle of its picture; every so many, if there is no room for all."""
    widest = max(font.getlength(amount) for amount in amounts) + 2 * _GAP
    every = -(-round(widest) // step)
    for place in range(0, len(amounts), every):
        pen.text((left + place * step + (step - _GAP) / 2, y), amounts[place], "black", font, "ma")
