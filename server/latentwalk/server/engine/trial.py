"""The trial: which form of a generator is the fastest here, among those whose pixels are near enough to plain fp32's.

A form is refused if it cannot be built, if its pixels are too far from the reference's, or if a picture alone differs
from the same one in a batch by more than 1/255 (law 1). The fastest over all batch sizes leads. Another one may serve
at a size where it is faster still, but only if it drew the same bytes as the leader: so a picture does not change with
the number of its neighbours.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import inf

import numpy as np
import numpy.typing as npt
import torch

from latentwalk.gan.generator import Generator
from latentwalk.server.engine.choice import Choice, steady
from latentwalk.server.engine.memory import memory_watched
from latentwalk.server.engine.plan import takes_too_long
from latentwalk.server.engine.rows import Row, sample_rows
from latentwalk.server.engine.runners import Easel, Runner, Runners
from latentwalk.server.engine.variants import REFERENCE, VARIANTS, NotApplicable, worth_trying
from latentwalk.server.scheduler import DeviceOutOfMemory

_MOST_SAMPLES = 16
# What one form's samples may take of the whole budget.
_SAMPLING_SHARE = 1 / 40
_ROUNDS = 7
# More than the first use costs: of a picture that takes longer, it is no great part.
_FIRST_USE_SECONDS = 2.0
# Whoever takes this many times as long as the fastest at one size is not timed at the next.
_HOPELESS = 3.0
# Off on average by the tolerance, a picture may at its worst pixel be off by this many times as much.
MAX_OVER_MEAN = 32

_log = logging.getLogger("latentwalk.engine")

Pixels = npt.NDArray[np.int16]


class _Refused(Exception):
    """A form does not draw what it should."""


@dataclass(slots=True)
class _Contender:
    """A form that draws well enough, and how long it takes by batch size."""

    name: str
    runners: Mapping[int, Runner]
    pixels: Pixels
    mean_error: float
    max_error: int
    seconds: dict[int, float] = field(default_factory=dict[int, float])


class Trial:
    """One generator, on one device, within so many seconds, or a few pictures more.

    `clock` has seconds that only ever grow.
    """

    def __init__(
        self,
        generator: Generator,
        device: torch.device,
        buckets: Sequence[int],
        seconds: float,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._generator = generator
        self._easel = Easel(generator, device)
        self._buckets = buckets
        self._budget = seconds
        self._clock = clock
        self._deadline = clock() + seconds

    def choose(self, tolerance: float) -> Choice:
        """The fastest forms whose mean error is at most `tolerance` in 1/255, and MAX_OVER_MEAN times that anywhere.

        Plain fp32 if one or two pictures take all the time, as those of large generators do. Raises NonFinitePicture.
        """
        reference = self._runners(REFERENCE)
        row, seconds = sample_rows(self._generator, 1), inf
        for is_last in (False, True):  # what the first use costs must not count
            started = self._clock()
            truth = _draw(reference[1], row)
            seconds = min(seconds, self._clock() - started)
            if self._is_late and (is_last or seconds > _FIRST_USE_SECONDS):
                return self._filled({1: (REFERENCE, seconds)}, _Contender(REFERENCE, reference, truth, 0.0, 0))
        contenders = self._contenders(reference, seconds, tolerance)
        sizes = self._race(contenders)
        finishers = [one for one in contenders if one.seconds.keys() >= set(sizes)]
        leader = min(finishers, key=lambda one: sum(one.seconds[size] / size for size in sizes))
        alike = [one for one in contenders if np.array_equal(one.pixels, leader.pixels)]
        winners = {
            size: min((one for one in alike if size in one.seconds), key=lambda one: one.seconds[size])
            for size in sizes
        }
        return self._filled({size: (one.name, one.seconds[size]) for size, one in winners.items()}, leader)

    # -- whose pixels are near enough --------------------------------------------------------------------------------

    def _contenders(self, reference: Mapping[int, Runner], seconds: float, tolerance: float) -> list[_Contender]:
        """Those that draw what the reference draws, which takes so long for a picture."""
        affordable = int(self._budget * _SAMPLING_SHARE / seconds)
        rows = sample_rows(self._generator, min(max(2, affordable), _MOST_SAMPLES, self._buckets[-1]))
        truth = _alone(reference, rows)
        contenders = [_Contender(REFERENCE, reference, truth, 0.0, 0)]
        for name in worth_trying(self._budget):
            if name != REFERENCE and not self._is_late:
                try:
                    contenders.append(self._examine(name, rows, truth, tolerance))
                except (NotApplicable, _Refused) as reason:
                    _log.info("form %s of %s is left out: %s", name, self._generator.digest, reason)
                except Exception as error:  # noqa: BLE001 - a form that fails is no form of this generator
                    _log.warning("form %s of %s fails: %r", name, self._generator.digest, error)
        return contenders

    def _examine(self, name: str, rows: Sequence[Row], truth: Pixels, tolerance: float) -> _Contender:
        runners = self._runners(name)
        pixels = _alone(runners, rows)
        errors = np.abs(pixels - truth)
        mean, most = float(errors.mean()), int(errors.max())
        if mean > tolerance or most > tolerance * MAX_OVER_MEAN:
            raise _Refused(f"{mean:.3f}/255 off on average and {most}/255 at most, with a tolerance of {tolerance}")
        together = _together(runners, rows)
        if (apart := int(np.abs(together - pixels[: len(together)]).max())) > 1:
            raise _Refused(f"a picture alone and in a batch of {len(together)} differ by {apart}/255")
        return _Contender(name, runners, pixels, mean, most)

    def _runners(self, name: str) -> Mapping[int, Runner]:
        return Runners(self._easel, dict.fromkeys(self._buckets, VARIANTS[name](self._generator)))

    # -- who is the fastest ------------------------------------------------------------------------------------------

    def _race(self, contenders: Sequence[_Contender]) -> list[int]:
        """Time the contenders at each size that is of use, while there is time; returns the sizes that were timed.

        The rounds go over all sizes and contenders, so that a disturbance from outside meets all alike. In the first
        one, each is warmed before it is timed, and whoever is hopelessly slow at one size, or has no memory for it, is
        spared the next.
        """
        running, best = list(contenders), dict[int, float]()
        batches = {size: sample_rows(self._generator, size) for size in self._buckets}
        for size in self._buckets:
            if best and (self._is_late or takes_too_long(size, best)):
                break
            running = [one for one in running if self._warm(one, batches[size])]
            if not running:
                break
            best[size] = min(one.seconds[size] for one in running)
            running = [one for one in running if one.seconds[size] <= _HOPELESS * best[size]]
        for size, one in product([*best] * _ROUNDS, running):
            if self._is_late:
                break
            self._time(one, batches[size])
        return list(best)

    def _warm(self, one: _Contender, rows: Sequence[Row]) -> bool:
        """Draw, then draw and look at the clock; whether there was memory for it."""
        try:
            with memory_watched():
                one.runners[len(rows)](rows)
                self._time(one, rows)
                self._time(one, rows)
        except DeviceOutOfMemory as error:
            _log.info("form %s of %s draws no %d at once: %s", one.name, self._generator.digest, len(rows), error)
            return False
        return True

    def _time(self, one: _Contender, rows: Sequence[Row]) -> None:
        """Draw once, and keep the shortest time: what disturbs a measurement only makes it longer."""
        size, started = len(rows), self._clock()
        one.runners[size](rows)
        taken = self._clock() - started
        one.seconds[size] = min(taken, one.seconds.get(size, taken))

    @property
    def _is_late(self) -> bool:
        return self._clock() >= self._deadline

    def _filled(self, timed: Mapping[int, tuple[str, float]], leader: _Contender) -> Choice:
        """The choice for all sizes; those that were not timed have the leader."""
        variants = {size: timed[size][0] if size in timed else leader.name for size in self._buckets}
        seconds = steady({size: taken for size, (_, taken) in timed.items()})
        return Choice(variants, seconds, leader.mean_error, leader.max_error)


def _draw(runner: Runner, rows: Sequence[Row]) -> Pixels:
    """Pixels int16 [N, H * W * C]. Raises NonFinitePicture."""
    pictures: list[bytes] = []
    for picture in runner(rows):
        if isinstance(picture, Exception):
            raise picture
        pictures.append(picture)
    return np.stack([np.frombuffer(picture, np.uint8) for picture in pictures]).astype(np.int16)


def _alone(runners: Mapping[int, Runner], rows: Sequence[Row]) -> Pixels:
    return np.concatenate([_draw(runners[1], [row]) for row in rows])


def _together(runners: Mapping[int, Runner], rows: Sequence[Row]) -> Pixels:
    """The rows that fill the largest batch that they can fill."""
    size = max(size for size in runners if size <= len(rows))
    return _draw(runners[size], rows[:size])
