"""Claim: with positions sent at 200 Hz, the picture answered is never older than one batch plus one round trip.

The age of an answer is the time from sending its position to having its pictures. It is held against the time of a
batch on the device, as the server measured it in the same seconds, plus the round trip of an empty call, made in the
same seconds from the same process, plus one interval of sending: a position that comes while a batch runs waits until
the device is free or the next position takes its place, which is 5 ms later. So is the median against the sum of the
medians, and the 99th percentile against the sum of the 99th percentiles: alone, and beside walks that keep the device
busy.
"""

import asyncio
import multiprocessing
import statistics
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import grpc
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.published import publish
from benchmarks.report import Claim, report
from benchmarks.served import free_port, served
from latentwalk.client import AsyncClient, AsyncSteering, Displacement, Leg, Stretch

HERTZ, SECONDS, WALKS, ROUNDS = 200, 4, 8, 3
INTERVAL = 1 / HERTZ
PERCENTILES = {"median": 50, "99th percentile": 99}
LEG = Leg(Stretch("ahead", alpha=(-1.0, 1.0)), frames=10_000)


@dataclass(frozen=True)
class Measured:
    """What one round gave, in seconds."""

    ages: Sequence[float]
    round_trips: Sequence[float]
    batches: "Batches"


@dataclass(frozen=True)
class Batches:
    """The server's histogram of the seconds of a batch: how many took at most so long."""

    counts: dict[float, float]

    def __sub__(self, before: "Batches") -> "Batches":
        return Batches({bound: count - before.counts.get(bound, 0) for bound, count in self.counts.items()})

    def percentile(self, percent: float) -> float:
        """As Prometheus does: evenly spread within a bucket."""
        wanted, low, below = percent / 100 * max(self.counts.values()), 0.0, 0.0
        for bound, count in sorted(self.counts.items()):
            if count >= wanted and count > below:
                return low + (min(bound, 2 * low or bound) - low) * (wanted - below) / (count - below)
            low, below = bound, count
        return low


def main() -> bool:
    """Measure in alternating rounds, print and write the result, and say whether the claims hold."""
    metrics = f"127.0.0.1:{free_port()}"
    with tempfile.TemporaryDirectory() as folder:
        publish(Path(folder))
        with served("--store", folder, "--metrics-address", metrics) as server:
            rounds = [asyncio.run(_rounds(server.address, metrics)) for _ in range(ROUNDS + 1)][1:]
    claims: list[Claim] = []
    remarks: list[str] = []
    for name, measured in zip(("alone", f"beside {WALKS} walks"), zip(*rounds, strict=True), strict=True):
        for percentile, percent in PERCENTILES.items():
            claims.append(_claim(f"steering at {HERTZ} Hz {name}: {percentile} of the age, within", measured, percent))
        remarks += [f"{name}: {_described(one)}" for one in measured]
    return report("steering", claims, remarks)


def _claim(name: str, rounds: Sequence[Measured], percent: float) -> Claim:
    """How many times the age fits into what it may be, in the median round."""
    return Claim(
        name, statistics.median(_allowed(one, percent) / _percentile(one.ages, percent) for one in rounds), "x", 1
    )


def _allowed(measured: Measured, percent: float) -> float:
    return measured.batches.percentile(percent) + _percentile(measured.round_trips, percent) + INTERVAL


def _described(measured: Measured) -> str:
    parts = [f"{len(measured.ages) / SECONDS:.0f} answers/s"]
    for name, percent in PERCENTILES.items():
        age, trip = (1000 * _percentile(one, percent) for one in (measured.ages, measured.round_trips))
        batch = 1000 * measured.batches.percentile(percent)
        parts.append(f"{name}: age {age:.1f} ms, batch {batch:.1f} ms, round trip {trip:.1f} ms")
    return "; ".join(parts)


def _percentile(values: Sequence[float], percent: float) -> float:
    return sorted(values)[min(len(values) - 1, round(percent / 100 * (len(values) - 1)))]


async def _rounds(address: str, metrics: str) -> tuple[Measured, Measured]:
    """Steer alone, then beside walks that are read by a process of their own, as other people's are."""
    async with AsyncClient(address) as client:
        alone = await _measure(client, address, metrics)
        readers = multiprocessing.get_context("spawn").Process(target=_read_walks, args=(address,), daemon=True)
        readers.start()
        try:
            await _wait_for_full_batches(metrics)
            beside = await _measure(client, address, metrics)
        finally:
            readers.terminate()
            readers.join()
        return alone, beside


async def _wait_for_full_batches(metrics: str) -> None:
    """Until the walks are under way."""
    before = await asyncio.to_thread(_batches, metrics)
    while max((await asyncio.to_thread(_batches, metrics) - before).counts.values()) < 20:  # noqa: ASYNC110
        await asyncio.sleep(0.1)


def _read_walks(address: str) -> None:
    async def read_all() -> None:
        async with AsyncClient(address) as client:
            await asyncio.gather(*(_walk(client, seed) for seed in range(WALKS)))

    asyncio.run(read_all())


async def _walk(client: AsyncClient, seed: int) -> None:
    while True:
        async with client.walk_legs("bench", LEG, seeds=seed) as frames:
            async for _ in frames:
                pass


async def _measure(client: AsyncClient, address: str, metrics: str) -> Measured:
    before = await asyncio.to_thread(_batches, metrics)
    trips: list[float] = []
    pinging = asyncio.create_task(_ping(address, trips))
    ages = await _steer(client)
    pinging.cancel()
    with suppress(asyncio.CancelledError):
        await pinging
    return Measured(ages, trips, await asyncio.to_thread(_batches, metrics) - before)


async def _steer(client: AsyncClient) -> list[float]:
    """Send positions on the beat, whether answers come or not; the age of every answer."""
    sent: dict[int, float] = {}
    ages: list[float] = []
    async with client.steer("bench") as steering:
        moving = asyncio.create_task(_move(steering, sent))
        async for answer in steering:
            assert answer.pictures is not None, answer.refusal
            ages.append(time.perf_counter() - sent[answer.sequence])
        await moving
    return ages


async def _move(steering: AsyncSteering, sent: dict[int, float]) -> None:
    started = time.perf_counter()
    for step in range(SECONDS * HERTZ):
        await asyncio.sleep(max(0.0, started + step * INTERVAL - time.perf_counter()))
        now = time.perf_counter()
        sent[steering.move(seeds=7, displacements=Displacement("ahead", alpha=step / (SECONDS * HERTZ)))] = now
    steering.finish()


async def _ping(address: str, trips: list[float]) -> None:
    """Empty calls, some fifty a second."""
    async with grpc.aio.insecure_channel(address) as channel:
        check = channel.unary_unary("/grpc.health.v1.Health/Check")
        while True:
            started = time.perf_counter()
            await check(b"")
            trips.append(time.perf_counter() - started)
            await asyncio.sleep(0.02)


def _batches(metrics: str) -> Batches:
    text = urllib.request.urlopen(f"http://{metrics}/metrics").read().decode()
    return Batches(
        {
            float(sample.labels["le"]): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == "latentwalk_batch_seconds_bucket"
        }
    )
