"""The edits, by name."""

from collections.abc import Callable

from torch import Tensor

from latentwalk.gan.edits.colours import brighten, shift_lab
from latentwalk.gan.edits.coordinates import exp, log
from latentwalk.gan.edits.edit import Edit, Span, Transform
from latentwalk.gan.edits.laws import in_or_out, uniform, whole
from latentwalk.gan.edits.warps import rotate, shift_x, shift_y, turn_billboard, warp, zoom
from latentwalk.gan.errors import UnknownEdit
from latentwalk.gan.spec import LIMITS

# A shift by more than this leaves nothing of any picture.
_WIDEST = LIMITS["resolution"][1]


def edit_of(name: str) -> Edit:
    """The edit of this name. Raises UnknownEdit."""
    if name not in EDITS:
        raise UnknownEdit(name, tuple(EDITS))
    return EDITS[name]


def _colour(name: str, transform: Transform) -> Edit:
    domain, trained = (-1.0, 1.0), (-0.25, 0.25)
    return Edit(name, "fraction", domain, default_range=lambda _: trained, transform=transform, law=uniform)


def _shift(name: str, source: Callable[[Tensor], Tensor]) -> Edit:
    def half(resolution: int) -> Span:
        return -resolution / 2, resolution / 2

    return Edit(name, "px", (-_WIDEST, _WIDEST), default_range=half, transform=warp(source), law=whole)


def _turn(name: str, domain: Span, transform: Transform) -> Edit:
    return Edit(name, "deg", domain, default_range=lambda _: (-45, 45), transform=transform, law=whole)


ADDING = (frozenset({"brightness", "red", "green", "blue"}), frozenset({"lab_l", "lab_a", "lab_b"}))
"""Names of edits that add to the same numbers of every pixel: those of one set, in whichever order, and so at once."""

EDITS: dict[str, Edit] = {
    edit.name: edit
    for edit in (
        _colour("brightness", brighten(slice(None))),
        _colour("red", brighten(slice(0, 1))),
        _colour("green", brighten(slice(1, 2))),
        _colour("blue", brighten(slice(2, 3))),
        _colour("lab_l", shift_lab(0, 100)),
        _colour("lab_a", shift_lab(1, 256)),
        _colour("lab_b", shift_lab(2, 256)),
        Edit(
            "zoom",
            "x",
            (1 / 64, 64),  # at 1/64 a picture of 64 px is one pixel
            default_range=lambda _: (1 / 4, 4),
            transform=warp(zoom),
            law=in_or_out,
            neutral=1,
            linear=log,
            natural=exp,
        ),
        _shift("shift_x", shift_x),
        _shift("shift_y", shift_y),
        _turn("rotate", (-180, 180), warp(rotate)),
        # At 90 degrees it is seen from its edge.
        _turn("rotate3d", (-89, 89), turn_billboard),
    )
}
