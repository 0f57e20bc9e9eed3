"""Whatever is saved is there whole, or what was there before is; where that cannot be, it is written in place."""

import os
import resource
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from latentwalk.client import JobSample, Picture
from latentwalk.client._files import save_moving
from latentwalk.client._found import Found

NOISE = Picture.from_array(np.random.default_rng(0).integers(0, 256, (96, 96, 3), np.uint8))
PNG = Picture(NOISE.png(), "png", 96, 96, 3)
FOUND = Found(1, "w+", np.zeros((18, 512), np.float32), None, 0.1, NOISE, 0, "1", "sha256:0")
SAVING: dict[str, Callable[[Path], Any]] = {
    "drawn.png": NOISE.save,
    "as_it_came.png": PNG.save,
    "moving.gif": lambda path: save_moving([NOISE.image()] * 3, path, 12),
    "moving.mp4": lambda path: save_moving([NOISE.image()] * 60, path, 12),
    "found.npz": FOUND.save,
    "sample.png": JobSample(1, "faces", PNG.data).save,
}
EACH = pytest.mark.parametrize("name", SAVING)


@contextmanager
def hardly_any_room() -> Generator[None]:
    """By a limit on the size of a file, which fails as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@EACH
def test_a_file_that_has_no_room_leaves_the_one_of_before(tmp_path: Path, name: str):
    file = tmp_path / name
    file.write_bytes(b"of yesterday")
    with hardly_any_room(), pytest.raises(OSError, match="File too large"):
        SAVING[name](file)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {name: b"of yesterday"}


@EACH
def test_a_file_takes_the_place_of_the_one_of_before_and_is_as_open_to_others(tmp_path: Path, name: str):
    file = tmp_path / name
    file.write_bytes(b"of yesterday")
    file.chmod(0o640)
    SAVING[name](file)
    assert file.read_bytes() != b"of yesterday"
    assert file.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_leads_to_what_is_written(tmp_path: Path):
    (tmp_path / "latest.png").symlink_to(tmp_path / "1.png")
    NOISE.save(tmp_path / "latest.png")
    assert (tmp_path / "latest.png").is_symlink()
    assert Image.open(tmp_path / "1.png").size == (96, 96)


def test_a_pipe_is_written_to(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.png")
    read: list[bytes] = []
    reading = threading.Thread(target=lambda: read.append((tmp_path / "pipe.png").read_bytes()))
    reading.start()
    PNG.save(tmp_path / "pipe.png")
    reading.join(60)
    assert read == [PNG.data]


@pytest.mark.parametrize("name", ["drawn.png", "moving.gif", "found.npz"])
def test_a_folder_that_is_not_there_is_told_of_by_the_name_that_was_given(tmp_path: Path, name: str):
    with pytest.raises(FileNotFoundError) as caught:
        SAVING[name](tmp_path / "nowhere" / name)
    assert str(caught.value) == f"[Errno 2] No such file or directory: '{tmp_path / 'nowhere' / name}'"


_SAVE = """
import os, sys
from latentwalk.client import Picture
if os.getuid() == 0:
    os.setuid(65534)  # root may write everything
Picture(b"x" * 64, "raw", 8, 8, 1).save(sys.argv[1])
"""


@pytest.fixture
def anybodys():
    """A folder that whoever runs the test, and everybody else, gets to: those above `tmp_path` are for one user."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
        Path(folder).chmod(0o700)


@pytest.mark.parametrize(("folder", "file", "is_saved"), [(0o555, 0o666, True), (0o777, 0o444, False)])
def test_what_may_be_written_stays_what_may_be_written(anybodys: Path, folder: int, file: int, is_saved: bool):
    """A file in a folder that takes no others is written in place; one that is read-only is not replaced by another."""
    one = anybodys / "one.png"
    one.write_bytes(b"of yesterday")
    one.chmod(file)
    anybodys.chmod(folder)
    done = subprocess.run([sys.executable, "-c", _SAVE, one], capture_output=True, text=True)
    assert (one.read_bytes() != b"of yesterday") is is_saved
    assert (done.returncode == 0) is is_saved
    assert is_saved or f"Permission denied: '{one}'" in done.stderr
