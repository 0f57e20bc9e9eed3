"""Searches for the latents of given pictures, on the device of an engine."""

import logging
from collections import defaultdict
from collections.abc import Sequence
from functools import cache, partial

import torch

from latentwalk.gan.errors import GanError
from latentwalk.gan.generator import Generator
from latentwalk.gan.inversion import Look, Search, scale_of, take_step
from latentwalk.server.engine.memory import memory_watched
from latentwalk.server.engine.perception import Perception
from latentwalk.server.engine.pixels import NonFinitePicture

Sight = Look | Exception
"""What a search saw, on the CPU, or why it saw nothing."""

_log = logging.getLogger("latentwalk.device")


class Searcher:
    """Has searches take steps with a frozen generator, in plain fp32: the fast forms have no gradients."""

    def __init__(self, generator: Generator, perception: Perception | None = None) -> None:
        self._generator, self._perception = generator, perception or Perception()
        self._scale = cache(partial(scale_of, generator))

    def warm(self) -> None:
        """Reads the network of LPIPS, if it was said where it lies, so that no search holds up others for it."""
        if self._perception.backbone:
            try:
                self._perception.check(self._generator.spec)
                self._perception.on(self._generator.device)
            except GanError as error:
                _log.warning("searches cannot go by LPIPS: %s", error)

    def step(self, searches: Sequence[Search]) -> list[Sight]:
        """One step of each; NonFinitePicture for one whose picture has no finite pixels. Raises DeviceOutOfMemory.

        Those in one space take it together, those with LPIPS apart from others, and a strict one alone.
        """
        groups: dict[object, list[int]] = defaultdict(list)
        for place, search in enumerate(searches):
            groups[place if search.strict else (search.space, search.lpips > 0)].append(place)
        sights: dict[int, Sight] = {}
        for places in groups.values():
            with memory_watched():
                sights.update(zip(places, self._step([searches[place] for place in places]), strict=True))
        return [sights[place] for place in range(len(searches))]

    def _step(self, searches: Sequence[Search]) -> list[Sight]:
        device, home = self._generator.device, torch.device("cpu")
        moved = [search.to(device) for search in searches]
        perceived = self._perception.on(device) if searches[0].lpips else None
        looks = take_step(self._generator, moved, self._scale(searches[0].space), perceived)
        return [look.to(home) if look.is_finite else NonFinitePicture("a pixel is NaN or infinite") for look in looks]
