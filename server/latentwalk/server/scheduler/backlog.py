"""Which pictures wait for the device, and which go next. Plain data: no threads, and no clock of its own.

The order: the higher priority first; among equals, what is wanted first. Frame i of a stream is wanted i / fps after it
came, or, for one that the device cannot keep up with, when it is the turn of its client: whoever has many streams waits
longer for each, and those who wait for their first frame get it in the order in which they came. A first frame is
wanted at once, and has a head start. Every few batches, those who have waited longest go first, whoever they are: so
nobody starves.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import count
from math import isnan
from typing import Any, Generic, TypeVar

from latentwalk.server.scheduler.lane import DEFAULT_FPS, Family, Lane, Priority

OLDEST_TURN = 4
"""One batch in so many goes to those who have waited longest. So each of n waiting lanes gets a picture within
OLDEST_TURN * n batches after PATIENCE_SECONDS, whatever its priority and whatever else comes."""
PATIENCE_SECONDS = 0.5
"""Who has waited for less than this is served in the common order only."""

# A first frame is preferred to a later frame of others that has been due for less than this.
_HEAD_START_SECONDS = 0.5
# The pictures per second that a client with one stream is granted, as a weight against others, when all are late.
_FAIR_RATE = DEFAULT_FPS

AnyLane = TypeVar("AnyLane", bound=Lane[Any, Any])


@dataclass(slots=True)
class Taken(Generic[AnyLane]):
    """What was taken: a batch of one family, works that were not to be drawn, and the lanes past their deadline.

    `expired` has the lane and how many waiting pictures it lost.
    """

    family: Family | None = None
    batch: list[Any] = field(default_factory=list)
    spared: list[Any] = field(default_factory=list)
    expired: list[tuple[AnyLane, int]] = field(default_factory=list)


@dataclass(slots=True)
class _Client:
    """How many lanes of a client wait, and which of all came last."""

    lanes: int = 0
    newest: Lane[Any, Any] | None = None


class _Group(Generic[AnyLane]):
    """The lanes of one family that have something waiting, in both orders."""

    def __init__(self) -> None:
        self.urgent: list[tuple[int, float, int, AnyLane]] = []
        """A heap of (priority, due, place, lane); an entry is void when its place is no longer that of its lane."""
        self.oldest: dict[AnyLane, None] = {}
        """All lanes, the one first that has waited longest."""
        self.beginners = [0] * len(Priority)
        """How many pictures of first frames wait, by priority."""

    def most_urgent(self) -> tuple[int, float, int, AnyLane]:
        while (top := self.urgent[0])[2] != top[3].place:
            heappop(self.urgent)
        return top

    def longest_waiting(self) -> AnyLane:
        return next(iter(self.oldest))

    def tidy(self) -> None:
        """Throws the void entries away when they are the greater part."""
        if len(self.urgent) > 2 * len(self.oldest) + 8:
            self.urgent = [entry for entry in self.urgent if entry[2] == entry[3].place]
            heapify(self.urgent)


class Backlog(Generic[AnyLane]):
    """The waiting pictures of any number of lanes. Adding, removing and taking cost O(log lanes) a frame."""

    def __init__(self) -> None:
        self._size = 0
        self._groups: defaultdict[Family, _Group[AnyLane]] = defaultdict(_Group)
        # Those of whom something waits.
        self._clients: defaultdict[Hashable, _Client] = defaultdict(_Client)
        self._places = count(1)
        self._turn = 0

    def __len__(self) -> int:
        return self._size

    @property
    def families(self) -> Iterable[Family]:
        """Those of which something waits."""
        return self._groups.keys()

    @property
    def foremost(self) -> tuple[Priority, Family]:
        """The priority and the family of the most urgent picture; there must be one."""
        family = min(self._groups, key=lambda key: self._groups[key].most_urgent()[:3])
        return Priority(self._groups[family].most_urgent()[0]), family

    @property
    def later(self) -> int:
        """How many of the waiting pictures are not of a first frame."""
        return self._size - sum(sum(group.beginners) for group in self._groups.values())

    def beginners(self, family: Family, priority: Priority = Priority.LOW) -> int:
        """How many pictures of first frames of that priority, or a higher one, wait."""
        group = self._groups.get(family)
        return sum(group.beginners[: priority + 1]) if group else 0

    def add(self, lane: AnyLane, works: Sequence[Any], now: float, *, spared: int = 0) -> None:
        """Puts works at the end of a lane, of which others need not be drawn and were `spared`."""
        begun, idle = lane.beginners, not lane.waiting
        lane.gone += spared
        lane.due += spared / (lane.terms.rows * lane.terms.fps)
        lane.waiting.extend(works)
        self._size += len(works)
        if idle and works:
            self._enter(lane, now)
        if lane.waiting:
            self._groups[lane.family].beginners[lane.terms.priority] += lane.beginners - begun

    def remove(self, lane: AnyLane) -> int:
        """Drops whatever of the lane still waits, and returns how many pictures that were."""
        dropped = len(lane.waiting)
        if dropped:
            group = self._groups[lane.family]
            group.beginners[lane.terms.priority] -= lane.beginners
            lane.waiting.clear()
            self._size -= dropped
            self._leave(group, lane)
        return dropped

    def take(
        self,
        seats: Callable[[Family, int, int], int],
        now: float,
        must_draw: Callable[[Any], bool] = lambda work: True,
    ) -> Taken[AnyLane]:
        """Takes works of the family whose turn it is, up to `seats(family, lanes, beginners)`.

        So many lanes of the family wait, and so many pictures of first frames; 0 where it is not the turn of any.

        `now` is on the clock of the deadlines.

        `must_draw` is asked when the turn of a work comes; one that need not be drawn takes no seat of the batch.
        """
        taken: Taken[AnyLane] = Taken()
        self._turn += 1
        while self._groups and not taken.batch:
            family, by_age = self._choose(now)
            taken.family = family
            group = self._groups[family]
            is_first = not by_age and group.most_urgent()[3].beginners
            most = seats(family, len(group.oldest), sum(group.beginners) if is_first else 0)
            while group.oldest and len(taken.batch) < most:
                lane = group.longest_waiting() if by_age else group.most_urgent()[3]
                if lane.terms.deadline <= now:
                    taken.expired.append((lane, self.remove(lane)))
                else:
                    self._take_frame(lane, most, now, must_draw, taken)
        return taken

    def _choose(self, now: float) -> tuple[Family, bool]:
        """The family whose turn it is, and whether those go first who have waited longest."""
        if self._turn % OLDEST_TURN == 0:
            family = min(self._groups, key=lambda key: self._groups[key].longest_waiting().since)
            if self._groups[family].longest_waiting().since < now - PATIENCE_SECONDS:
                return family, True
        return self.foremost[1], False

    def _take_frame(
        self, lane: AnyLane, most: int, now: float, must_draw: Callable[[Any], bool], taken: Taken[AnyLane]
    ) -> None:
        """Takes the next work of a lane and the others of its frame, as far as they wait and `most` allows."""
        group = self._groups[lane.family]
        begun, size = lane.beginners, len(lane.waiting)
        left = lane.terms.rows - lane.gone % lane.terms.rows
        while lane.waiting and left and len(taken.batch) < most:
            work = lane.waiting.popleft()
            left -= 1
            lane.gone += 1
            (taken.batch if must_draw(work) else taken.spared).append(work)
        self._size -= size - len(lane.waiting)
        group.beginners[lane.terms.priority] -= begun - lane.beginners
        if left == 0:
            lane.due = max(lane.due + 1 / lane.terms.fps, now + lane.terms.rows * self._turn_seconds(lane.terms.client))
        if lane.waiting:
            del group.oldest[lane]
            self._line_up(group, lane, now)
        else:
            self._leave(group, lane)

    def _turn_seconds(self, client: Hashable) -> float:
        """How long a stream of this client waits between two pictures if all its streams share one fair rate."""
        return self._clients[client].lanes / _FAIR_RATE

    def _enter(self, lane: AnyLane, now: float) -> None:
        group = self._groups[lane.family]
        client = self._clients[lane.terms.client]
        client.lanes += 1
        if isnan(lane.due):
            lane.due = now + self._turn_seconds(lane.terms.client) - _HEAD_START_SECONDS
            if client.newest and client.newest.beginners:
                # Not before who came earlier, when there were more of them.
                lane.due = max(lane.due, client.newest.due)
            client.newest = lane
        self._line_up(group, lane, now)

    def _line_up(self, group: _Group[AnyLane], lane: AnyLane, now: float) -> None:
        lane.place, lane.since = next(self._places), now
        heappush(group.urgent, (lane.terms.priority, lane.due, lane.place, lane))
        group.oldest[lane] = None
        group.tidy()

    def _leave(self, group: _Group[AnyLane], lane: AnyLane) -> None:
        lane.place = 0
        del group.oldest[lane]
        if not group.oldest:
            del self._groups[lane.family]
        client = self._clients[lane.terms.client]
        client.lanes -= 1
        if not client.lanes:
            del self._clients[lane.terms.client]
