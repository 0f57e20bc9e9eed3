"""The server without a word about a store, in an empty folder."""

import numpy as np

from latentwalk.client import AsyncClient
from latentwalk.server import __main__ as server
from latentwalk.server.settings import Settings


async def test_a_server_that_is_told_nothing_serves_it_and_walks_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = Settings(address="127.0.0.1:0", metrics_address="", engine_seconds=0, torch_threads=1)
    async with server.serving(settings) as doorway, AsyncClient(f"127.0.0.1:{doorway.port}") as client:
        assert [model.name for model in (await client.models())] == ["digits"]
        frames = await client.walk("digits", "rotate", amount=(-20, 20), seeds=1, classes=7, frames=3).collect()
    pictures = frames.array.astype(int)
    assert pictures.shape[:2] == (3, 1)
    assert np.abs(pictures[2] - pictures[0]).mean() > 5
