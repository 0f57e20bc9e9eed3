"""The open loop: requests leave when they are due, whether or not earlier ones have come back.

The times are set beforehand (Poisson, always the same), and a latency begins when its request was due: a client that
lags behind its own schedule makes the numbers worse, never better.
"""

import asyncio
import random
import time
from collections.abc import Sequence

import grpc

from benchmarks.load.closed import WARM_PART
from benchmarks.load.measured import Attempt
from benchmarks.load.wires import generate_request
from latentwalk.v1 import generation_service_pb2 as pb

CONNECTIONS = 8


async def draw_on_schedule(address: str, *, rate: float, rows: int, seconds: float, seed: int) -> Sequence[Attempt]:
    """`rate` requests a second, for `rows` pictures each; the seeds begin at `seed`. What came of those that count.

    Those that are due before the seconds that count are sent all the same: the queue fills.
    """
    attempts: list[Attempt] = []
    async with asyncio.TaskGroup() as connections:
        for connection in range(CONNECTIONS):
            schedule = _schedule(rate / CONNECTIONS, (1 + WARM_PART) * seconds, connection)
            seeds = range(seed + connection * rows, 1 << 62, CONNECTIONS * rows)[: len(schedule)]
            connections.create_task(_send(address, schedule, seeds, rows, attempts))
    return [attempt for attempt in attempts if attempt.due >= WARM_PART * seconds]


def _schedule(rate: float, seconds: float, connection: int) -> Sequence[float]:
    """When the requests of one connection are due, in seconds from the start."""
    chance, due, times = random.Random(connection), 0.0, list[float]()  # noqa: S311 - not a secret
    while (due := due + chance.expovariate(rate)) < seconds:
        times.append(due)
    return times


async def _send(
    address: str, schedule: Sequence[float], seeds: Sequence[int], rows: int, attempts: list[Attempt]
) -> None:
    alone = [("grpc.use_local_subchannel_pool", 1)]  # a connection that nobody else of this process uses
    async with grpc.aio.insecure_channel(address, alone) as channel, asyncio.TaskGroup() as requests:
        path = "/latentwalk.v1.GenerationService/Generate"
        generate = channel.unary_unary(path, pb.GenerateRequest.SerializeToString, pb.GenerateResponse.FromString)
        prepared = [generate_request(range(seed, seed + rows)) for seed in seeds]
        await channel.channel_ready()
        started = time.perf_counter()

        async def send(due: float, seed: int, request: pb.GenerateRequest) -> None:
            late = time.perf_counter() - started - due
            status, pictures = "OK", tuple[bytes, ...]()
            try:
                reply = await generate(request)
                pictures = tuple(image.data for image in reply.images)
            except grpc.aio.AioRpcError as error:
                status = error.code().name
            attempts.append(Attempt(seed, status, due, time.perf_counter() - started - due, late, pictures))

        for due, seed, request in zip(schedule, seeds, prepared, strict=True):
            if (pause := started + due - time.perf_counter()) > 0:
                await asyncio.sleep(pause)
            requests.create_task(send(due, seed, request))
