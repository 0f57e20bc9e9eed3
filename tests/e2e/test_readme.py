"""The README is true: its Python runs, word for word, against real services."""

import re
from pathlib import Path

import pytest
from PIL import Image

README = (Path(__file__).parent.parent.parent / "README.md").read_text()


def test_the_five_minutes_of_sdk_run_as_written(services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    code = code.replace("127.0.0.1:50051", services.server).replace("127.0.0.1:50052", services.trainer)
    monkeypatch.chdir(tmp_path)

    exec(compile(code, "README.md", "exec"), {})

    sizes = {path.name: Image.open(path).size for path in tmp_path.iterdir()}
    assert sizes.keys() == {"face.png", "zoom.png", "zoom.gif", "travel.webp", "my_zoom.gif", "steered.png"}
    assert sizes["face.png"] == (16, 16)
    assert sizes["zoom.png"][0] > 9 * 16
    assert sizes["zoom.png"][1] > 3 * 16


def test_every_document_that_it_links_exists() -> None:
    root = Path(__file__).parent.parent.parent
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]
    assert links
    assert [link for link in links if not (root / link).exists()] == []
