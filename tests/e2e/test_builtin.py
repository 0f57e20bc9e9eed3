"""Both services without a word about a store, in an empty folder."""

import numpy as np

from latentwalk.client import AsyncClient
from latentwalk.server import assembly as server
from latentwalk.server.settings import Settings
from latentwalk.trainer import assembly as trainer
from latentwalk.trainer.settings import Settings as TrainerSettings

ENDPOINT = {"address": "127.0.0.1:0", "metrics_address": ""}


async def test_a_server_that_is_told_nothing_serves_the_digits_and_what_a_trainer_finds_for_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    async with server.serving(Settings(**ENDPOINT, engine_seconds=0, torch_threads=1)) as serving:
        address = f"127.0.0.1:{serving.port}"
        async with (
            trainer.serving(TrainerSettings(**ENDPOINT, server_address=(address,))) as training,
            AsyncClient(address, trainer_address=f"127.0.0.1:{training.port}") as client,
        ):
            assert [model.name for model in (await client.models())] == ["digits"]
            turned = await client.walk("digits", "rotate", amount=(-20, 20), seeds=1, classes=7, frames=3).collect()
            job = await client.train_sefa("digits", "factors", directions=2)
            (published,) = (await job.result(timeout=400)).artifacts
            assert (published.loaded, published.load_error) == (True, "")
            shifted = await client.walk("digits", "factors", slider="0", seeds=1, classes=7, frames=3).collect()
    for frames in (turned, shifted):
        pictures = frames.array.astype(int)
        assert pictures.shape[:2] == (3, 1)
        assert np.abs(pictures[2] - pictures[0]).mean() > 5
