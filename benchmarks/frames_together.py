"""Claim: of a light generator, a walk gets several times the frames where those that are ready come together.

What such a walk waits for is not the device but the messages, which cost the server and the client the same however
little is in them. A caller says how many frames one may have; the SDK says 64. Both in turns, on one server.
"""

import itertools
import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.checked import check, drawn_by
from benchmarks.load import LoadProcess, Measured, walk_together
from benchmarks.published import LIGHT
from benchmarks.report import Claim, report, spread
from benchmarks.served import Served, served
from benchmarks.stage import Stage, stage

FRAMES, TOGETHER, ROUNDS, SECONDS, TARGET = 512, 64, 7, 2.0, 2.0


@dataclass(frozen=True)
class Round:
    """Frames per second of one walk after the other."""

    single: float
    together: float


def main() -> bool:
    """Measure in alternating rounds, print and write the result, and say whether the claim holds."""
    seeds = itertools.count(0, 1_000_000)
    with stage(spec=LIGHT) as on, served(*on.flags) as server, LoadProcess() as load:
        rounds = [_round(on, server, load, seeds) for _ in range(ROUNDS + 1)][1:]  # the first one warms up
    together, single = [one.together for one in rounds], [one.single for one in rounds]
    ratios = [one.together / one.single for one in rounds]
    claim = Claim("frames of one walk, together against one by one", statistics.median(ratios), "x", TARGET)
    remarks = [
        f"median of {ROUNDS} rounds [least to most]: {spread(ratios)} x; {spread(together, '.0f')} frames/s together, "
        f"{spread(single, '.0f')} one by one",
        f"16x16 pictures; the engine's form: {on.engine.variants[on.batch]}; every pixel was within 1/255 of its own",
    ]
    return report("frames_together", [claim], remarks)


def _round(on: Stage, server: Served, load: LoadProcess, seeds: Iterator[int]) -> Round:
    single, together = (_walk(on, server, load, next(seeds), at_once) for at_once in (1, TOGETHER))
    return Round(single.rate, together.rate)


def _walk(on: Stage, server: Served, load: LoadProcess, seed: int, at_once: int) -> Measured:
    walked = load.run(
        walk_together,
        server.address,
        walks=1,
        frames=FRAMES,
        seconds=SECONDS,
        seed=seed,
        frames_per_message=at_once,
    )
    check(walked.answers, drawn_by(on.engine), on.direction, FRAMES)
    return walked
