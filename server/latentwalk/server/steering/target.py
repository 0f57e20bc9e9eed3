"""Rows that are settled when the device comes to them, and not when they are queued."""

from collections.abc import Iterator
from dataclasses import dataclass

from latentwalk.server.engine import Row
from latentwalk.server.paths import Order
from latentwalk.server.steering.inbox import Arrival


@dataclass(frozen=True, slots=True)
class Aim:
    """A position of the caller, and the valid order that it amounts to."""

    arrival: Arrival
    order: Order


class Target:
    """What one interactive stream has waiting in the scheduler; it keeps its place there when its aim is replaced."""

    def __init__(self, aim: Aim) -> None:
        self._aim = aim
        self._rows = list(aim.order.rows())
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
        rows = list(aim.order.rows())
        if aim.order.model.engine is not self._aim.order.model.engine or len(rows) != len(self._rows):
            return False
        if not self._is_settled:
            self._aim, self._rows = aim, rows
        return not self._is_settled

    def works(self) -> "Iterator[LateRow]":
        """One for each row."""
        return (LateRow(self, index) for index in range(len(self._rows)))

    def settle(self, index: int) -> Row:
        """The row of that index, of the aim that all rows are drawn for from now on."""
        self._is_settled = True
        return self._rows[index]


@dataclass(frozen=True, slots=True)
class LateRow:
    """A row of a target."""

    target: Target
    index: int

    def settle(self) -> Row:
        """The row, for good."""
        return self.target.settle(self.index)
