"""Claim: one client that asks for one picture waits at most 1.5 ms longer than the bare forward pass takes.

Bare means `engine.draw([row])`, in the form of the generator that the server chose too; both are medians, measured in
turns. The client asks again as soon as it has its answer, on an otherwise idle server.

Between two requests the device is idle, and others use the caches that it shares. What that costs is no part of the
claim but told beside it: the bare pass again, after a pause as long as that between two requests.
"""

import itertools
import statistics
import time
from collections.abc import Iterator

from benchmarks.checked import check, drawn_by
from benchmarks.load import LoadProcess, draw_together
from benchmarks.report import Claim, report, spread
from benchmarks.served import Served, served
from benchmarks.stage import Stage, stage
from latentwalk.server.engine import Engine
from latentwalk.server.engine.rows import sample_rows

ROUNDS, SECONDS, TARGET_MS = 7, 1.0, 1.5


def main() -> bool:
    """Measure in alternating rounds, print and write the result, and say whether the claim holds."""
    seeds = itertools.count(0, 1_000_000)
    with stage() as on, served(*on.flags) as server, LoadProcess() as load:
        rounds = [_round(on, server, load, seeds) for _ in range(ROUNDS + 1)][1:]  # the first one warms up
    above = [asked - bare for bare, asked, _ in rounds]
    claim = Claim(
        "one client's Generate above the bare forward pass, p50", statistics.median(above), "ms", TARGET_MS, True
    )
    remarks = [
        f"median of {ROUNDS} rounds [least to most]: {spread(above)} ms above; Generate "
        f"{spread([asked for _, asked, _ in rounds])} ms, bare {spread([bare for bare, _, _ in rounds])} ms",
        f"bare, after pauses as long as the rest of a Generate takes: {spread([rested for *_, rested in rounds])} ms",
        f"the engine's form: {on.engine.variants[1]}; every pixel was within 1/255 of the bare engine's",
    ]
    return report("latency_against_bare_engine", [claim], remarks)


def _round(on: Stage, server: Served, load: LoadProcess, seeds: Iterator[int]) -> tuple[float, float, float]:
    """The medians of one round, in milliseconds: of the bare engine, of the client, of the engine after pauses."""
    bare = _bare_seconds(on.engine)
    asked = load.run(draw_together, "gRPC", server.address, clients=1, seconds=SECONDS, seed=next(seeds))
    check(asked.answers, drawn_by(on.engine))
    rested = _bare_seconds(on.engine, pause=max(0.0, asked.latency(50) - bare))
    return 1000 * bare, 1000 * asked.latency(50), 1000 * rested


def _bare_seconds(engine: Engine, pause: float = 0.0) -> float:
    rows, times, until = sample_rows(engine.generator, 1), list[float](), time.perf_counter() + SECONDS
    while (started := time.perf_counter()) < until:
        engine.draw(rows)
        times.append(time.perf_counter() - started)
        time.sleep(pause)
    return statistics.median(times)
