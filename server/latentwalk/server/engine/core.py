"""The engine itself."""

import copy
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from typing import NamedTuple

import torch

from latentwalk.gan.generator import Generator
from latentwalk.server.engine.choice import Choice
from latentwalk.server.engine.memory import memory_watched
from latentwalk.server.engine.perception import Perception
from latentwalk.server.engine.pixels import NonFinitePicture, Picture
from latentwalk.server.engine.plan import Plan, buckets_up_to, takes_too_long
from latentwalk.server.engine.rows import PictureSize, Row, sample_rows
from latentwalk.server.engine.runners import EagerRunner, Easel, Runner, Runners
from latentwalk.server.engine.searcher import Searcher
from latentwalk.server.engine.variants import REFERENCE, VARIANTS
from latentwalk.server.scheduler import DeviceOutOfMemory

_UNMEASURED_BATCH = 32

_log = logging.getLogger("latentwalk.engine")


def unmeasured(buckets: Iterable[int]) -> Choice:
    """Plain fp32 for each batch size, and no seconds."""
    return Choice(dict.fromkeys(buckets, REFERENCE), {}, 0.0, 0)


def _plan_of(choice: Choice) -> Plan:
    """What was not measured is planned as if time grew with the rows."""
    return Plan(choice.seconds if choice.seconds else {size: float(size) for size in choice.variants})


class _Place(NamedTuple):
    """A device, and what draws there."""

    runners: Mapping[int, Runner]
    """In the chosen forms, by batch size."""
    plain: Runner
    """In fp32."""


class Engine:
    """One frozen generator on one device, or a copy of it on each of several of a kind.

    Rows are drawn in batches of the few sizes that are warm (see Plan), so that nobody pays for the first use of a
    size; several devices share the rows evenly. Must be used by one thread at a time.
    """

    def __init__(
        self,
        generator: Generator,
        *devices: torch.device,
        choice: Choice | None = None,
        perception: Perception | None = None,
    ) -> None:
        self.spec = generator.spec
        self.generator = generator
        self.digest = generator.digest
        self.searcher = Searcher(generator, perception)
        """On the first of the devices."""
        self.size = PictureSize(self.spec.resolution, self.spec.resolution, self.spec.channels)
        self.choice = choice or unmeasured(buckets_up_to(_UNMEASURED_BATCH))
        self.lacks_memory = False
        """Whether there was none for the larger sizes when it was warmed."""
        self._plan = _plan_of(self.choice)
        copies = [generator, *(copy.deepcopy(generator) for _ in devices[1:])]
        self._places = [self._open(own.to(device), device) for own, device in zip(copies, devices, strict=True)]
        self._threads = ThreadPoolExecutor(len(devices), "device") if len(devices) > 1 else None

    @property
    def variants(self) -> Mapping[int, str]:
        """The name of the form that serves, by batch size."""
        return self.choice.variants

    @property
    def seconds(self) -> Mapping[int, float]:
        """How long a batch takes, by batch size, as far as that was measured: a first estimate for the scheduler."""
        return self.choice.seconds

    def warm(self) -> None:
        """Draws a batch of each size on each device, so that no request pays for what the first use costs.

        Sizes for which there was no time to measure them are measured by that. Those of which a batch takes too long
        are let go of, and those for which there is no memory. Raises NonFinitePicture if all that is drawn is none, and
        DeviceOutOfMemory if not even the smallest fits.
        """
        # The largest first: on CUDA, the others then fit into its memory.
        for size in sorted(self.seconds, reverse=True):
            with suppress(DeviceOutOfMemory):
                for place in self._places:
                    _ = place.runners[size]
        seconds = dict[int, float]()
        for size in sorted(self.variants):
            if takes_too_long(size, {**seconds, **self.seconds}):
                break
            try:
                seconds[size] = max(self._warmed(place.runners, size) for place in self._places)
            except DeviceOutOfMemory as error:
                if not seconds:
                    raise
                _log.warning("%s is drawn in batches of at most %d: for more, %s", self.digest, max(seconds), error)
                self.lacks_memory = True
                break
        self.searcher.warm()
        self._places = [one._replace(runners={size: one.runners[size] for size in seconds}) for one in self._places]
        self.choice = self.choice.completed(seconds)
        self._plan = _plan_of(self.choice)

    def _warmed(self, runners: Mapping[int, Runner], size: int) -> float:
        """How long a batch takes. Raises NonFinitePicture if all that is drawn is none, and DeviceOutOfMemory."""
        runner = runners[size]
        with memory_watched():
            taken = self._sampled(runner, size)
            if size not in self.seconds and takes_too_long(2 * size, {size: taken}):
                # What the first use costs must not speak against larger sizes.
                taken = min(taken, self._sampled(runner, size))
        return taken

    def _sampled(self, runner: Runner, size: int) -> float:
        """How long a batch takes. Raises NonFinitePicture if all that is drawn is none."""
        rows, started = sample_rows(self.generator, size), time.perf_counter()
        pictures = runner(rows)
        taken = time.perf_counter() - started
        if all(isinstance(picture, Exception) for picture in pictures):
            raise NonFinitePicture("whatever it draws has pixels that are NaN or infinite")
        return taken

    def draw(self, rows: Sequence[Row]) -> list[Picture]:
        """The pixels of each row, uint8 [H, W, C] in row-major bytes; NonFinitePicture for one that has none.

        A strict row is drawn in a batch of its own: no company can touch a bit of it. Raises DeviceOutOfMemory.
        """
        if self._threads is None:
            return self._draw_at(self._places[0], rows)
        share = -(-len(rows) // len(self._places))
        shares = [rows[start : start + share] for start in range(0, len(rows), share)]
        drawing = [
            self._threads.submit(self._draw_at, place, own) for place, own in zip(self._places, shares, strict=False)
        ]
        # Of all, before any may fail: a runner that still draws must not be given the next batch.
        wait(drawing)
        return [picture for drawn in drawing for picture in drawn.result()]

    def _draw_at(self, place: _Place, rows: Sequence[Row]) -> list[Picture]:
        pictures: dict[int, Picture] = {}
        for size, indices in self._batches(rows):
            padding = indices[-1:] * (size - len(indices))
            batch = [rows[index] for index in (*indices, *padding)]
            with memory_watched():
                pictures.update(zip(indices, place.runners[size](batch), strict=False))
        return [self._finished(pictures[index], row, place.plain) for index, row in enumerate(rows)]

    def _finished(self, picture: Picture, row: Row, plain: Runner) -> Picture:
        """The picture, or another: a form with a narrower range of numbers may overflow where plain fp32 does not."""
        if not isinstance(picture, NonFinitePicture) or {*self.variants.values()} == {REFERENCE}:
            return picture
        with memory_watched():
            return plain([row])[0]

    def _batches(self, rows: Sequence[Row]) -> Iterable[tuple[int, list[int]]]:
        """The size of each batch, and the indices of the rows that it draws."""
        yield from ((1, [index]) for index, row in enumerate(rows) if row.strict)
        others = [index for index, row in enumerate(rows) if not row.strict]
        start = 0
        for size in self._plan.split(len(others)):
            yield size, others[start : start + size]
            start += size

    def _open(self, generator: Generator, device: torch.device) -> _Place:
        forms = {name: VARIANTS[name](generator) for name in set(self.choice.variants.values())}
        draws = {size: forms[name] for size, name in self.choice.variants.items()}
        plain = EagerRunner(VARIANTS[REFERENCE](generator), generator, device)
        return _Place(Runners(Easel(generator, device), draws), plain)
