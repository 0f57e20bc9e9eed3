"""What jobs do that are supervised by edits."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator

from latentwalk.gan.edits import EDITS, CustomEdit, Edit
from latentwalk.gan.truncations import Truncation
from latentwalk.trainer.specs.bounds import count, maybe
from latentwalk.trainer.specs.job import MethodSettings


class WalkForm(StrEnum):
    """The form of a walk."""

    LINEAR = "linear"
    NONLINEAR = "nonlinear"


class EditLoss(StrEnum):
    """What a walked picture is compared with its edited one by."""

    L2 = "l2"
    LPIPS = "lpips"


@dataclass(frozen=True, slots=True)
class Matrix:
    """A matrix, row after row."""

    entries: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class CustomTarget:
    """An edit of the caller's own, see latentwalk.gan.edits.CustomEdit; exactly one of the matrices is there."""

    name: str = ""
    unit: str = ""
    affine: Matrix | None = None
    homography: Matrix | None = None
    colour: Matrix | None = None

    def edit(self) -> CustomEdit:
        """The edit. Raises GanError."""
        kinds = {"affine": self.affine, "homography": self.homography, "colour": self.colour}
        kind, matrix = next(((kind, matrix) for kind, matrix in kinds.items() if matrix), ("", Matrix()))
        return CustomEdit.from_entries(self.name, self.unit, kind, matrix.entries)


@dataclass(frozen=True, slots=True)
class ClassChoice:
    """For which classes of a conditional generator a walk is trained: one, or one walk for each."""

    class_id: int | None = None
    each: bool = False


@dataclass(frozen=True, slots=True)
class EditTarget:
    """One slider of the new direction: the edit it imitates and the amounts to train on."""

    edit: str = ""
    """A name in latentwalk.gan.edits.EDITS; also the name of the slider."""
    amount_low: float | None = None
    """The least amount, in the edit's unit; None until it is completed."""
    amount_high: float | None = None
    """The greatest amount, in the edit's unit; None until it is completed."""
    custom: CustomTarget | None = None
    """An edit of the caller's own, instead of a name."""

    @property
    def name(self) -> str:
        """The name of the edit."""
        return self.custom.name if self.custom else self.edit

    @property
    def amounts(self) -> tuple[float, float]:
        """The least and the greatest amount of a target that is complete."""
        assert self.amount_low is not None  # noqa: S101 - completed by validation
        assert self.amount_high is not None  # noqa: S101
        return self.amount_low, self.amount_high


def edit_of_target(target: EditTarget) -> tuple[Edit, CustomEdit | None]:
    """The edit that a target names or brings, and the latter as it is. Raises GanError for what cannot be one."""
    if target.custom is None:
        return EDITS[target.edit], None
    custom = target.custom.edit()
    return custom.edit, custom


def _of_stored(truncation: Any) -> Any:
    """A job that was made before truncation had parts has a number in its row: the threshold."""
    return Truncation(threshold=truncation) if isinstance(truncation, (int, float)) else truncation


@dataclass(frozen=True, slots=True)
class EditDirectionSpec(MethodSettings):
    """A direction supervised by edits."""

    edits: tuple[EditTarget, ...] = ()
    steps: int = count(250, most=1_000_000)
    """Optimiser steps."""
    batch_size: int = count(16, most=1_024)
    """Fresh latents for each step, shared out among the sliders, unless all move together."""
    learning_rate: float | None = maybe(0, 1, above=True)
    """Adam's greatest step size; None until it is completed."""
    evaluation_size: int = count(1_024, most=65_536)
    """Held-out latents on which each slider is measured."""
    form: WalkForm = WalkForm.LINEAR
    loss: EditLoss = EditLoss.L2
    space: str = "z"
    layers: tuple[int, ...] = ()
    """The layers of w+ to move; empty for all."""
    classes: ClassChoice | None = None
    """None for classes drawn uniformly."""
    truncation: Annotated[Truncation | None, BeforeValidator(_of_stored)] = None
    """Of the latents to train and measure on."""
    threshold: float | None = None
    """As callers said it before truncation had parts: completed as its threshold, and then None."""
    walk_steps: int = count(0, most=64)
    """For a nonlinear walk: steps of the network to the far end of the range; completed with 5."""
    together: bool = False
    """Whether each row moves all sliders at once; the edits are then all of one set of ADDING."""

    def class_ids(self, classes: int) -> tuple[int, ...] | None:
        """The classes that have a walk of their own, of a generator with so many; None if one walk is for all."""
        if self.classes is None:
            return None
        return tuple(range(classes)) if self.classes.each else (self.classes.class_id or 0,)
