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

    rank: int = 0
    """Which one, from 0."""
    world_size: int = 1
    """Of how many."""

    def __str__(self) -> str:
        return f"{self.rank} of {self.world_size}"

    def batch_rows(self, own: int) -> int:
        """How many rows the batch has of which ``own`` are those of this seat."""
        return own * self.world_size

    def own_rows(self, batch: int) -> range:
        """The rows of this seat in a batch of so many: one block, as long as that of each other seat."""
        rows = batch // self.world_size
        return range(self.rank * rows, (self.rank + 1) * rows)

    def take(self, batch: Tensor) -> Tensor:
        """The rows of this seat [N / world_size, ...] of a batch [N, ...]."""
        own = self.own_rows(len(batch))
        return batch[own.start : own.stop]


ONLY_SEAT = Seat()


@dataclass(frozen=True, slots=True)
class Dice:
    """The random numbers of the rows at one seat.

    They are drawn on the CPU, so that they are the same wherever they are needed; whoever needs them moves them.
    """

    random: torch.Generator
    seat: Seat = ONLY_SEAT

    def roll(self, rows: int, law: Callable[[int, torch.Generator], Tensor]) -> Tensor:
        """Draws one number, or several, for each of the seat's own rows [N, ...]; ``law`` draws them for any number."""
        return self.seat.take(law(self.seat.batch_rows(rows), self.random))
