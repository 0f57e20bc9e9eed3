"""Searches for the latents of given pictures, on the device of an engine."""

from collections import defaultdict
from collections.abc import Sequence
from functools import cache, partial

import torch

from latentwalk.gan.generator import Generator
from latentwalk.gan.inversion import Look, Search, scale_of, take_step
from latentwalk.server.engine.memory import memory_watched
from latentwalk.server.engine.pixels import NonFinitePicture

Sight = Look | Exception
"""What a search saw, on the CPU, or why it saw nothing."""


class Searcher:
    """Has searches take steps with a frozen generator, in plain fp32: the fast forms have no gradients."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self._scale = cache(partial(scale_of, generator))

    def step(self, searches: Sequence[Search]) -> list[Sight]:
        """One step of each; NonFinitePicture for one whose picture has no finite pixels. Raises DeviceOutOfMemory.

        Those in one space take it together, a strict one alone.
        """
        groups: dict[str | int, list[int]] = defaultdict(list)
        for place, search in enumerate(searches):
            groups[place if search.strict else search.space].append(place)
        sights: dict[int, Sight] = {}
        for places in groups.values():
            with memory_watched():
                sights.update(zip(places, self._step([searches[place] for place in places]), strict=True))
        return [sights[place] for place in range(len(searches))]

    def _step(self, searches: Sequence[Search]) -> list[Sight]:
        device, home = self._generator.device, torch.device("cpu")
        moved = [search.to(device) for search in searches]
        looks = take_step(self._generator, moved, self._scale(searches[0].space))
        return [look.to(home) if look.is_finite else NonFinitePicture("a pixel is NaN or infinite") for look in looks]
