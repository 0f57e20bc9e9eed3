"""Closed loops: each client asks again as soon as it has its answer."""

import asyncio
import itertools
import time
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from typing import Any

from benchmarks.load.codes import code_of
from benchmarks.load.http2 import connected
from benchmarks.load.measured import Answer, Measured
from benchmarks.load.wires import MODEL, WIRES, generate, generate_request, latent, walk
from latentwalk.v1 import generation_service_pb2 as pb

WARM_PART = 0.3
"""How long the clients are at it before it counts, as a part of the time that counts."""


async def draw_together(wire: str, address: str, *, clients: int, seconds: float, seed: int) -> Measured:
    """Clients that ask for one picture after the other; the seeds begin at `seed`."""
    seeds = itertools.count(seed)

    async def client(take: Callable[[Answer], None]) -> None:
        async with WIRES[wire](address) as ask:
            for own in seeds:
                code, asked = code_of(own), time.perf_counter()
                picture = await ask(code)
                take(Answer(own, 0, time.perf_counter() - asked, picture))

    return await _measure(client, clients, seconds)


async def draw_rows_together(address: str, *, clients: int, rows: int, seconds: float, seed: int) -> Measured:
    """Clients of our own service that ask for `rows` pictures at once; the seeds begin at `seed`."""
    firsts = itertools.count(seed, rows)

    async def client(take: Callable[[Answer], None]) -> None:
        async with connected(address) as connection:
            for first in firsts:
                request, asked = generate_request(range(first, first + rows)), time.perf_counter()
                reply = await generate(connection, request)
                for row, image in enumerate(reply.images):
                    take(Answer(first + row, 0, time.perf_counter() - asked, image.data))

    return await _measure(client, clients, seconds)


async def walk_together(
    address: str, *, walks: int, frames: int, seconds: float, seed: int, frames_per_message: int = 64
) -> Measured:
    """Clients that take one walk after the other along "ahead", from -1 to 1; the seeds begin at `seed`.

    As many frames may come with a message as the SDK takes.
    """
    seeds = itertools.count(seed)

    async def client(take: Callable[[Answer], None]) -> None:
        async with connected(address) as connection:
            for own in seeds:
                request, asked = walk_request(own, frames, frames_per_message), time.perf_counter()
                async with aclosing(walk(connection, request)) as drawn:
                    async for frame in drawn:
                        take(Answer(own, frame.index, time.perf_counter() - asked, frame.images[0].data))

    return await _measure(client, walks, seconds)


def walk_request(seed: int, frames: int, frames_per_message: int = 1) -> pb.WalkRequest:
    """One walk."""
    stretch = pb.Stretch(direction="ahead", to=pb.Extent(alpha=1.0))
    getattr(stretch, "from").alpha = -1.0  # a word of Python's own
    leg = pb.Leg(stretches=[stretch], frames=frames)
    delivery = pb.Delivery(frames_per_message=frames_per_message)
    return pb.WalkRequest(model=MODEL, starts=[latent(code_of(seed))], legs=[leg], delivery=delivery)


async def _measure(
    client: Callable[[Callable[[Answer], None]], Coroutine[Any, Any, None]], clients: int, seconds: float
) -> Measured:
    """Let the clients warm up, keep what they get in the seconds that count, and end them wherever they are then."""
    answers: list[Answer] = []
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(client(answers.append)) for _ in range(clients)]
        await asyncio.sleep(WARM_PART * seconds)
        answers.clear()
        started, spent = time.perf_counter(), time.process_time()
        await asyncio.sleep(seconds)
        measured = Measured(tuple(answers), time.perf_counter() - started, time.process_time() - spent)
        for task in tasks:
            task.cancel()
    return measured
