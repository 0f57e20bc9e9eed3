"""The asyncio client against the same server: the same answers, and streams that end when they are left."""

import asyncio
import time

import numpy as np
import pytest

from latentwalk.client import AsyncClient, Client, DeadlineExceeded, InvalidRequest, NotFound


@pytest.fixture
async def aclient(server, client: Client):
    async with AsyncClient(server.address) as aclient:
        yield aclient


async def test_the_twins_give_the_same_answers(aclient: AsyncClient, client: Client):
    assert await aclient.models() == client.models()
    assert await aclient.model("tiny") == client.model("tiny")
    assert await aclient.directions("tiny") == client.directions("tiny")
    mine, theirs = await aclient.generate("tiny", seeds=[1, 2]), client.generate("tiny", seeds=[1, 2])
    assert np.abs(mine.array.astype(int) - theirs.array).max() <= 1


async def test_frames_come_in_order(aclient: AsyncClient):
    async with aclient.walk("tiny", "zoom", amount=(0.5, 2), seeds=[1, 2], frames=4) as walk:
        assert (await walk.header()).frames == 4
        assert [frame.index async for frame in walk] == [0, 1, 2, 3]


async def test_a_walk_is_collected_composed_and_saved(aclient: AsyncClient, tmp_path):
    assert (await aclient.walk("tiny", "zoom", seeds=[1, 2], frames=3).strip()).array.shape == (34, 52, 3)
    assert (await aclient.interpolate("tiny", seeds=[1, 2], frames_per_leg=3).grid(2)).array.shape == (34, 34, 3)
    await aclient.walk("tiny", "zoom", seeds=1, frames=3).save(tmp_path / "zoom.gif")
    assert (tmp_path / "zoom.gif").read_bytes().startswith(b"GIF89a")
    with pytest.raises(InvalidRequest):
        await aclient.walk("tiny", "zoom", seeds=1).save(tmp_path / "zoom.mov")


async def test_many_walks_run_at_once(aclient: AsyncClient):
    walks = [aclient.walk("tiny", "zoom", seeds=seed, frames=6).collect() for seed in range(8)]
    frames = await asyncio.gather(*walks)
    assert all(len(one) == 6 for one in frames)


async def test_errors_are_the_same(aclient: AsyncClient):
    with pytest.raises(NotFound, match="no model 'nope'"):
        await aclient.generate("nope", seeds=1)
    with pytest.raises(NotFound, match="no direction 'nope'"):
        await aclient.walk("tiny", "nope", seeds=1).collect()
    with pytest.raises(DeadlineExceeded):
        await aclient.walk("tiny", "zoom", seeds=range(16), frames=10_000, timeout=0.2).collect()


async def test_it_waits_until_the_services_serve(aclient: AsyncClient):
    await aclient.wait_ready(timeout=120)
    async with AsyncClient("127.0.0.1:1") as nobody:
        with pytest.raises(DeadlineExceeded):
            await nobody.wait_ready(timeout=0.3)


async def cancelled(server) -> float:
    text = await asyncio.to_thread(server.metrics)
    lines = (line for line in text.splitlines() if line.startswith("grpc_server_handled_total") and '"Walk"' in line)
    return sum(float(line.rpartition(" ")[2]) for line in lines if "CANCEL" in line.upper())


async def close(walk, task: asyncio.Task):
    await task
    await walk.close()


async def cancel(walk, task: asyncio.Task):
    await task
    reading = asyncio.create_task(walk.collect())
    await asyncio.sleep(0.05)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


@pytest.mark.parametrize("leave", [close, cancel])
async def test_leaving_a_walk_early_ends_it_on_the_server(server, aclient: AsyncClient, leave):
    before = await cancelled(server)
    walk = aclient.walk("tiny", "zoom", seeds=range(16), frames=10_000)
    await leave(walk, asyncio.create_task(walk.header()))
    ends = time.monotonic() + 120
    while await cancelled(server) == before:
        assert time.monotonic() < ends
        await asyncio.sleep(0.05)
