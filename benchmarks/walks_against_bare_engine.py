"""Claim: what eight walks receive over the wire is at least half of what the bare engine draws in one process.

A generator of the faces' shape (z 100, width 64, 64x64 colour, 3.6 million parameters), raw frames, server and client
on the same machine. Bare means `engine.draw(rows)` in a loop, in the form of the generator that the server chose too,
at the largest batch that the server uses.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from benchmarks.published import SPEC, publish
from benchmarks.report import Claim, report
from benchmarks.served import Served, served
from latentwalk.client import AsyncClient, Frames, Leg, Stretch
from latentwalk.gan.directions import LinearDirection
from latentwalk.gan.generator import Generator
from latentwalk.gan.latents import z_from_seeds
from latentwalk.server.engine import Engine, Row, Tuning, find_devices, use_threads
from latentwalk.server.engine.rows import sample_rows
from latentwalk.server.settings import Settings

WALKS, FRAMES, BATCH, ROUNDS = 8, 16, 32, 7
LEG = Leg(Stretch("ahead", alpha=(-1.0, 1.0)), frames=FRAMES)


def main() -> bool:
    """Measure in alternating rounds, print and write the result, and say whether the claim holds."""
    with tempfile.TemporaryDirectory() as folder:
        generator, direction = publish(Path(folder) / "store")
        engine = _bare_engine(generator, Path(folder) / "engine")
        flags = ("--store", f"{folder}/store", "--engine-cache", f"{folder}/engine", "--max-batch", str(BATCH))
        with served(*flags) as server:
            rounds = [_round(engine, direction, server) for _ in range(ROUNDS + 1)][1:]  # the first one warms up
    bare, frames = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratio = statistics.median(served_rate / bare_rate for bare_rate, served_rate in rounds)
    claim = Claim(f"{WALKS} walks of {FRAMES} frames, against the bare engine at batch {BATCH}", ratio, "x", 0.5)
    spread = f"{min(s / b for b, s in rounds):.3f} to {max(s / b for b, s in rounds):.3f}"
    remarks = [
        f"median of {ROUNDS} rounds: {frames:.0f} frames/s served, {bare:.0f} pictures/s bare; ratios {spread}",
        f"the engine's form: {engine.variants[BATCH]}; every frame of every round was within 1/255 of its picture",
    ]
    return report("walks_against_bare_engine", [claim], remarks)


def _bare_engine(generator: Generator, cache: Path) -> Engine:
    """What the server will make of the generator: it finds the choice in the cache."""
    settings = Settings()
    use_threads(settings.torch_threads)
    devices = find_devices(settings.device)
    return Tuning(devices, BATCH, settings.engine_seconds, settings.engine_tolerance, str(cache)).make_engine(generator)


def _round(engine: Engine, direction: LinearDirection, server: Served) -> tuple[float, float]:
    """Measure once: pictures per second of the bare engine, frames per second through the server."""
    bare = _bare_rate(engine)
    started = time.perf_counter()
    walks = asyncio.run(_walk_together(server.address))
    rate = WALKS * FRAMES / (time.perf_counter() - started)
    for seed, frames in enumerate(walks):
        _check(frames, engine, direction, seed)
    return bare, rate


def _bare_rate(engine: Engine) -> float:
    repeats = 2 * WALKS * FRAMES // BATCH
    rows = sample_rows(engine.spec, BATCH)
    engine.draw(rows)
    started = time.perf_counter()
    for _ in range(repeats):
        engine.draw(rows)
    return repeats * BATCH / (time.perf_counter() - started)


async def _walk_together(address: str) -> Sequence[Frames]:
    async with AsyncClient(address) as client:
        return await asyncio.gather(*(client.walk_legs("bench", LEG, seeds=seed).collect() for seed in range(WALKS)))


def _check(frames: Frames, engine: Engine, direction: LinearDirection, seed: int) -> None:
    """Compare every byte of a walk with what the bare engine draws."""
    z = z_from_seeds([seed], SPEC.latent_size).expand(FRAMES, -1)
    moved = direction.move(z, torch.linspace(-1, 1, FRAMES)[:, None])
    expected = [picture for picture in engine.draw([Row(code, None) for code in moved]) if isinstance(picture, bytes)]
    pictures = np.frombuffer(b"".join(expected), np.uint8).reshape(frames.array[:, 0].shape).astype(int)
    if np.abs(frames.array[:, 0].astype(int) - pictures).max() > 1:
        raise AssertionError(f"the walk of seed {seed} differs from the bare engine's pictures by more than 1/255")
