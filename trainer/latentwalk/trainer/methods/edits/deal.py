"""How the rows of a batch are shared out among the sliders."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from latentwalk.trainer.methods.edits.task import Task


@dataclass(frozen=True)
class Hand:
    """The rows of a batch that move one slider."""

    slider: int
    task: Task
    rows: list[int]
    amounts: Tensor
    """[n], of the edit, one for each of the rows."""


@dataclass(frozen=True)
class Deal:
    """A batch, dealt to the sliders."""

    hands: list[Hand]

    def walked(self, codes: Tensor, walk: Callable[[Tensor, int, Tensor], Tensor]) -> Tensor:
        """The codes [N, ...], each moved along its own slider; `walk` takes some of them, the slider and alphas [n]."""
        moved = codes.clone()
        for hand in self.hands:
            moved[hand.rows] = walk(codes[hand.rows], hand.slider, hand.task.alphas(hand.amounts))
        return moved

    def targets(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """The pictures [N, C, H, W], each edited as its walk is to do it, and their masks [N, 1, H, W]."""
        targets, masks = torch.empty_like(pictures), torch.empty_like(pictures[:, :1])
        for hand in self.hands:
            targets[hand.rows], masks[hand.rows] = hand.task.edit(pictures[hand.rows], hand.amounts)
        return targets, masks

    def shares(self, errors: Tensor) -> dict[str, Tensor]:
        """The share of each slider in the mean of errors [N]."""
        return {hand.task.slider.name: errors[hand.rows].sum() / len(errors) for hand in self.hands}


def deal(tasks: Sequence[Task], step: int, rows: int, draw: torch.Generator) -> Deal:
    """Gives each row of a step to a slider, beginning where the step before ended, and draws its amount."""
    first, hands = step * rows, list[Hand]()
    for number, task in enumerate(tasks):
        if own := [row for row in range(rows) if (first + row) % len(tasks) == number]:
            hands.append(Hand(number, task, own, task.draw(len(own), draw)))
    return Deal(hands)
