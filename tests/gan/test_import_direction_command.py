"""Vectors of others, imported by the command line."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from dcgan import make_dcgan
from safetensors.torch import save_file
from styled import make_styled

from latentwalk.gan.__main__ import main
from latentwalk.gan.artifacts import ArtifactStore, load_direction, save_generator
from latentwalk.gan.generator import Generator

BOUNDARY = np.array([[0.0, 3.0, 0.0, -4.0, 0.0, 0.0]])


@pytest.fixture
def boundary(tmp_path: Path) -> Path:
    path = tmp_path / "stylegan_ffhq_smile_boundary.npy"
    np.save(path, BOUNDARY)
    return path


@pytest.fixture
def faces(generator: Generator, store: ArtifactStore) -> Generator:
    save_generator(store, "faces", generator, provenance={}, created="")
    return generator


def arguments(file: Path, tmp_path: Path, *more: str, generator: str = "faces") -> list[str]:
    store = str(tmp_path / "store")
    return ["import-direction", str(file), "--generator", generator, "--name", "smile", "--store", store, *more]


def test_a_boundary_becomes_a_direction_that_is_bound_to_its_generator(
    faces: Generator, boundary: Path, store: ArtifactStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(boundary, tmp_path)) == 0
    assert json.loads(capsys.readouterr().out) == {
        "kind": "directions",
        "name": "faces/smile",
        "version": 1,
        "generator_digest": faces.digest,
        "space": "z",
        "sliders": ["smile"],
        "lengths_in_file": [5.0, 5.0],
    }
    direction, _ = load_direction(store, "faces", "smile")
    direction.check_generator(faces.digest)
    moved = direction.walk(torch.zeros(1, 6), 0, 2.0)
    assert moved.tolist() == (2 * BOUNDARY).tolist()


def test_its_provenance_names_the_file_and_how_it_was_read(
    faces: Generator, boundary: Path, store: ArtifactStore, tmp_path: Path
) -> None:
    assert main(arguments(boundary, tmp_path, "--normalise")) == 0
    manifest = store.get("directions", "faces/smile").manifest
    assert manifest["created"]
    assert manifest["provenance"] == {
        "method": "import",
        "imported": {
            "file": "stylegan_ffhq_smile_boundary.npy",
            "sha256": hashlib.sha256(boundary.read_bytes()).hexdigest(),
            "key": None,
            "normalised": True,
            "columns": False,
        },
        "generator": {"name": "faces", "version": 1, "digest": faces.digest},
    }


def test_it_may_be_for_an_older_version_of_the_generator(
    faces: Generator, boundary: Path, store: ArtifactStore, tmp_path: Path
) -> None:
    save_generator(store, "faces", make_dcgan(faces.spec, 7), provenance={}, created="")
    assert main(arguments(boundary, tmp_path, "--version", "1")) == 0
    assert load_direction(store, "faces", "smile")[0].generator_digest == faces.digest


def test_factors_in_columns_are_taken_out_of_what_torch_saved(
    faces: Generator, store: ArtifactStore, tmp_path: Path
) -> None:
    file, factors = tmp_path / "factor.pt", torch.linalg.qr(torch.randn(6, 6)).Q
    torch.save({"ckpt": "stylegan2.pt", "eigvec": factors}, file)
    assert main(arguments(file, tmp_path, "--columns", "--range", "-5", "5")) == 0
    direction, _ = load_direction(store, "faces", "smile")
    assert [slider.name for slider in direction.sliders] == ["0", "1", "2", "3", "4", "5"]
    assert direction.sliders[0].trained == (-5, 5)
    assert torch.equal(direction.tensors["vectors"], factors.T)


def test_one_of_several_in_a_file_of_safetensors_moves_some_layers_of_w_plus(
    store: ArtifactStore, tmp_path: Path
) -> None:
    save_generator(store, "styled", make_styled(), provenance={}, created="")
    file, smile = tmp_path / "edits.safetensors", torch.randn(2, 4, 5)
    save_file({"smile": smile, "age": torch.randn(4, 5)}, file)
    more = ("--key", "smile", "--layers", "0-1,3", "--sliders", "open,closed")
    assert main(arguments(file, tmp_path, *more, generator="styled")) == 0
    direction, _ = load_direction(store, "styled", "smile")
    assert (direction.space, direction.layers) == ("w+", (0, 1, 3))
    assert [slider.name for slider in direction.sliders] == ["open", "closed"]
    moved = direction.walk(torch.zeros(1, 4, 5), 1, 1.0)[0]
    assert torch.equal(moved[[0, 1, 3]], smile[1, [0, 1, 3]])


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--space", "w"), "boundary.npy: invalid space: it is w, the generator has z"),
        (("--key", "smile"), "key of the tensor in the checkpoint is 'smile': there is but one, leave it out"),
        (("--sliders", "a,b"), "2 names were given for 1 sliders"),
        (("--range", "1", "3"), "range of alpha is 1 to 3"),
        (("--layers", "0-3"), "boundary.npy: invalid layers: z has none"),
        (("--generator", "cats"), "no 'cats' in generators: use one of faces"),
        (("--version", "2"), "no 'faces' version 2 in generators: use one of 1"),
        (("--name", "No Name"), "No Name"),
    ],
)
def test_an_error_is_one_line_and_nothing_is_published(
    faces: Generator,
    boundary: Path,
    store: ArtifactStore,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    more: tuple[str, ...],
    said: str,
) -> None:
    assert main(arguments(boundary, tmp_path, *more)) == 2
    captured = capsys.readouterr()
    assert (captured.out, captured.err.count("\n")) == ("", 1)
    assert captured.err.startswith("error: ")
    assert said in captured.err
    assert store.list("directions") == []


def test_a_boundary_of_a_larger_generator_is_refused_with_what_fits(
    faces: Generator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "boundary.npy"
    np.save(file, np.ones((1, 512)))
    assert main(arguments(file, tmp_path)) == 2
    assert capsys.readouterr().err == (
        f"error: refused checkpoint {file}: it holds an array of [1, 512], it must be [K, 6] in z; without K for one\n"
    )


@pytest.mark.parametrize("text", ["3-0", "-1", "a", "0-64", "1--2", "", "9" * 5_000, "²"])
def test_layers_that_cannot_be_are_refused(
    boundary: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments(boundary, tmp_path, f"--layers={text}"))
    assert "is neither a layer below 64 nor a range like 0-3" in capsys.readouterr().err
