"""docs/sdk.md is true: its Python runs, word for word, but for the addresses and the files of its first lines."""

import re
import shutil
from pathlib import Path

import pytest
from PIL import Image

from latentwalk.client import Client
from latentwalk.gan.artifacts import ArtifactStore, save_generator
from latentwalk.gan.families import build_generator
from latentwalk.gan.spec import SPACES, GeneratorSpec
from latentwalk.server.builtin import BUILTIN

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGE = (ROOT / "docs" / "sdk.md").read_text()
STYLED = GeneratorSpec(
    "stylegan", 6, 0, 16, 3, {"width": 4, "max_width": 8, "mapping_layers": 2}, spaces=SPACES, layers=6, w_size=5
)


@pytest.mark.timeout(900)  # it trains a dozen things
def test_the_python_of_the_page_runs_as_written(start_server, start_trainer, tmp_path: Path, monkeypatch):
    store = tmp_path / "store"
    shutil.copytree(BUILTIN, store)
    styled = build_generator(STYLED).freeze()
    save_generator(ArtifactStore(str(store)), "faces-stylegan", styled, provenance={}, created="2026-01-01T00:00:00Z")
    server = start_server(store=str(store))
    trainer = start_trainer(store=str(store), server_address=(server.address,))
    monkeypatch.chdir(tmp_path)
    Image.new("L", (40, 30), 90).save("my_three.jpg")

    connecting, *pages = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    known: dict[str, object] = {}
    exec(compile(connecting.replace("client.wait_ready()", ""), "sdk.md", "exec"), known)
    assert isinstance(known["client"], Client)
    with Client(server.address, trainer_address=trainer.address) as known["client"]:
        for page in pages:
            exec(compile(page, "sdk.md", "exec"), known)

    assert {"mean.png", "both.gif", "travel.mp4", "turned.gif", "three.npz"} <= {
        path.name for path in tmp_path.iterdir()
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_heading_that_is_linked_exists(page: Path):
    for file, anchor in re.findall(r"\]\(([\w./-]*\.md)?#([\w-]+)\)", page.read_text()):
        target = (page.parent / file if file else page).read_text()
        headings = re.findall(r"^#+ (.*)$", target, flags=re.MULTILINE)
        named = re.findall(r'<a id="([\w-]+)"', target)
        assert anchor in {*named, *(re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings)}
