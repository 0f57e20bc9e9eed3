"""Claims: 256 walks at once get nearly as many frames a second as 16 do, and take a bounded amount of memory.

The server is told to let so many in, where it would by default refuse those whose first frame must wait too long. Its
memory is what it holds after each round; how much of it 256 walks add is bounded by their credit, not by their number.
"""

import itertools
import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.checked import check, drawn_by
from benchmarks.load import LoadProcess, Measured, walk_together
from benchmarks.report import Claim, report, spread
from benchmarks.served import Served, served
from benchmarks.stage import Stage, stage

FEW, MANY, FRAMES, ROUNDS, SECONDS = 16, 256, 64, 5, 3.0
TARGET, TARGET_MIB, TARGET_GROWTH_MIB = 0.9, 128.0, 16.0
FLAGS = ("--max-streams", str(2 * MANY), "--max-queue-seconds", "10", "--max-queued-frames", "1024")


@dataclass(frozen=True)
class Round:
    """Of few and of many walks: frames per second, and the server's memory afterwards in MiB."""

    few: float
    few_memory: float
    many: float
    many_memory: float


def main() -> bool:
    """Measure in alternating rounds, print and write the result, and say whether the claims hold."""
    seeds = itertools.count(0, 1_000_000)
    with stage() as on, served(*on.flags, *FLAGS) as server, LoadProcess() as load:
        first_memory = _walk(on, server, load, FEW, next(seeds))[1]
        rounds = [_round(on, server, load, seeds) for _ in range(ROUNDS + 1)][1:]  # the first one warms up
    ratios = [one.many / one.few for one in rounds]
    memories = [one.many_memory for one in rounds]
    claims = [
        Claim(f"{MANY} walks against {FEW}, frames per second", statistics.median(ratios), "x", TARGET),
        Claim(f"memory that {MANY} walks add to {FEW}", max(memories) - first_memory, "MiB", TARGET_MIB, True),
        Claim(f"memory that {ROUNDS - 1} more rounds add", memories[-1] - memories[0], "MiB", TARGET_GROWTH_MIB, True),
    ]
    remarks = [
        f"median of {ROUNDS} rounds [least to most]: {spread(ratios)} x; {spread([one.few for one in rounds], '.0f')} "
        f"and {spread([one.many for one in rounds], '.0f')} frames/s",
        f"the server had {first_memory:.0f} MiB after the first {FEW} walks, {spread(memories, '.0f')} after {MANY}",
        "every pixel of every frame was within 1/255 of the bare engine's",
    ]
    return report("many_walks", claims, remarks)


def _round(on: Stage, server: Served, load: LoadProcess, seeds: Iterator[int]) -> Round:
    few, many = (_walk(on, server, load, walks, next(seeds)) for walks in (FEW, MANY))
    return Round(few[0].rate, few[1], many[0].rate, many[1])


def _walk(on: Stage, server: Served, load: LoadProcess, walks: int, seed: int) -> tuple[Measured, float]:
    walked = load.run(walk_together, server.address, walks=walks, frames=FRAMES, seconds=SECONDS, seed=seed)
    memory = server.memory
    check(walked.answers, drawn_by(on.engine), on.direction, FRAMES)
    return walked, memory
