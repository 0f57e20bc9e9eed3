"""What each slider of a new direction has to learn."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from latentwalk.gan.directions import Slider
from latentwalk.gan.edits import Edit, Span
from latentwalk.trainer.specs import EditTarget
from latentwalk.trainer.specs.edits import edit_of_target

LIMIT_FACTOR = 3.0
"""The paper looks at walks up to 3 times as long as those it trains (shift: 400 px after 128 px)."""


@dataclass(frozen=True)
class Task:
    """One slider, and the edit that it learns."""

    edit: Edit
    amounts: Span
    slider: Slider

    def draw(self, rows: int, generator: torch.Generator) -> Tensor:
        """Amounts to train on [N]."""
        return self.edit.draw(rows, *self.amounts, generator)

    def alphas(self, amounts: Tensor) -> Tensor:
        """Amounts [N] -> alphas [N]; 1 at the far end of the trained range."""
        return self.edit.linear(amounts) / self.slider.scale


def tasks_of(targets: Sequence[EditTarget], classes: Sequence[int] | None) -> tuple[Task, ...]:
    """A task for each target, or, of `classes`, one for each target and class, named "<edit>.<class>"."""
    tasks = tuple(map(_task, targets))
    if classes is None:
        return tasks
    return tuple(_for_class(task, class_id) for task in tasks for class_id in classes)


def _for_class(task: Task, class_id: int) -> Task:
    name = f"{task.slider.name}.{class_id}"
    return replace(task, slider=replace(task.slider, name=name, class_id=class_id))


def _task(target: EditTarget) -> Task:
    edit, custom = edit_of_target(target)
    amounts = target.amounts
    scale = max(abs(edit.linear(amount)) for amount in amounts)
    low, high = (edit.linear(amount) / scale for amount in amounts)
    floor, ceiling = (edit.linear(end) / scale for end in edit.domain)
    slider = Slider(
        name=edit.name,
        edit=edit.name,
        unit=edit.unit,
        scale=scale,
        trained=(low, high),
        limit=(max(LIMIT_FACTOR * min(low, 0.0), floor), min(LIMIT_FACTOR * max(high, 0.0), ceiling)),
        custom=custom,
    )
    return Task(edit, amounts, slider)
