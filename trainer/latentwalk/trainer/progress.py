"""How far a run is: what the loop counts, and when it is worth a report."""

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from latentwalk.trainer.reports import Progress

# Events are kept for as long as the job is: these two bound them, for short jobs and for long ones.
REPORT_SECONDS = 0.5
REPORTS_PER_JOB = 2_000


class Meter:
    """Counts the steps, losses and seconds of one run of a job."""

    def __init__(self, steps: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._steps = steps
        self._clock = clock
        self._started = self._reported = clock()
        self._elapsed_before = 0.0
        self._first_step = self._reported_step = 0
        self._term_sums: dict[str, float] = {}
        self._count = 0

    def resume(self, step: int, numbers: dict[str, Any]) -> None:
        """Goes on where the run stopped that wrote these `numbers` at this step."""
        self._first_step = self._reported_step = step
        self._elapsed_before = numbers["elapsed"]
        self._term_sums, self._count = numbers["term_sums"], numbers["count"]

    def numbers(self) -> dict[str, Any]:
        """What `resume` needs."""
        return {"elapsed": self._elapsed(), "term_sums": self._term_sums, "count": self._count}

    def count(self, terms: Mapping[str, float]) -> None:
        """Notes one more step, and the terms of its loss."""
        for name, value in terms.items():
            self._term_sums[name] = self._term_sums.get(name, 0.0) + value
        self._count += 1

    def is_due(self, step: int) -> bool:
        """Whether it is time for a report: not twice within REPORT_SECONDS, and at most REPORTS_PER_JOB a job."""
        enough = step - self._reported_step >= math.ceil(self._steps / REPORTS_PER_JOB)
        return enough and self._clock() - self._reported >= REPORT_SECONDS

    def report(self, step: int) -> Progress:
        """How far the job is after `step` steps; the next report averages the losses from here on."""
        terms = {name: total / self._count for name, total in self._term_sums.items()}
        done, seconds = step - self._first_step, self._clock() - self._started
        remaining = (self._steps - step) * seconds / done if done else None
        self._term_sums, self._count = {}, 0
        self._reported, self._reported_step = self._clock(), step
        return Progress(step, self._steps, sum(terms.values()) if terms else None, self._elapsed(), remaining, terms)

    def _elapsed(self) -> float:
        return self._elapsed_before + self._clock() - self._started
