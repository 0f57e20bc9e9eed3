"""Directions: where to go in latent space so that one understandable thing happens to the picture.

Whatever method finds a direction, it ends in one of these forms, and all are walked the same way.
"""

from latentwalk.gan.directions.calibration import Calibration
from latentwalk.gan.directions.deformed import DeformedDirection
from latentwalk.gan.directions.direction import Direction
from latentwalk.gan.directions.iterated import IteratedDirection
from latentwalk.gan.directions.linear import LinearDirection
from latentwalk.gan.directions.picking import Pick, joined
from latentwalk.gan.directions.rbf import RbfDirection
from latentwalk.gan.directions.slider import LIMIT, SHOWN, Slider
from latentwalk.gan.errors import UnknownForm

FORMS: dict[str, type[Direction]] = {
    form.form: form for form in (LinearDirection, IteratedDirection, DeformedDirection, RbfDirection)
}


def form_of(name: str) -> type[Direction]:
    """The class of a form. Raises UnknownForm."""
    if name not in FORMS:
        raise UnknownForm(name, tuple(FORMS))
    return FORMS[name]


__all__ = [
    "FORMS",
    "LIMIT",
    "SHOWN",
    "Calibration",
    "DeformedDirection",
    "Direction",
    "IteratedDirection",
    "LinearDirection",
    "Pick",
    "RbfDirection",
    "Slider",
    "form_of",
    "joined",
]
