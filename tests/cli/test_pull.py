"""`latentwalk pull`: only the files that we know, and nothing of theirs is executed."""

import dataclasses
import hashlib
import json
import pickle
import zipfile
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from latentwalk.cli import pull
from latentwalk.cli.commands import app
from latentwalk.cli.failures import CommandFailed
from latentwalk.gan.artifacts import ArtifactStore, load_generator


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def make_wheel(folder: Path, weights: bytes) -> tuple[Path, pull.Source]:
    """A wheel that pip accepts, with a checkpoint in it, and the source that knows it."""
    folder.mkdir(exist_ok=True)
    wheel = folder / "tiny_faces-1.0-py3-none-any.whl"
    metadata = "Metadata-Version: 2.1\nName: tiny-faces\nVersion: 1.0\nRequires-Dist: no-such-dependency\n"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny_faces/weights.tar", weights)
        archive.writestr("tiny_faces-1.0.dist-info/LICENSE", "do what you like")
        archive.writestr("tiny_faces-1.0.dist-info/METADATA", metadata)
        archive.writestr("tiny_faces-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("tiny_faces-1.0.dist-info/RECORD", "")
    source = dataclasses.replace(
        pull.FACES,
        requirement="tiny-faces==1.0",
        wheel_sha256=sha256(wheel.read_bytes()),
        weights="tiny_faces/weights.tar",
        weights_sha256=sha256(weights),
        licence="tiny_faces-1.0.dist-info/LICENSE",
    )
    return wheel, source


@pytest.fixture
def checkpoint(generator, tmp_path) -> bytes:
    path = tmp_path / "checkpoint.tar"
    torch.save({"netG_state_dict": generator.state_dict(), "epoch": 3}, path)
    return path.read_bytes()


@pytest.fixture
def offline(monkeypatch, tmp_path) -> Path:
    """pip finds wheels in this folder and nowhere else."""
    folder = tmp_path / "wheels"
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_a_known_wheel_becomes_a_generator_in_the_store_with_its_licence(offline, checkpoint, generator, tmp_path):
    _, source = make_wheel(offline, checkpoint)
    store = tmp_path / "store"
    assert not pull.published(store, source)
    described = json.loads(pull.publish(store, source))
    assert (described["name"], described["version"]) == ("faces", 1)
    assert pull.published(store, source)
    loaded, _ = load_generator(ArtifactStore(str(store)), "faces")
    assert loaded.digest == generator.digest == described["digest"]
    assert (store / "licences" / "faces.txt").read_text() == "do what you like"


def test_what_is_there_is_not_fetched_again_unless_forced(offline, checkpoint, tmp_path, monkeypatch, publish_faces):
    _, source = make_wheel(offline, checkpoint)
    monkeypatch.setattr(pull, "FACES", source)
    publish_faces(tmp_path)

    def faces(*flags: str):
        return CliRunner().invoke(app, ["pull", "faces", "--store", str(tmp_path / "store"), *flags])

    assert "already" in faces().stdout
    assert json.loads(faces("--json").stdout)["name"] == "faces"
    assert json.loads(faces("--force", "--json").stdout)["version"] == 2
    assert faces("--force").stdout.splitlines() == [
        f"faces version 3 is in {tmp_path / 'store'}; a server that runs takes it by",
        "latentwalk models load faces",
    ]


def test_a_changed_wheel_is_refused_with_both_sums(offline, checkpoint, tmp_path):
    wheel, source = make_wheel(offline, checkpoint)
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("tiny_faces/extra.py", "print('hello')")
    changed = sha256(wheel.read_bytes())
    with pytest.raises(CommandFailed, match=f"tiny_faces.*is {changed}, must be {source.wheel_sha256}"):
        pull.publish(tmp_path / "store", source)
    assert not pull.published(tmp_path / "store", source)


def test_changed_weights_are_refused_even_in_a_wheel_of_the_right_sum(offline, checkpoint):
    wheel, source = make_wheel(offline, checkpoint)
    with pytest.raises(CommandFailed, match=r"weights\.tar is not the file we know"):
        pull.unpack(wheel, dataclasses.replace(source, weights_sha256="0" * 64))


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_checkpoint_that_would_execute_something_is_refused_and_executes_nothing(offline, tmp_path):
    trace = tmp_path / "executed"
    _, source = make_wheel(offline, pickle.dumps({"netG_state_dict": Bomb(trace)}))
    with pytest.raises(CommandFailed, match=r"cannot import tiny_faces/weights\.tar: "):
        pull.publish(tmp_path / "store", source)
    assert not trace.exists()
    assert not pull.published(tmp_path / "store", source)


def test_a_download_that_fails_is_told_in_one_line(offline, monkeypatch, tmp_path):
    offline.mkdir()
    done = CliRunner().invoke(app, ["pull", "faces", "--store", str(tmp_path / "store")])
    assert done.exit_code == 1
    fetching, error = done.stderr.splitlines()
    assert fetching == "fetching gan-face-generate==1.1.1 from PyPI"
    assert error.startswith("error: pip cannot download gan-face-generate==1.1.1: ")
