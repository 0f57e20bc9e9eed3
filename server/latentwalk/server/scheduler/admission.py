"""Who is let in: nobody who would wait for too long, or could not be served in time."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from latentwalk.server.scheduler.backlog import Backlog
from latentwalk.server.scheduler.errors import DeadlinePassed, QueueFull
from latentwalk.server.scheduler.experience import Experiences
from latentwalk.server.scheduler.lane import Family, Priority
from latentwalk.server.scheduler.newcomers import Newcomer, Newcomers

# A burst may fill the queue, and is drawn before as much time has passed. A queue that does not run empty by then is
# overload, and only this part may be filled: else everybody would wait for as long as possible, for nothing (after
# Nichols and Jacobson, "Controlling queue delay", 2012).
_LASTING_PART = 0.125
# But so many full batches may wait, as far as the most allows: one that the device takes next, and one to be filled
# meanwhile. Those of a model that takes long may wait before all: else whoever wants it would keep out all others.
_BATCHES_AHEAD = 2
_SHORTEST_RETRY_SECONDS = 0.05
# When nothing tells how long it will take.
_RETRY_SECONDS_UNKNOWN = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may wait.

    Attributes:
        batch: the most pictures of one batch.
        queued: the most pictures that may wait, over all streams.
        streams: the most streams that may be open.
        queue_seconds: the most seconds on the device that the first frames which wait may amount to; less by every
            second since they last were none, down to an eighth, or two full batches if that is more. One full batch may
            always wait. It is one of the newcomer's model, or of what waits, if that takes longer.

    """

    batch: int
    queued: int
    streams: int
    queue_seconds: float = inf


class Admission:
    """Refuses newcomers by what waits now and what batches have cost so far.

    Only first frames stand before a newcomer: later frames of others are overtaken, however many of them wait. Nobody
    has come before `now`.
    """

    def __init__(self, limits: Limits, backlog: Backlog[Any], experiences: Experiences, now: float) -> None:
        self._limits = limits
        self._backlog = backlog
        self._experiences = experiences
        self.newcomers = Newcomers()
        """For whoever lets them in to note, and when they have begun or left."""
        # When nothing waited that goes before a newcomer of that priority.
        self._last_empty = [now] * len(Priority)

    def check(self, newcomer: Newcomer, *, streams: int, owed: int) -> None:
        """Returns if it may come in beside so many streams, of which so many are owed room for their next picture.

        Raises QueueFull, and DeadlinePassed.
        """
        if streams >= self._limits.streams:
            raise QueueFull(f"{streams:,} requests are being served, which is the most", _RETRY_SECONDS_UNKNOWN)
        self._check_room(newcomer, owed + self.newcomers.pictures)
        self._check_seconds(newcomer)

    def look(self, now: float) -> None:
        """Notes who would find nothing waiting now; to be called whenever a batch was taken.

        Newcomers alone would tell by chance: what is there when one comes has often come in the same moment.
        """
        for priority in Priority:
            if any(self._waiting(priority, now).values()):
                break
            self._last_empty[priority] = now

    def _check_room(self, newcomer: Newcomer, owed: int) -> None:
        waiting, limit = len(self._backlog), self._limits.queued
        if (over := waiting + owed + newcomer.pictures - limit) > 0:
            raise QueueFull(
                f"the queue holds {waiting:,} pictures of at most {limit:,}, and has no room for "
                f"{newcomer.pictures:,} more",
                self._retry_seconds(self._experiences[newcomer.family].seconds(over)),
            )

    def _check_seconds(self, newcomer: Newcomer) -> None:
        now = newcomer.came
        experience = self._experiences[newcomer.family]
        own = experience.seconds(newcomer.pictures)
        if own > newcomer.seconds:
            raise DeadlinePassed(f"the first frame takes {own:.2g} s, and the deadline is in {newcomer.seconds:.2g} s")
        pictures = self._waiting(newcomer.priority, now)
        waiting = {family: self._experiences[family].seconds(count) for family, count in pictures.items()}
        before = sum(waiting.values())
        if not any(pictures.values()):
            self.look(now)
        batch_seconds = max(experience.full_seconds, self._full_seconds(waiting))
        budget = self._budget(newcomer.priority, now, batch_seconds)
        if (over := before - min(budget, newcomer.seconds - own)) > 0:
            deadline = f", and its deadline is in {newcomer.seconds:.2g} s" if newcomer.seconds < inf else ""
            raise QueueFull(
                f"{before:.2g} s of work wait before this request; the most is {budget:.2g} s{deadline}",
                self._retry_seconds(over),
            )

    def _budget(self, priority: Priority, now: float, batch_seconds: float) -> float:
        """How many seconds of work may wait before a newcomer where a full batch takes so long."""
        most = self._limits.queue_seconds
        burst = most - (now - self._last_empty[priority])
        lasting = min(most, max(_LASTING_PART * most, _BATCHES_AHEAD * batch_seconds))
        return max(burst, lasting, batch_seconds)

    def _waiting(self, priority: Priority, now: float) -> dict[Family, int]:
        """How many pictures of first frames wait, or soon will, and go before one of this priority."""
        pictures = {family: self._backlog.beginners(family, priority) for family in self._backlog.families}
        for one in self.newcomers.soon(priority, now):
            pictures[one.family] = pictures.get(one.family, 0) + one.pictures
        return pictures

    def _full_seconds(self, waiting: Mapping[Family, float]) -> float:
        """How long a full batch takes, on average over so many seconds of work."""
        full = sum(seconds * self._experiences[family].full_seconds for family, seconds in waiting.items())
        return full / (sum(waiting.values()) or 1.0)

    def _retry_seconds(self, seconds: float) -> float:
        return max(_SHORTEST_RETRY_SECONDS, seconds) if seconds else _RETRY_SECONDS_UNKNOWN
