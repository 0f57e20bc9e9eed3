"""Which pictures wait for the device, and which go next. Plain data: no threads, and no clock of its own."""

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

Model = TypeVar("Model")
Work = TypeVar("Work")


class Lane(Generic[Model, Work]):
    """The pictures of one stream that wait, in their order; all of one model, and of use until `deadline`."""

    def __init__(self, model: Model, deadline: float) -> None:
        self.model = model
        self.deadline = deadline
        self.waiting: deque[Work] = deque()


AnyLane = TypeVar("AnyLane", bound=Lane[Any, Any])


@dataclass(slots=True)
class Taken(Generic[AnyLane]):
    """What was taken: a batch of one model, and the lanes found to be past their deadline.

    `expired` has the lane and how many waiting pictures it lost.
    """

    batch: list[tuple[AnyLane, Any]] = field(default_factory=list)
    expired: list[tuple[AnyLane, int]] = field(default_factory=list)


class Backlog(Generic[AnyLane]):
    """At most `limit` waiting pictures, of any number of lanes.

    Models take turns by the batch, and the lanes of a model by the picture. So the first picture of a newcomer goes out
    with one of the next batches, however much the others have asked for, and none of them starves.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._size = 0
        self._rings: OrderedDict[Any, OrderedDict[AnyLane, None]] = OrderedDict()

    def __len__(self) -> int:
        return self._size

    @property
    def room(self) -> int:
        """How many more pictures may wait."""
        return self.limit - self._size

    def add(self, lane: AnyLane, work: Any) -> None:
        """Puts a picture at the end of its lane. Raises OverflowError when there is no room."""
        if self._size >= self.limit:
            raise OverflowError(f"{self._size} pictures wait; the limit is {self.limit}")
        self._size += 1
        lane.waiting.append(work)
        self._rings.setdefault(lane.model, OrderedDict())[lane] = None

    def remove(self, lane: AnyLane) -> int:
        """Drops whatever of the lane still waits, and returns how many pictures that were."""
        dropped = len(lane.waiting)
        lane.waiting.clear()
        self._size -= dropped
        self._leave(lane)
        return dropped

    def take(self, most: int, now: float) -> Taken[AnyLane]:
        """Takes up to `most` pictures of the model whose turn it is; `now` is on the clock of the deadlines."""
        taken: Taken[AnyLane] = Taken()
        while self._rings and not taken.batch:
            model, ring = next(iter(self._rings.items()))
            self._rings.move_to_end(model)
            while ring and len(taken.batch) < most:
                self._take_one(ring, now, taken)
        return taken

    def _take_one(self, ring: OrderedDict[AnyLane, None], now: float, taken: Taken[AnyLane]) -> None:
        lane = next(iter(ring))
        if lane.deadline <= now:
            taken.expired.append((lane, self.remove(lane)))
            return
        taken.batch.append((lane, lane.waiting.popleft()))
        self._size -= 1
        if lane.waiting:
            ring.move_to_end(lane)
        else:
            self._leave(lane)

    def _leave(self, lane: AnyLane) -> None:
        ring = self._rings.get(lane.model)
        if ring is not None:
            ring.pop(lane, None)
            if not ring:
                del self._rings[lane.model]
