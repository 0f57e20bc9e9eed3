"""A boundary that others have published, imported by the command and walked through a server."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from dcgan import make_dcgan
from styled import make_styled

from latentwalk.client import AsyncClient, FailedPrecondition
from latentwalk.gan.artifacts import ArtifactStore, save_generator
from latentwalk.gan.images import to_uint8
from latentwalk.gan.latents import latents_from_seeds
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.server import assembly as server
from latentwalk.server.settings import Settings

FACES = GeneratorSpec("dcgan", 6, 0, 16, 3, {"width": 4})


def settings(store: Path) -> Settings:
    return Settings(address="127.0.0.1:0", metrics_address="", store=str(store), engine_seconds=0, torch_threads=1)


def run_import(store: Path, file: Path, generator: str, *more: str) -> None:
    command = [sys.executable, "-m", "latentwalk.cli.main", "import-direction", file, "--store", store]
    subprocess.run([*command, "--generator", generator, "--name", "smile", *more], check=True, capture_output=True)


async def test_a_server_walks_an_imported_boundary_to_the_pictures_that_its_vector_leads_to(tmp_path: Path) -> None:
    store, file, faces = tmp_path / "store", tmp_path / "smile_boundary.npy", make_dcgan(FACES, contrast=0.3)
    save_generator(ArtifactStore(str(store)), "faces", faces, provenance={}, created="")
    boundary = np.array([[3.0, 0, -4, 0, 0, 0]])
    np.save(file, boundary)
    async with server.serving(settings(store)) as serving, AsyncClient(f"127.0.0.1:{serving.port}") as client:
        run_import(store, file, "faces", "--normalise", "--range", "-2", "2")
        loaded = await client.load_direction("faces", "smile")
        (slider,) = loaded.sliders
        assert (loaded.generator_digest, loaded.space, loaded.form) == (faces.digest, "z", "linear")
        assert loaded.provenance is not None
        assert (loaded.provenance.method, loaded.provenance.file) == ("import", "smile_boundary.npy")
        assert (slider.name, slider.trained.alpha, slider.limit.alpha) == ("smile", (-2, 2), (-4, 4))
        frames = await client.walk("faces", "smile", alpha=(-2, 2), seeds=5, frames=3).collect()
        z = latents_from_seeds([5], FACES) + torch.tensor([[-2.0], [0], [2]]) * torch.tensor(boundary / 5).float()
        expected = to_uint8(faces(z), FACES.range).numpy().astype(int)
        assert np.abs(frames.array[:, 0].astype(int) - expected).max() <= 1
        assert np.abs(expected[2] - expected[0]).mean() > 5

        other = make_dcgan(FACES, 9, contrast=0.3)
        save_generator(ArtifactStore(str(store)), "faces", other, provenance={}, created="")
        assert (await client.load_model("faces")).dropped_directions == ("smile",)
        with pytest.raises(FailedPrecondition, match=faces.digest):
            await client.load_direction("faces", "smile")


async def test_a_server_walks_an_imported_vector_in_w_plus_in_its_layers(tmp_path: Path) -> None:
    store, file, styled = tmp_path / "store", tmp_path / "smile.npy", make_styled()
    save_generator(ArtifactStore(str(store)), "styled", styled, provenance={}, created="")
    vector = np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)
    np.save(file, vector)
    run_import(store, file, "styled", "--space", "w+", "--layers", "1-2")
    async with server.serving(settings(store)) as serving, AsyncClient(f"127.0.0.1:{serving.port}") as client:
        direction = await client.direction("styled", "smile")
        assert (direction.space, direction.layers) == ("w+", (1, 2))
        codes = await client.map_latents("styled", seeds=[5], classes=1)
        walked = await client.walk("styled", "smile", alpha=(0, 2), w=codes, frames=2).collect()
        codes[:, 1:3] += 2 * vector[1:3]
        expected = await client.generate("styled", w=codes)
    assert np.abs(walked.array[1].astype(int) - expected.array.astype(int)).max() <= 1
    assert np.abs(walked.array[1].astype(int) - walked.array[0]).mean() > 1
