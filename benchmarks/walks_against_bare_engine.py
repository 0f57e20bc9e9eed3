"""Claim: what sixteen walks receive over the wire is most of what the bare engine draws in one process.

A generator of the faces' shape (z 100, width 64, 64x64 colour, 3.6 million parameters), and one that needs ten times
the multiplications for a picture of that size; raw frames, server and clients on the same machine. Bare means
`engine.draw(rows)` in a loop, in the form of the generator that the server chose too, at the largest batch that the
server uses, while nothing else is to be done.
"""

import itertools
import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.checked import check, drawn_by
from benchmarks.engine_against_eager import multiplications
from benchmarks.load import LoadProcess, walk_together
from benchmarks.published import HEAVY, SPEC
from benchmarks.report import Claim, report, spread
from benchmarks.served import Served, served
from benchmarks.stage import Stage, stage
from latentwalk.gan.spec import GeneratorSpec

WALKS, FRAMES, BATCH, ROUNDS, SECONDS = 16, 64, 32, 5, 2.0
TARGETS = {"the faces' shape": (SPEC, 0.75), "ten times as heavy": (HEAVY, 0.9)}


@dataclass(frozen=True)
class Round:
    """Pictures per second of the bare engine, and frames per second over the wire."""

    bare: float
    served: float

    @property
    def ratio(self) -> float:
        """The part that arrives."""
        return self.served / self.bare


def main() -> bool:
    """Measure in alternating rounds, print and write the result, and say whether the claims hold."""
    claims: list[Claim] = []
    remarks: list[str] = [f"{WALKS} walks of {FRAMES} frames; median of {ROUNDS} rounds [least to most]"]
    for name, (spec, target) in TARGETS.items():
        rounds, about = _measure(spec)
        ratios = [one.ratio for one in rounds]
        claims.append(Claim(f"{WALKS} walks against the bare engine, {name}", statistics.median(ratios), "x", target))
        remarks.append(
            f"{name}: {spread(ratios)} x; {spread([one.served for one in rounds], '.0f')} frames/s served, "
            f"{spread([one.bare for one in rounds], '.0f')} pictures/s bare; {about}"
        )
    remarks.append("every pixel of every frame was within 1/255 of the bare engine's")
    return report("walks_against_bare_engine", claims, remarks)


def _measure(spec: GeneratorSpec) -> tuple[list[Round], str]:
    seeds = itertools.count(0, 1_000_000)
    with stage(BATCH, spec) as on, served(*on.flags) as server, LoadProcess() as load:
        rounds = [_round(on, server, load, seeds) for _ in range(ROUNDS + 1)][1:]  # the first one warms up
        giga = multiplications(on.generator) / 1e9
        return rounds, f"{giga:.3f} G multiplications a picture; the engine's form: {on.engine.variants[BATCH]}"


def _round(on: Stage, server: Served, load: LoadProcess, seeds: Iterator[int]) -> Round:
    bare = on.bare_rate(SECONDS / 2)
    walks = load.run(walk_together, server.address, walks=WALKS, frames=FRAMES, seconds=SECONDS, seed=next(seeds))
    check(walks.answers, drawn_by(on.engine), on.direction, FRAMES)
    return Round(bare, walks.rate)
