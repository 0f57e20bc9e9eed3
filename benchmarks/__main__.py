"""Runs every benchmark, or those named: `python -m benchmarks [NAME ...]`. Exit status 1 if a claim was missed."""

import sys
from collections.abc import Callable

from benchmarks import (
    engine_against_eager,
    frames_together,
    latency_against_bare_engine,
    many_walks,
    overload,
    steering,
    training_speed,
    walks_against_bare_engine,
)
from benchmarks.leaving import leave_in_order

SCRIPTS: dict[str, Callable[[], bool]] = {
    "engine_against_eager": engine_against_eager.main,
    "frames_together": frames_together.main,
    "latency_against_bare_engine": latency_against_bare_engine.main,
    "many_walks": many_walks.main,
    "overload": overload.main,
    "steering": steering.main,
    "training_speed": training_speed.main,
    "walks_against_bare_engine": walks_against_bare_engine.main,
}


def main() -> int:
    """Run the benchmarks named on the command line, all by default."""
    names = sys.argv[1:] or list(SCRIPTS)
    if unknown := [name for name in names if name not in SCRIPTS]:
        print(f"no benchmark {', '.join(unknown)}; there are: {', '.join(SCRIPTS)}", file=sys.stderr)
        return 2
    leave_in_order()
    held = [SCRIPTS[name]() for name in names]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
