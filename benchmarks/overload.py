"""Claims: at five times what it can draw, a server refuses at once, and who is let in hardly waits longer.

An open loop: requests leave when they are due, whether or not earlier ones have come back, and every latency begins
when its request was due. Capacity is what closed loops get in the same round. A request asks for several pictures, so
that neither the clients nor the refusals take the device's share of few cores. Rounds of 0.8 and of 5 times capacity
take turns.
"""

import itertools
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.checked import check, drawn_by
from benchmarks.load import Answer, Attempt, LoadProcess, draw_on_schedule, draw_rows_together
from benchmarks.load.measured import percentile
from benchmarks.report import Claim, report, spread
from benchmarks.served import Served, served
from benchmarks.stage import Stage, stage

ROWS, CLIENTS, ROUNDS, SECONDS = 8, 8, 5, 3.0
CALM, FLOOD = 0.8, 5.0
REFUSED = "RESOURCE_EXHAUSTED"
REFUSAL_MS, TIMES = 20.0, 2.0


@dataclass(frozen=True)
class Flow:
    """What came of the requests of one rate."""

    rate: float
    attempts: Sequence[Attempt]

    def latency(self, status: str, percent: float) -> float:
        """A percentile of the milliseconds of the requests that ended so."""
        return 1000 * percentile([one.seconds for one in self.attempts if one.status == status], percent)

    @property
    def statuses(self) -> Counter[str]:
        """How many ended in which way."""
        return Counter(one.status for one in self.attempts)

    def __str__(self) -> str:
        counts = ", ".join(f"{count} {status}" for status, count in self.statuses.most_common())
        late = 1000 * percentile([one.late for one in self.attempts], 99)
        return (
            f"{self.rate:.0f} requests/s: {counts}; admitted p50 {self.latency('OK', 50):.0f} ms, p99 "
            f"{self.latency('OK', 99):.0f} ms; refused p50 {self.latency(REFUSED, 50):.1f} ms, p99 "
            f"{self.latency(REFUSED, 99):.1f} ms; client late by p99 {late:.1f} ms"
        )


def main() -> bool:
    """Measure in alternating rounds, print and write the result, and say whether the claims hold."""
    seeds = itertools.count(0, 1_000_000)
    with stage() as on, served(*on.flags) as server, LoadProcess() as load:
        rounds = [_round(on, server, load, seeds) for _ in range(ROUNDS + 1)][1:]  # the first one warms up
    refusals = [flood.latency(REFUSED, 99) for _, flood in rounds]
    times = [flood.latency("OK", 99) / calm.latency("OK", 99) for calm, flood in rounds]
    statuses = sum((flow.statuses for one in rounds for flow in one), Counter[str]())
    others = sum(count for status, count in statuses.items() if status not in ("OK", REFUSED))
    claims = [
        Claim(f"refusal at {FLOOD:g} x capacity, p99", statistics.median(refusals), "ms", REFUSAL_MS, True),
        Claim(
            f"p99 of who is let in at {FLOOD:g} x capacity, against {CALM:g} x",
            statistics.median(times),
            "x",
            TIMES,
            True,
        ),
        Claim(f"errors other than {REFUSED}", others, "", 0, True),
    ]
    remarks = [
        f"requests of {ROWS} pictures; median of {ROUNDS} rounds [least to most]: refusal p99 "
        f"{spread(refusals, '.1f')} ms, {spread(times)} x",
        *(f"round {number}: {flow}" for number, one in enumerate(rounds, 1) for flow in one),
        "every pixel of every picture was within 1/255 of the bare engine's",
    ]
    return report("overload", claims, remarks)


def _round(on: Stage, server: Served, load: LoadProcess, seeds: Iterator[int]) -> tuple[Flow, Flow]:
    loops = load.run(
        draw_rows_together, server.address, rows=ROWS, clients=CLIENTS, seconds=SECONDS / 2, seed=next(seeds)
    )
    capacity = loops.rate / ROWS
    calm, flood = (_flow(on, server, load, part * capacity, next(seeds)) for part in (CALM, FLOOD))
    return calm, flood


def _flow(on: Stage, server: Served, load: LoadProcess, rate: float, seed: int) -> Flow:
    attempts = load.run(draw_on_schedule, server.address, rate=rate, rows=ROWS, seconds=SECONDS, seed=seed)
    check([answer for attempt in attempts for answer in _answers(attempt)], drawn_by(on.engine))
    return Flow(rate, attempts)


def _answers(attempt: Attempt) -> Sequence[Answer]:
    return [Answer(attempt.seed + row, 0, attempt.seconds, picture) for row, picture in enumerate(attempt.pictures)]
