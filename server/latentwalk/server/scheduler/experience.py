"""What was learned about drawing with each model: what batches cost, and how large they may be."""

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from latentwalk.server.scheduler.bucket import Bucket
from latentwalk.server.scheduler.cost import BatchCost
from latentwalk.server.scheduler.lane import Family

# A batch that takes so many times as long per picture as the best one is large enough.
_NEAR_THE_BEST = 1.1
# Later frames share the batch of first frames as long as it takes no more than so many times as long with them.
_HASTE = 1.5
# A batch takes no more than so many times as long as it should, however busy the machine is, unless the device hangs.
_PATIENCE = 5.0
LONGEST_SECONDS = 1.0
"""A batch takes no longer than this as long as a smaller one can be had: nobody else is drawn for meanwhile."""


class Experience:
    """Of one family: a model, `strict` or not, of which the cost of batches that are not may have been measured."""

    def __init__(self, most: int, measured: Mapping[int, float], longest: float, *, strict: bool = False) -> None:
        learned = {} if strict else measured
        self.cost = BatchCost(learned)
        self.bucket = Bucket(most)
        self.enough = _enough(learned, most)
        """How many pictures the device needs at once to be near its best."""
        self._longest = longest
        # What each picture takes in the smallest batch, which is what strict ones are drawn in.
        self._alone = max((seconds / size for size, seconds in measured.items()), default=0.0)

    def seats(self, lanes: int, beginners: int) -> int:
        """How many pictures the next batch may have while so many streams wait, and so many pictures of first frames.

        As many as the device needs to be near its best: with more, all would wait longer for little, those most who
        come meanwhile. Among many streams, half of them: while some are drawn, the others' callers get theirs. Never so
        many that it would take long. And where first frames are to be drawn, hardly more than these: whoever waits for
        one looks at nothing yet, or is steering.
        """
        wanted = min(self.bucket.size, max(self.enough, lanes // 2), self._brief)
        return min(wanted, max(beginners, self._beside(beginners))) if beginners else wanted

    def _beside(self, beginners: int) -> int:
        """How many pictures take hardly longer than so many do; any number for as long as nothing is known."""
        if not self.cost.per_picture:
            return self.bucket.most
        return int(_HASTE * beginners + (_HASTE - 1) * self.cost.per_batch / self.cost.per_picture)

    @property
    def _brief(self) -> int:
        """How many pictures do not take long; any number for as long as nothing is known."""
        if not self.cost.per_picture:
            return self.bucket.most
        return max(1, int((self._longest - self.cost.per_batch) / self.cost.per_picture))

    @property
    def full_seconds(self) -> float:
        """How long a full batch takes, the largest that is drawn at once; 0 for as long as nothing is known."""
        return self.seconds(min(self.bucket.size, self._brief))

    def went_well(self, pictures: int, seconds: float) -> None:
        """A batch of so many was drawn, and took so long."""
        self.cost.observe(pictures, seconds)
        self.bucket.went_well(pictures)

    def ran_out(self, pictures: int) -> None:
        """The device had no memory for so many at once."""
        self.bucket.ran_out(pictures)

    def expected(self, pictures: int) -> float:
        """How long a batch of so many takes; infinity for as long as nothing is known."""
        return self.seconds(pictures) if self.cost.known else float("inf")

    def patience(self, pictures: int) -> float:
        """How long a batch of so many may take before the device hangs; 0 for as long as nothing is known."""
        return _PATIENCE * (self.seconds(pictures) if self.cost.known else pictures * self._alone)

    def seconds(self, pictures: int) -> float:
        """How long so many pictures take on an otherwise idle device; 0 for as long as nothing is known."""
        return self.cost.seconds(pictures, self.bucket.size)


def _enough(measured: Mapping[int, float], most: int) -> int:
    """The smallest batch that is near the best; the largest one, `most`, if that was not measured: it may be better."""
    if most not in measured:
        return most
    paces = {size: seconds / size for size, seconds in measured.items()}
    return min(size for size, pace in paces.items() if pace <= _NEAR_THE_BEST * min(paces.values()))


class Experiences:
    """By family, for as long as its model lives. `most` is the most pictures of one batch."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._of: WeakKeyDictionary[Any, dict[bool, Experience]] = WeakKeyDictionary()

    def __getitem__(self, family: Family) -> Experience:
        model, strict = family
        kinds = self._of.get(model)
        if kinds is None:
            kinds = self._of[model] = {}
        if strict not in kinds:
            kinds[strict] = Experience(self._most, model.seconds, model.longest_seconds, strict=strict)
        return kinds[strict]
