"""Which part of every batch a process of a job takes."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Seat:
    """One of the processes that train a job together; the only one, by default.

    What is random is drawn for the whole batch at every seat, so that all of them together see what one alone would.
    """

    number: int = 0
    of: int = 1

    def whole(self, own: int) -> int:
        """The rows of the batch of which ``own`` are those of this seat."""
        return own * self.of

    def own(self, whole: int) -> range:
        """The rows of this seat in a batch: one block, as long as that of each other seat."""
        rows = whole // self.of
        return range(self.number * rows, (self.number + 1) * rows)

    def take(self, whole: Tensor) -> Tensor:
        """The rows of this seat [N / of, ...] of a batch [N, ...]."""
        own = self.own(len(whole))
        return whole[own.start : own.stop]


ALONE = Seat()


@dataclass(frozen=True, slots=True)
class Dice:
    """The random numbers of the rows at one seat.

    They are drawn on the CPU, so that they are the same wherever they are needed; whoever needs them moves them.
    """

    random: torch.Generator
    seat: Seat = ALONE

    def roll(self, rows: int, law: Callable[[int, torch.Generator], Tensor]) -> Tensor:
        """Draws one number, or several, for each of the seat's own rows [N, ...]; ``law`` draws them for any number."""
        return self.seat.take(law(self.seat.whole(rows), self.random))
