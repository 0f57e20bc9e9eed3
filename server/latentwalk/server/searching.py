"""One search for the latent of a picture.

    starts  ->  the most similar one  ->  step  ->  step  ->  ...
                                            |         |
                                          best so far: the find that the caller gets

Each step takes its turn on the device among the pictures of others.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np

from latentwalk.gan.inversion import Look, Search
from latentwalk.server.device import RemoteSearcher
from latentwalk.server.paths import Order
from latentwalk.server.scheduler import Stream


@dataclass(frozen=True, slots=True)
class SearchOrder:
    """A valid request for a search."""

    starts: Order
    """The pictures among which it begins, one a row, and how all is drawn."""
    searches: Sequence[Search]
    """What would begin at each of them."""
    report_every: int
    """The caller is told after so many steps."""

    def nearest(self, pictures: Sequence[bytes]) -> int:
        """Which of the starts is the most like the given picture, by the squared error; these are their pixels."""
        target = self.searches[0].target.numpy().astype(np.float32).ravel()
        errors = [np.square(np.frombuffer(picture, np.uint8) - target).mean() for picture in pictures]
        return int(np.argmin(errors))


@dataclass(frozen=True, slots=True)
class Find:
    """The best that a search has seen so far."""

    search: Search
    """As it stood then: its code is what was found."""
    picture: bytes
    """Of that code, as pixels."""
    error: float


class Seeker:
    """Takes the steps of one search through a stream, which must have a credit of 1: each is made of the one before."""

    def __init__(self, search: Search) -> None:
        self._search = search
        self._best: Find | None = None
        self.looks = search.steps + 1
        """How many pictures it looks at: also at the one that the last step has led to."""

    def works(self) -> "Iterator[Seeker]":
        """One for each look."""
        return repeat(self, self.looks)

    def settle(self) -> Search:
        """Where the search stands when the device comes to it."""
        return self._search

    async def finds(self, stream: "SearchStream", every: int) -> AsyncIterator[tuple[int, Find]]:
        """How many steps were taken, and the best so far: before the first, after every so manieth and after the last.

        Raises what taking a picture from the stream raises.
        """
        stream.begin(self.works())
        for step in range(self.looks):
            [look] = await stream.take(1)
            if self._best is None or look.error < self._best.error:
                self._best = Find(self._search, look.picture.numpy().tobytes(), look.error)
            self._search = look.after
            if step % every == 0 or step == self.looks - 1:
                yield step, self._best


SearchStream = Stream[RemoteSearcher, Seeker, Look]
