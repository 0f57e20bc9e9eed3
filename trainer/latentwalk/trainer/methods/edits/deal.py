"""How the rows of a batch are shared out among the sliders."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from latentwalk.trainer.methods.edits.task import Task
from latentwalk.trainer.seat import Dice


@dataclass(frozen=True)
class Hand:
    """The rows of a batch that move one slider."""

    slider: int
    task: Task
    rows: list[int]
    """None, if other processes have them all."""
    amounts: Tensor
    """[n], of the edit, one for each of the rows; on the CPU, where they were drawn."""

    def within(self, block: range) -> "Hand":
        """Those of its rows that are in a block, counted from its beginning."""
        kept = [place for place, row in enumerate(self.rows) if row in block]
        return replace(self, rows=[self.rows[place] - block.start for place in kept], amounts=self.amounts[kept])


@dataclass(frozen=True)
class Deal:
    """A batch, dealt to the sliders."""

    hands: list[Hand]

    def walked(self, codes: Tensor, walk: Callable[[Tensor, int, Tensor], Tensor]) -> Tensor:
        """The codes [N, ...], each moved along its own slider; `walk` takes some of them, the slider and alphas [n]."""
        moved = codes.clone()
        for hand in self._held():
            moved[hand.rows] = walk(codes[hand.rows], hand.slider, hand.task.alphas(hand.amounts))
        return moved

    def targets(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """The pictures [N, C, H, W], each edited as its walk is to do it, and their masks [N, 1, H, W]."""
        targets, masks = torch.empty_like(pictures), torch.empty_like(pictures[:, :1])
        for hand in self._held():
            targets[hand.rows], masks[hand.rows] = hand.task.edit(pictures[hand.rows], hand.amounts)
        return targets, masks

    def shares(self, errors: Tensor) -> dict[str, Tensor]:
        """The share of each slider in the mean of errors [N]."""
        return {hand.task.slider.name: errors[hand.rows].sum() / len(errors) for hand in self.hands}

    def _held(self) -> list[Hand]:
        return [hand for hand in self.hands if hand.rows]


def deal(tasks: Sequence[Task], step: int, rows: int, dice: Dice) -> Deal:
    """Gives each row of a step to a slider, beginning where the step before ended, and draws its amount.

    The rows are those at the seat of the dice; the sliders are those of the whole batch.
    """
    whole = dice.seat.whole(rows)
    first, hands = step * whole, list[Hand]()
    for number, task in enumerate(tasks):
        if theirs := [row for row in range(whole) if (first + row) % len(tasks) == number]:
            hands.append(Hand(number, task, theirs, task.draw(len(theirs), dice.random)))
    return Deal([hand.within(dice.seat.own(whole)) for hand in hands])
