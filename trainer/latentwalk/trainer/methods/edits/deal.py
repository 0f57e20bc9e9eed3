"""How the rows of a batch are shared out among the sliders, or moved along all of them at once."""

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
    """A batch, dealt to the sliders. A row in several hands is moved, and edited, by one after the other."""

    hands: list[Hand]
    hands_of_a_row: int = 1

    def walked(self, codes: Tensor, walk: Callable[[Tensor, int, Tensor], Tensor]) -> Tensor:
        """The codes [N, ...], each moved along its own slider; `walk` takes some of them, the slider and alphas [n]."""
        moved = codes.clone()
        for hand in self._held():
            moved[hand.rows] = walk(moved[hand.rows], hand.slider, hand.task.alphas(hand.amounts))
        return moved

    def targets(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """The pictures [N, C, H, W], each edited as its walk is to do it, and their masks [N, 1, H, W]."""
        targets, masks = pictures.clone(), torch.ones_like(pictures[:, :1])
        for hand in self._held():
            targets[hand.rows], mask = hand.task.edit(targets[hand.rows], hand.amounts)
            masks[hand.rows] *= mask
        return targets, masks

    def shares(self, errors: Tensor) -> dict[str, Tensor]:
        """The share of each slider in the mean of errors [N]; those that move a row have equal shares in its error."""
        whole = len(errors) * self.hands_of_a_row
        return {hand.task.slider.name: errors[hand.rows].sum() / whole for hand in self.hands}

    def _held(self) -> list[Hand]:
        return [hand for hand in self.hands if hand.rows]


def deal(tasks: Sequence[Task], step: int, rows: int, dice: Dice) -> Deal:
    """Gives each row of a step to a slider, beginning where the step before ended, and draws its amount.

    The rows are those at the seat of the dice; the sliders are those of the whole batch.
    """
    whole = dice.seat.batch_rows(rows)
    first, hands = step * whole, list[Hand]()
    for number, task in enumerate(tasks):
        if theirs := list(range((number - first) % len(tasks), whole, len(tasks))):
            hands.append(Hand(number, task, theirs, task.draw(len(theirs), dice.random)))
    return Deal([hand.within(dice.seat.own_rows(whole)) for hand in hands])


def deal_to_all(tasks: Sequence[Task], rows: int, dice: Dice) -> Deal:
    """Gives each row of a step to every slider, and draws its amounts; the rows as `deal` has them."""
    whole = dice.seat.batch_rows(rows)
    hands = [Hand(number, task, list(range(whole)), task.draw(whole, dice.random)) for number, task in enumerate(tasks)]
    return Deal([hand.within(dice.seat.own_rows(whole)) for hand in hands], len(tasks))
