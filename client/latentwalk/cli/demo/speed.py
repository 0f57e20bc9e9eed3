"""The demo's speed: frames per second over gRPC, as a caller sees them."""

import asyncio
import time

from latentwalk.client import AsyncClient

WALKS = 8
FRAMES = 16
ROUNDS = 8


async def frames_per_second(server: str, model: str, direction: str) -> float:
    """Raw frames per second of WALKS walks of FRAMES frames at once, over ROUNDS rounds of fresh seeds."""
    async with AsyncClient(server) as client:
        await walk_at_once(client, model, direction, 0)
        begin = time.perf_counter()
        for number in range(1, ROUNDS + 1):
            await walk_at_once(client, model, direction, number)
        return ROUNDS * WALKS * FRAMES / (time.perf_counter() - begin)


async def walk_at_once(client: AsyncClient, model: str, direction: str, number: int) -> None:
    """One round."""
    seeds = range(number * WALKS, (number + 1) * WALKS)
    await asyncio.gather(*(client.walk(model, direction, seeds=seed, frames=FRAMES).collect() for seed in seeds))
