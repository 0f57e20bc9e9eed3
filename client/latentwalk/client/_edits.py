"""Edits: what the sliders of a new direction learn to imitate, and what real pictures are shown by."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from numpy.typing import ArrayLike

from latentwalk.client._errors import InvalidRequest
from latentwalk.client._numbers import number_or_none, numbers
from latentwalk.client._values import one_or_several, text
from latentwalk.v1 import training_service_pb2 as pb

EditKind = Literal["affine", "homography", "colour"]
"""What the matrix of an edit moves."""


@dataclass(frozen=True, slots=True)
class CustomEdit:
    """An edit of your own: exp(amount * matrix), so that amount 0 changes nothing and a walk along it is straight."""

    name: str
    """The name of the slider; none of the edits that the trainer knows."""
    kind: EditKind
    """Pixels (x, y, 1) by 2 x 3 numbers, in half sides of the picture from its centre, x to the
    right and y down; pixels in homogeneous coordinates by 3 x 3; colours (red, green, blue, 1), -1 to 1, by 3 x 4."""
    matrix: ArrayLike
    """What an amount of 1 does, to first order."""
    unit: str = ""
    """For people."""

    def message(self, field: str) -> pb.CustomEdit:
        """The message of this edit, which stands in `field`. Raises InvalidRequest for what it cannot be."""
        entries = numbers(f"{field}.matrix", self.matrix, "float64").ravel().tolist()
        if text(f"{field}.kind", self.kind) not in get_args(EditKind):
            raise InvalidRequest.of(f"{field}.kind", f"{self.kind!r} is none of {', '.join(get_args(EditKind))}")
        name, unit = text(f"{field}.name", self.name), text(f"{field}.unit", self.unit)
        return pb.CustomEdit(name=name, unit=unit, **{self.kind: pb.Matrix(entries=entries)})


@dataclass(frozen=True, slots=True)
class EditTarget:
    """What one slider of a new direction imitates. Amounts are in the edit's unit."""

    edit: str | CustomEdit
    """ "brightness", "red", "green", "blue", "lab_l", "lab_a", "lab_b", "zoom", "shift_x", "shift_y", "rotate",
    "rotate3d", or one of your own, which needs both amounts."""
    low: float | None = None
    """The least amount to train on; None for the edit's own."""
    high: float | None = None
    """The greatest amount to train on; None for the edit's own."""

    def message(self, field: str) -> pb.EditTarget:
        """The message of this target, which stands in `field`."""
        low, high = number_or_none(f"{field}.low", self.low), number_or_none(f"{field}.high", self.high)
        if isinstance(self.edit, CustomEdit):
            return pb.EditTarget(custom=self.edit.message(f"{field}.edit"), amount_low=low, amount_high=high)
        return pb.EditTarget(edit=text(f"{field}.edit", self.edit), amount_low=low, amount_high=high)


Edits: TypeAlias = str | EditTarget | Iterable[str | EditTarget]
"""One edit or several; a name alone stands for the edit's own range."""


def edit_messages(edits: Edits, field: str = "edits") -> list[pb.EditTarget]:
    """The messages of one edit, or of several, which stand in `field`."""
    listed = one_or_several(field, edits, str, EditTarget)
    targets = [EditTarget(edit) if isinstance(edit, str) else edit for edit in listed]
    return [target.message(f"{field}[{index}]") for index, target in enumerate(targets)]
