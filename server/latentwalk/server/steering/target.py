"""Rows that are settled when the device comes to them, and not when they are queued."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from latentwalk.server.engine import Row
from latentwalk.server.orders import Order
from latentwalk.server.scheduler import Late
from latentwalk.server.steering.inbox import Arrival


@dataclass(frozen=True, slots=True)
class Aim:
    """A position of the caller, the valid order that it amounts to, and the rows of that."""

    arrival: Arrival
    order: Order
    rows: Sequence[Row]


class Target:
    """What one interactive stream has waiting in the scheduler; it keeps its place there when its aim is replaced."""

    def __init__(self, aim: Aim) -> None:
        self._aim = aim
        self._is_settled = False

    @property
    def aim(self) -> Aim:
        """What is drawn, as far as is known now; it is final once a picture has come."""
        return self._aim

    @property
    def is_settled(self) -> bool:
        """Whether the device has come to it, so that the aim stays what it is."""
        return self._is_settled

    def replace(self, aim: Aim) -> bool:
        """Aims anew; False, and nothing changes, if it is settled, or needs another model or number of rows."""
        order, former = aim.order, self._aim.order
        if self._is_settled or order.model.engine is not former.model.engine or order.frames.rows != former.frames.rows:
            return False
        self._aim = aim
        return True

    def works(self) -> "Iterator[LateRow]":
        """One for each row."""
        return (LateRow(self, index) for index in range(len(self._aim.rows)))

    def settle(self, index: int) -> Row:
        """The row of that index, of the aim that all rows are drawn for from now on."""
        self._is_settled = True
        return self._aim.rows[index]


@dataclass(frozen=True, slots=True)
class LateRow(Late):
    """A row of a target."""

    target: Target
    index: int

    def settle(self) -> Row:
        """The row, for good."""
        return self.target.settle(self.index)
