"""What waits of one stream, and on which terms. Plain data."""

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass
from enum import IntEnum
from math import nan
from typing import Any, Generic, TypeVar

from latentwalk.server.scheduler.worker import Worker

Model = TypeVar("Model", bound=Worker)
Work = TypeVar("Work")

Family = tuple[Any, bool]
"""What may share a batch: the model, and whether it is strict."""

DEFAULT_FPS = 24.0
"""Frames per second that are wanted of a stream which does not say."""


class Priority(IntEnum):
    """Who goes first; the lowest number does."""

    HIGH = 0
    NORMAL = 1
    LOW = 2


@dataclass(frozen=True, slots=True)
class Terms:
    """How a stream is to be served."""

    deadline: float = float("inf")
    """Until when its pictures are of use."""
    rows: int = 1
    """How many pictures make a frame."""
    strict: bool = False
    """Whether its pictures may share a batch only with others that are strict."""
    priority: Priority = Priority.NORMAL
    fps: float = DEFAULT_FPS
    """How many frames a second are wanted."""
    client: Hashable = None
    """Whose it is. Clients get equal shares of a device that cannot serve them all in time."""


class Lane(Generic[Model, Work]):
    """The works of one stream that wait, in their order, to be drawn by `model`."""

    def __init__(self, model: Model, terms: Terms) -> None:
        self.model = model
        self.terms = terms
        self.family: Family = (model, terms.strict)
        self.waiting: deque[Work] = deque()
        self.due = nan
        """When its next frame is wanted; unknown until the first of its works waits."""
        self.gone = 0
        """How many pictures have left the backlog for the device."""
        self.place = 0
        """Its entry in the order of the backlog; 0 while nothing of it waits."""
        self.since = 0.0
        """Since when its next picture has waited."""

    @property
    def beginners(self) -> int:
        """How many pictures of its first frame wait."""
        return min(max(self.terms.rows - self.gone, 0), len(self.waiting))
