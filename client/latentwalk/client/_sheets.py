"""Contact sheets: walks below one another, with what they are and how far each picture is walked."""

from collections.abc import Sequence
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from latentwalk.client._errors import InvalidRequest
from latentwalk.client._frames import Frames
from latentwalk.client._numbers import whole
from latentwalk.client._pictures import GAP, Picture, tile
from latentwalk.client._values import elements, instance, pair, text

_LETTERS, _LINE = 12, 16
"""Pixels of letters, and of a line of them."""


def contact_sheet(walks: Sequence[tuple[str, Frames]], rows: int | None = None) -> Picture:
    """Named walks below one another, a row for each picture of a frame, a frame a column, as one picture on white.

    The name stands to the left of its rows. The amount of each frame, or its alpha if the walk imitates no edit, stands
    above, unless it is that of the walk before; where columns are narrow, above every so many. Walks of several
    directions at once show the amounts of the first.

    rows: of each walk at most so many. InvalidRequest unless all pictures have one size, and for what is no walk.
    """
    walks = _checked(walks)
    rows = None if rows is None else whole("rows", rows, low=1)
    font = ImageFont.load_default(_LETTERS)
    left = _width(font, [name for name, _ in walks])
    blocks = [tile(frames.rows[:rows]).image() for _, frames in walks]
    amounts = [_amounts(frames) for _, frames in walks]
    heads = [_LINE if any(now) and now != before else 0 for before, now in zip([(), *amounts], amounts, strict=False)]
    height = sum(head + block.height + GAP for head, block in zip(heads, blocks, strict=True)) - GAP
    canvas = Image.new(blocks[0].mode, (left + max(block.width for block in blocks), height), "white")
    pen, y = ImageDraw.Draw(canvas), 0
    for (name, frames), block, shown, head in zip(walks, blocks, amounts, heads, strict=True):
        side = frames[0].pictures[0]
        if head:
            _write(pen, font, shown, left, y, side.width + GAP)
        y += head
        pen.text((left - 2 * GAP, y + side.height / 2), name, "black", font, "rm")
        canvas.paste(block, (left, y))
        y += block.height + GAP
    return Picture.from_image(canvas)


def labelled_sheet(rows: Sequence[tuple[str, Sequence[Picture]]], heads: Sequence[str]) -> Picture:
    """Rows of pictures, each beside its name, and each column under its head, as one picture on white.

    At least one row; all pictures have one size.
    """
    font = ImageFont.load_default(_LETTERS)
    left, side = _width(font, [name for name, _ in rows]), rows[0][1][0]
    block = tile([pictures for _, pictures in rows]).image()
    canvas = Image.new(block.mode, (left + block.width, _LINE + block.height), "white")
    pen = ImageDraw.Draw(canvas)
    _write(pen, font, heads, left, 0, side.width + GAP)
    for index, (name, _) in enumerate(rows):
        y = _LINE + index * (side.height + GAP) + side.height / 2
        pen.text((left - 2 * GAP, y), name, "black", font, "rm")
    canvas.paste(block, (left, _LINE))
    return Picture.from_image(canvas)


def _width(font: ImageFont.FreeTypeFont | ImageFont.ImageFont, names: Sequence[str]) -> int:
    """Of what stands to the left of the pictures; 0 without names."""
    widest = max(round(font.getlength(name)) for name in names)
    return widest + 3 * GAP if widest else 0


def _checked(walks: Any) -> list[tuple[str, Frames]]:
    checked = list[tuple[str, Frames]]()
    for index, walk in enumerate(elements("walks", walks, "a list of pairs (name, frames)")):
        name, frames = pair(f"walks[{index}]", walk, "a pair (name, frames)")
        checked.append((text(f"walks[{index}][0]", name), instance(f"walks[{index}][1]", frames, Frames)))
    if not checked or not all(frames.rows for _, frames in checked):
        raise InvalidRequest.of("walks", "are none, or one has no pictures: there is nothing to show")
    pictures = [picture for _, frames in checked for frame in frames for picture in frame.pictures]
    if len(sizes := {(one.width, one.height, one.channels) for one in pictures}) > 1:
        raise InvalidRequest.of("walks", f"have pictures of {len(sizes)} sizes; give those of one")
    return checked


def _amounts(frames: Frames) -> tuple[str, ...]:
    """How far each frame is walked; empty for one that is not walked along any direction, or beyond its calibration."""
    positions = [frame.positions[0] if frame.positions else None for frame in frames]
    is_edit = any(position and position.amount is not None for position in positions)
    return tuple(_far(position.amount if is_edit else position.alpha) if position else "" for position in positions)


def _far(far: float | None) -> str:
    return "" if far is None else f"{round(far, 4) + 0.0:.3g}"


def _write(
    pen: ImageDraw.ImageDraw,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    amounts: Sequence[str],
    left: int,
    y: int,
    step: int,
) -> None:
    """Each above the middle of its column."""
    widest = max(font.getlength(amount) for amount in amounts) + 2 * GAP
    for place in range(0, len(amounts), -(-round(widest) // step)):
        pen.text((left + place * step + (step - GAP) / 2, y), amounts[place], "black", font, "ma")
