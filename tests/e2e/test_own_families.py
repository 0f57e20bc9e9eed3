"""A family of generators in a package of somebody else, as docs/store.md has it: imported, served and steered."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from latentwalk.cli.demo.processes import free_address
from latentwalk.client import Client
from latentwalk.gan.artifacts import ArtifactStore, load_generator, save_direction
from latentwalk.gan.directions import LinearDirection, Slider
from latentwalk.gan.errors import GanError, UnknownFamily
from latentwalk.gan.families import FAMILIES, family_names, family_of
from latentwalk.gan.images import to_uint8
from latentwalk.gan.latents import latents_from_seeds

PAGE = (Path(__file__).parents[2] / "docs" / "store.md").read_text()


def install(folder: Path, package: str, families: dict[str, str], code: str = "") -> None:
    """Puts a package where Python finds it, as pip does: its module, and what it says of itself."""
    about = folder / f"{package}-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    lines = "".join(f"{name} = {place}\n" for name, place in families.items())
    (about / "entry_points.txt").write_text(f"[latentwalk.families]\n{lines}")
    (folder / f"{package}.py").write_text(code)


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder from which this process, and those that it starts, import."""
    folder = tmp_path / "packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]))
    return folder


def test_the_family_of_the_page_is_imported_served_and_steered(packages: Path, tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    (named,) = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
    assert named == '[project.entry-points."latentwalk.families"]\nmygan = "mygan:MyGAN"\n'
    install(packages, "mygan", {"mygan": "mygan:MyGAN"}, code)
    assert family_names() == (*FAMILIES, "mygan")
    torch.manual_seed(0)
    weights = {"layers.0.weight": torch.randn(64, 8), "layers.0.bias": torch.randn(64)}
    weights |= {"layers.2.weight": torch.randn(768, 64) / 8, "layers.2.bias": torch.randn(768)}
    torch.save(weights, tmp_path / "weights.pt")

    command = ["import", tmp_path / "weights.pt", "--family", "mygan", "--name", "mine", "--store", tmp_path / "store"]
    done = subprocess.run([sys.executable, "-m", "latentwalk.cli.main", *command], check=True, capture_output=True)
    store = ArtifactStore(str(tmp_path / "store"))
    generator, _ = load_generator(store, "mine")
    assert json.loads(done.stdout)["digest"] == generator.digest
    slider = Slider("right", "", "", 1.0, (-2.0, 2.0), (-3.0, 3.0))
    right = LinearDirection("right", generator.digest, (slider,), torch.ones(1, 8))
    save_direction(store, "mine", right, provenance={}, created="")

    address = free_address()
    serve = [sys.executable, "-m", "latentwalk.server", "--store", str(tmp_path / "store"), "--address", address]
    process = subprocess.Popen([*serve, "--metrics-address", "", "--engine-seconds", "0"], stderr=subprocess.DEVNULL)
    try:
        with Client(address) as client:
            client.wait_ready(None)
            walked = client.walk("mine", "right", alpha=(0, 2), seeds=3, frames=2).collect()
    finally:
        process.terminate()
        process.wait()
    z = latents_from_seeds([3], generator.spec) + torch.tensor([[0.0], [2.0]])
    with torch.inference_mode():
        expected = to_uint8(generator(z), generator.spec.range).numpy().astype(int)
    assert np.abs(walked.array[:, 0].astype(int) - expected).max() <= 1
    assert np.abs(expected[1] - expected[0]).mean() > 5


def test_what_is_no_family_is_told(packages: Path) -> None:
    install(packages, "notgan", {"broken": "notgan:Missing", "odd": "notgan:odd", "twice": "notgan:odd"}, "odd = 7")
    install(packages, "alsogan", {"twice": "alsogan:odd"})
    with pytest.raises(GanError, match=r"family 'broken' cannot be loaded from notgan:Missing: AttributeError"):
        family_of("broken")
    with pytest.raises(
        GanError, match=r"family 'odd' is 7: it must be a subclass of latentwalk\.gan\.generator\.Generator"
    ):
        family_of("odd")
    with pytest.raises(GanError, match=r"family 'twice' is in several packages \(alsogan, notgan\)"):
        family_of("twice")
    with pytest.raises(UnknownFamily, match="biggan, broken, odd, twice"):
        family_of("nowhere")


def test_no_package_takes_the_place_of_a_family_of_ours(packages: Path) -> None:
    install(packages, "takeover", {"dcgan": "takeover:DCGAN"}, "raise SystemExit")
    assert family_of("dcgan") is FAMILIES["dcgan"]
    assert family_names() == tuple(FAMILIES)
