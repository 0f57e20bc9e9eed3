"""Claim: what eight walks receive over the wire is at least half of what the bare generator draws in one process.

A generator of the faces' shape (z 100, width 64, 64x64 colour, 3.6 million parameters), raw frames, server and client
on the same machine. Bare means `generator(z)` in a loop, at the largest batch that the server uses.
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
from latentwalk.gan.images import to_uint8
from latentwalk.gan.latents import z_from_seeds

WALKS, FRAMES, BATCH, ROUNDS = 8, 16, 32, 7
LEG = Leg(Stretch("ahead", alpha=(-1.0, 1.0)), frames=FRAMES)


def main() -> bool:
    """Measure in alternating rounds, print and write the result, and say whether the claim holds."""
    with tempfile.TemporaryDirectory() as folder:
        generator, direction = publish(Path(folder))
        with served("--store", folder, "--max-batch", str(BATCH)) as server:
            rounds = [_round(generator, direction, server) for _ in range(ROUNDS + 1)][1:]  # the first one warms up
    bare, frames = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratio = statistics.median(served_rate / bare_rate for bare_rate, served_rate in rounds)
    claim = Claim(f"{WALKS} walks of {FRAMES} frames, against the bare generator at batch {BATCH}", ratio, "x", 0.5)
    spread = f"{min(s / b for b, s in rounds):.3f} to {max(s / b for b, s in rounds):.3f}"
    remarks = [
        f"median of {ROUNDS} rounds: {frames:.0f} frames/s served, {bare:.0f} pictures/s bare; ratios {spread}",
        "every frame of every round was within 1/255 of the bare generator's picture",
    ]
    return report("walks_against_bare_generator", [claim], remarks)


def _round(generator: Generator, direction: LinearDirection, server: Served) -> tuple[float, float]:
    """Measure once: pictures per second of the bare generator, frames per second through the server."""
    bare = _bare_rate(generator)
    started = time.perf_counter()
    walks = asyncio.run(_walk_together(server.address))
    rate = WALKS * FRAMES / (time.perf_counter() - started)
    for seed, frames in enumerate(walks):
        _check(frames, generator, direction, seed)
    return bare, rate


def _bare_rate(generator: Generator) -> float:
    repeats = 2 * WALKS * FRAMES // BATCH
    z = z_from_seeds(range(BATCH), SPEC.latent_size)
    with torch.inference_mode():
        generator(z)
        started = time.perf_counter()
        for _ in range(repeats):
            generator(z)
        return repeats * BATCH / (time.perf_counter() - started)


async def _walk_together(address: str) -> Sequence[Frames]:
    async with AsyncClient(address) as client:
        return await asyncio.gather(*(client.walk_legs("bench", LEG, seeds=seed).collect() for seed in range(WALKS)))


def _check(frames: Frames, generator: Generator, direction: LinearDirection, seed: int) -> None:
    """Compare every byte of a walk with what the bare generator draws."""
    z = z_from_seeds([seed], SPEC.latent_size).expand(FRAMES, -1)
    with torch.inference_mode():
        expected = to_uint8(generator(direction.move(z, torch.linspace(-1, 1, FRAMES)[:, None]))).numpy()
    if np.abs(frames.array[:, 0].astype(int) - expected).max() > 1:
        raise AssertionError(f"the walk of seed {seed} differs from the bare generator's pictures by more than 1/255")
