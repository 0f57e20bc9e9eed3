"""One search for the latent of a picture.

    starts  ->  the most similar one  ->  step  ->  step  ->  ...
                                            |         |
                                          best so far: the find that the caller gets

Each step takes its turn on the device among the pictures of others.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np
import torch
from torch import Tensor

from latentwalk.gan.inversion import Look, Search
from latentwalk.rpc.errors import NotServing
from latentwalk.server.device import RemoteSearcher
from latentwalk.server.engine import Row
from latentwalk.server.orders import Order
from latentwalk.server.scheduler import Late, Stream


@dataclass(frozen=True, slots=True)
class SearchOrder:
    """A valid request for a search."""

    starts: Order
    """The pictures among which it begins, one a row, and how all is drawn."""
    space: str
    """In which it searches: "z", "w" or "w+"."""
    target: Tensor
    """The picture to be found."""
    mask: Tensor | None
    """How much its pixels count; None for all alike. As of a Search."""
    z: Tensor
    """[N, Z]: the starts, for a search in z."""
    condition: Tensor | None
    """[N, K], as of z; None without classes."""
    steps: int
    prior: float
    lpips: float
    """Its weight."""
    report_every: int
    """The caller is told after so many steps."""

    def nearest(self, pictures: Sequence[bytes]) -> int:
        """Which of the starts is the most like the given picture, by the squared error where that counts.

        These are their pixels.
        """
        target = self.target.numpy().astype(np.float32)
        shares = np.float32(1) if self.mask is None else self.mask.numpy()[:, :, None].astype(np.float32)
        drawn = (np.frombuffer(picture, np.uint8).reshape(target.shape) for picture in pictures)
        return int(np.argmin([(shares * np.square(pixels - target)).mean() for pixels in drawn]))

    def search_from(self, start: int, row: Row) -> Search:
        """The search that begins at that start, which is drawn as this row."""
        code, condition = torch.from_numpy(row.code), None
        if self.space == "z":
            code, condition = self.z[start], None if self.condition is None else self.condition[start]
        elif self.space == "w":
            code = code.mean(dim=0)
        return Search(
            self.space,
            self.target,
            code,
            condition,
            steps=self.steps,
            prior=self.prior,
            strict=self.starts.delivery.strict,
            lpips=self.lpips,
            mask=self.mask,
        )


@dataclass(frozen=True, slots=True)
class Find:
    """The best that a search has seen so far."""

    search: Search
    """As it stood then: its code is what was found."""
    picture: bytes
    """Of that code, as pixels."""
    error: float
    lpips: float
    """As of a Look, as all else."""
    distance: float


class Seeker(Late):
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

    async def finds(
        self, stream: "SearchStream", every: int, draining: asyncio.Event
    ) -> AsyncIterator[tuple[int, Find]]:
        """How many steps were taken, and the best so far: before the first, after each `every`-th, and after the last.

        Raises what taking a picture from the stream raises; and NotServing once `draining` is set, unless the step in
        work was the last one, after the best that it has led to.
        """
        stream.begin(self.works())
        last = self.looks - 1
        for step in range(self.looks):
            best = self._looked(*await stream.take(1))
            ends = draining.is_set()
            if step % every == 0 or step == last or ends:
                yield step, best
            if ends and step < last:
                raise NotServing(f"the service is shutting down after step {step:,} of {last:,} of the search")

    def _looked(self, look: Look) -> Find:
        """The best so far, with this look; the search stands after it from now on."""
        if self._best is None or look.distance < self._best.distance:
            self._best = Find(self._search, look.picture.numpy().tobytes(), look.error, look.lpips, look.distance)
        self._search = look.after
        return self._best


SearchStream = Stream[RemoteSearcher, Seeker, Look]
