import argparse
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from golden import golden
from module_pickles import module_of, networks, write
from safetensors.torch import save_file
from stylegan2_layouts import make_stylegan2, rosinality_layout, tensorflow_layout

from latentwalk.gan.__main__ import main
from latentwalk.gan.artifacts import ArtifactStore, load_generator
from latentwalk.gan.generator import Generator
from latentwalk.gan.latents import z_from_seeds


@pytest.fixture
def checkpoint(generator: Generator, tmp_path: Path) -> Path:
    path = tmp_path / "netG_epoch_5.pth"
    torch.save({"netG_state_dict": generator.state_dict(), "epoch": 5}, path)
    return path


def arguments(checkpoint: Path, tmp_path: Path, *more: str, family: str = "dcgan") -> list[str]:
    store = str(tmp_path / "store")
    return ["import", str(checkpoint), "--family", family, "--name", "faces", "--store", store, *more]


def test_a_checkpoint_becomes_a_generator_of_the_store(
    generator: Generator, checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(checkpoint, tmp_path)) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == {"kind": "generators", "name": "faces", "version": 1, "digest": generator.digest}
    loaded, _ = load_generator(ArtifactStore(str(tmp_path / "store")), "faces")
    assert loaded.digest == generator.digest
    z = z_from_seeds([1], 6)
    assert torch.equal(loaded(z), generator(z))
    provenance = ArtifactStore(str(tmp_path / "store")).get("generators", "faces").manifest["provenance"]
    assert provenance["imported"]["file"] == "netG_epoch_5.pth"


def test_classes_are_told_apart_from_the_latent(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(checkpoint, tmp_path, "--classes", "2", "--key", "netG_state_dict")) == 0
    assert capsys.readouterr().out
    loaded, _ = load_generator(ArtifactStore(str(tmp_path / "store")), "faces")
    assert (loaded.spec.latent_size, loaded.spec.classes) == (4, 2)


@pytest.mark.parametrize(("more", "truncation"), [((), 1.0), (("--truncation", "0.4"), 0.4)])
def test_a_biggan_is_imported_for_one_truncation(tmp_path: Path, more: tuple[str, ...], truncation: float) -> None:
    published = golden("biggan_deep")
    checkpoint = tmp_path / "pytorch_model.bin"
    torch.save(published.checkpoint, checkpoint)
    assert main(arguments(checkpoint, tmp_path, *more, family="biggan_deep")) == 0
    loaded, _ = load_generator(ArtifactStore(str(tmp_path / "store")), "faces")
    assert loaded.spec.truncation == truncation
    pictures = loaded(published.z, published.condition)
    assert (pictures - published.pictures[truncation]).abs().max() < 1e-5


def test_a_progan_is_imported_from_what_pytorch_gan_zoo_writes(tmp_path: Path) -> None:
    known = golden("progan_gan_zoo")
    checkpoint = tmp_path / "celebaHQ_s6_i80000.pth"
    torch.save({"avgG": known.checkpoint, "netG": {"w": torch.ones(1)}, "config": argparse.Namespace()}, checkpoint)
    assert main(arguments(checkpoint, tmp_path, "--key", "avgG", family="progan")) == 0
    loaded, _ = load_generator(ArtifactStore(str(tmp_path / "store")), "faces")
    assert (loaded(known.z) - known.pictures[1.0]).abs().max() < 2e-5


def test_a_dcgan_is_imported_from_what_pytorch_gan_zoo_writes(tmp_path: Path) -> None:
    known = golden("dcgan_gan_zoo")
    checkpoint = tmp_path / "DCGAN_fashionGen.pth"
    decides = {"decisionLayer.weight": torch.ones(1, 4, 4, 4)}
    torch.save({"netG": known.checkpoint, "netD": decides, "config": argparse.Namespace()}, checkpoint)
    assert main(arguments(checkpoint, tmp_path, "--key", "netG")) == 0
    loaded, _ = load_generator(ArtifactStore(str(tmp_path / "store")), "faces")
    assert (loaded(known.z) - known.pictures[1.0]).abs().max() < 1e-5


def test_a_progan_is_imported_from_a_file_as_old_as_that_of_ptrblck(tmp_path: Path) -> None:
    known = golden("progan_ptrblck")
    checkpoint = tmp_path / "100_celeb_hq_network-snapshot-010403.pth"
    torch.save(known.checkpoint, checkpoint, _use_new_zipfile_serialization=False)
    assert main(arguments(checkpoint, tmp_path, family="progan")) == 0
    loaded, _ = load_generator(ArtifactStore(str(tmp_path / "store")), "faces")
    assert (loaded(known.z) - known.pictures[1.0]).abs().max() < 2e-5


@pytest.mark.parametrize("config", ["t", "r"])
def test_a_stylegan3_is_imported_and_what_is_not_stored_of_it_follows(tmp_path: Path, config: str) -> None:
    known = golden(f"stylegan3_{config}")
    checkpoint = write(tmp_path / "stylegan3.pkl", networks(module_of(known.checkpoint)))
    assert main(arguments(checkpoint, tmp_path, "--key", "G_ema", family="stylegan3")) == 0
    loaded, _ = load_generator(ArtifactStore(str(tmp_path / "store")), "faces")
    assert (loaded(known.z, known.condition) - known.pictures[1.0]).abs().max() < 1e-5


@pytest.mark.parametrize(
    "beside",
    [
        {"latent_avg": torch.zeros(7)},
        {"g": {"w": torch.ones(1)}, "args": argparse.Namespace(size=8, lr=0.002, tags=["a"]), "ada_aug_p": 0.0},
    ],
    ids=["published", "of a training"],
)
def test_a_stylegan2_is_imported_from_what_rosinality_writes(tmp_path: Path, beside: dict[str, object]) -> None:
    original = make_stylegan2(resolution=8)
    checkpoint = tmp_path / "stylegan2-ffhq.pt"
    torch.save({"g_ema": rosinality_layout(original), **beside}, checkpoint)
    assert main(arguments(checkpoint, tmp_path, "--key", "g_ema", family="stylegan2")) == 0
    loaded, _ = load_generator(ArtifactStore(str(tmp_path / "store")), "faces")
    z = z_from_seeds([1, 2], 6)
    torch.testing.assert_close(loaded(z), original(z))


def test_a_file_of_safetensors_is_imported(
    generator: Generator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = tmp_path / "netG.safetensors"
    save_file(generator.state_dict(), checkpoint)
    assert main(arguments(checkpoint, tmp_path)) == 0
    assert json.loads(capsys.readouterr().out)["digest"] == generator.digest


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"style.1.bias": torch.full((7,), math.nan)}, "mapping.layers.0.bias of the checkpoint has 7 of 7 numbers"),
        ({"style.1.bias": torch.full((7,), 1e300, dtype=torch.float64)}, "not finite: take one that can be drawn with"),
        ({"style.1.bias": torch.ones(7, dtype=torch.uint8)}, "is of torch.uint8: it must be of torch.float32"),
        ({"to_rgb1.bias": torch.zeros(0, 3, 1, 1)}, "synthesis.colours.0.bias is (0, 3, 1, 1), expected (3,)"),
    ],
)
def test_weights_that_cannot_be_drawn_with_are_refused_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], broken: dict[str, torch.Tensor], said: str
) -> None:
    checkpoint = tmp_path / "stylegan2-ffhq.pt"
    torch.save({"g_ema": rosinality_layout(make_stylegan2(resolution=8)) | broken}, checkpoint)
    assert main(arguments(checkpoint, tmp_path, family="stylegan2")) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: refused checkpoint {checkpoint}: ")
    assert error.count("\n") == 1
    assert said in error
    assert not (tmp_path / "store").exists()


def test_of_weights_of_another_family_it_is_said_of_which(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checkpoint = tmp_path / "stylegan2.pth"
    torch.save(tensorflow_layout(make_stylegan2(resolution=8)), checkpoint)
    assert main(arguments(checkpoint, tmp_path, family="stylegan")) == 2
    assert capsys.readouterr().err.endswith(" ...; it is of --family stylegan2\n")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--key", "netD_state_dict"), "netG_state_dict"),
        (("--classes", "6"), "latent_size"),
        (("--truncation", "0.5"), "the family dcgan knows none"),
        (("--name", "No Name"), "No Name"),
        (("--store", "nonsense://x"), "nonsense"),
    ],
)
def test_an_error_is_one_line_and_status_2(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], said: str
) -> None:
    assert main(arguments(checkpoint, tmp_path, *more)) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    assert said in captured.err


def test_a_file_that_is_no_checkpoint_is_an_error_of_the_real_command(tmp_path: Path) -> None:
    garbage = tmp_path / "garbage.pth"
    garbage.write_bytes(b"not a checkpoint")
    command = [sys.executable, "-m", "latentwalk.gan", *arguments(garbage, tmp_path)]
    finished = subprocess.run(command, capture_output=True, text=True, env=os.environ, check=False)
    assert finished.returncode == 2
    assert finished.stdout == ""
    assert finished.stderr.startswith(f"error: refused checkpoint {garbage}")
    assert finished.stderr.count("\n") == 1
