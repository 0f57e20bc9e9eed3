"""Claims: our server against PyTriton, Ray Serve, mosec and LitServe, in the same run, in turns.

Sixteen clients that each ask for one picture after the other, and eight walks of 16 frames against Ray Serve's streams.
Each peer serves the same weights twice: with the plain fp32 model, as its user would write it, and with the form that
our engine has chosen, so that the servers are compared alone. All have batches of at most 16, one torch thread, and
a window of 5 ms where they want one; server and clients are on the same machine. The peers that speak gRPC are asked
over gRPC, the others over HTTP; ours always over gRPC: all by clients that speak no more of either than it takes. They
do not all spend the same: what they spent is in the remarks. Every byte of
every picture is checked.
"""

import argparse
import itertools
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.checked import check, drawn_by, drawn_plainly
from benchmarks.leaving import leave_in_order
from benchmarks.load import LoadProcess, Measured, draw_together, walk_together
from benchmarks.peers.model import BATCH, THREADS
from benchmarks.peers.started import PEERS, Peer, started
from benchmarks.report import Claim, report, spread
from benchmarks.served import Served, served
from benchmarks.stage import Stage, stage

CLIENTS, WALKS, FRAMES = 16, 8, 16
TARGETS = {
    "plain": {"pytriton": 2.5, "ray": 4.0, "mosec": 1.7, "litserve": 1.7},
    "engine": {"pytriton": 1.3, "ray": 2.0, "mosec": 1.0, "litserve": 1.0},
}
WALK_TARGETS = {"frames per second": 3.0, "first frame sooner, p50": 3.0}
FORMS = {"plain": "the plain model", "engine": "our engine's form"}


@dataclass(frozen=True)
class Pair:
    """What ours and the peer gave in one round."""

    ours: Measured
    peer: Measured


@dataclass(frozen=True)
class Meeting:
    """Ours and one peer, both running; how often they are measured, and for how long."""

    on: Stage
    ours: Served
    peer: Peer
    form: str
    address: str
    load: LoadProcess
    rounds: int
    seconds: float
    seeds: Iterator[int]

    def pictures(self) -> list[Pair]:
        """Unary calls."""
        wires = {self.ours.address: "gRPC", self.address: self.peer.wire}
        return self._take_turns(
            lambda address, seed: self.load.run(
                draw_together, wires[address], address, clients=CLIENTS, seconds=self.seconds, seed=seed
            )
        )

    def walks(self) -> list[Pair]:
        """Streams."""
        return self._take_turns(
            lambda address, seed: self.load.run(
                walk_together, address, walks=WALKS, frames=FRAMES, seconds=self.seconds, seed=seed
            ),
            FRAMES,
        )

    def _take_turns(self, measure: Callable[[str, int], Measured], frames: int = 1) -> list[Pair]:
        pairs: list[Pair] = []
        for number in range(self.rounds):
            addresses = (self.ours.address, self.address)
            order = addresses if number % 2 == 0 else addresses[::-1]
            measured = {address: measure(address, next(self.seeds)) for address in order}
            pair = Pair(measured[self.ours.address], measured[self.address])
            self._check(pair, frames)
            pairs.append(pair)
        return pairs

    def _check(self, pair: Pair, frames: int) -> None:
        engine, plain = drawn_by(self.on.engine), drawn_plainly(self.on.generator)
        direction = self.on.direction if frames > 1 else None
        check(pair.ours.answers, engine, direction, frames)
        check(pair.peer.answers, plain if self.form == "plain" else engine, direction, frames)


def main() -> int:
    """Measure, print and write the result; exit status 1 if a claim was missed."""
    options = _options()
    leave_in_order()
    seeds = itertools.count(0, 1_000_000)
    claims: list[Claim] = []
    remarks: list[str] = [f"{options.rounds} rounds of {options.seconds:g} s; medians [least to most]"]
    with stage(BATCH, threads=THREADS) as on, served(*on.flags) as ours, LoadProcess() as load:
        for name, form in itertools.product(options.peers, FORMS):
            peer = PEERS[name]
            with started(peer, form, on, load) as address:
                meeting = Meeting(on, ours, peer, form, address, load, options.rounds, options.seconds, seeds)
                _pictures(meeting, claims, remarks)
                if name == "ray":
                    _walks(meeting, claims, remarks)
    remarks.append("every pixel was within 1/255 of the bare engine's, or of the plain model's, whichever was served")
    return 0 if report("peers", claims, remarks) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.peers", description="Measure ours beside its peers.")
    parser.add_argument("peers", nargs="*", default=list(PEERS), help=f"some of {', '.join(PEERS)}; all by default")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured")
    parser.add_argument("--seconds", type=float, default=4.0, help="how long, each time, after a warm-up")
    options = parser.parse_args()
    if unknown := set(options.peers) - PEERS.keys():
        parser.error(f"no peer {', '.join(sorted(unknown))}; there are: {', '.join(PEERS)}")
    return options


def _pictures(meeting: Meeting, claims: list[Claim], remarks: list[str]) -> None:
    pairs = meeting.pictures()
    ratios = [pair.ours.rate / pair.peer.rate for pair in pairs]
    what = f"Generate, {CLIENTS} clients, against {meeting.peer.title}, {FORMS[meeting.form]}"
    claims.append(Claim(what, statistics.median(ratios), "x", TARGETS[meeting.form][meeting.peer.name]))
    remarks.append(f"{what}: {spread(ratios)} x; pictures/s {_rates(pairs)}; p50 {_latencies(pairs)}; {_costs(pairs)}")


def _walks(meeting: Meeting, claims: list[Claim], remarks: list[str]) -> None:
    pairs = meeting.walks()
    what = f"{WALKS} walks of {FRAMES} frames, against {meeting.peer.title}, {FORMS[meeting.form]}"
    ratios = {
        "frames per second": [pair.ours.rate / pair.peer.rate for pair in pairs],
        "first frame sooner, p50": [pair.peer.latency(50) / pair.ours.latency(50) for pair in pairs],
    }
    for kind, target in WALK_TARGETS.items():
        claims.append(Claim(f"{what}: {kind}", statistics.median(ratios[kind]), "x", target))
        remarks.append(f"{what}: {kind}: {spread(ratios[kind])} x")
    remarks.append(f"{what}: frames/s {_rates(pairs)}; first frame p50 {_latencies(pairs)}; {_costs(pairs)}")


def _rates(pairs: Sequence[Pair]) -> str:
    ours, peers = ([side.rate for side in sides] for sides in _sides(pairs))
    return f"{spread(ours, '.0f')} against {spread(peers, '.0f')}"


def _latencies(pairs: Sequence[Pair]) -> str:
    ours, peers = ([1000 * side.latency(50) for side in sides] for sides in _sides(pairs))
    return f"{spread(ours, '.1f')} against {spread(peers, '.1f')} ms"


def _costs(pairs: Sequence[Pair]) -> str:
    ours, peers = ([1000 * side.cost for side in sides] for sides in _sides(pairs))
    return f"clients' CPU {spread(ours)} against {spread(peers)} ms a picture"


def _sides(pairs: Sequence[Pair]) -> tuple[list[Measured], list[Measured]]:
    return [pair.ours for pair in pairs], [pair.peer for pair in pairs]


if __name__ == "__main__":
    sys.exit(main())
