"""`latentwalk invert` when something comes between."""

import signal

import pytest
from PIL import Image

from latentwalk.client import load_latents


@pytest.fixture
def mine(tmp_path):
    Image.new("RGB", (64, 64), "red").save(tmp_path / "mine.png")
    return tmp_path / "mine.png"


def test_a_search_that_is_interrupted_leaves_the_best_so_far(services, start_latentwalk, mine, tmp_path, wait_until):
    out, latent = tmp_path / "found.png", tmp_path / "found.npz"
    process = start_latentwalk(*services.flags, "invert", "faces", mine, "--out", out, "--steps", 10_000)
    wait_until(latent.exists)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in told
    assert load_latents(latent)["z"].shape == (1, 6)
    assert Image.open(out).size == (64, 64)


@pytest.mark.parametrize("out", ["found.doc", "nowhere/found.png"])
def test_a_file_that_cannot_be_written_is_told_of_before_the_search(latentwalk, mine, tmp_path, out):
    refused = latentwalk("invert", "faces", mine, "--out", tmp_path / out, "--steps", 10_000)
    assert refused.exit_code == 1
    assert out.split("/")[0] in refused.stderr
    assert "/10000" not in refused.stderr


def test_the_latent_has_a_file_of_its_own(latentwalk, mine, tmp_path):
    out = tmp_path / "found.png"
    refused = latentwalk("invert", "faces", mine, "--out", out, "--to", tmp_path / "." / "found.png")
    assert (refused.exit_code, "for --to: " in refused.stderr, out.exists()) == (2, True, False)


def test_a_search_that_is_refused_shows_no_bar(latentwalk, mine, tmp_path):
    refused = latentwalk("invert", "faces", mine, "--out", tmp_path / "found.png", "--classes", 3)
    assert refused.stderr.startswith("error: starts[0].condition")
    assert len(refused.stderr.splitlines()) == 1


def test_a_folder_is_no_file_to_write(latentwalk, mine):
    refused = latentwalk("invert", "faces", mine, "--out", "")
    assert (refused.exit_code, "is a directory" in refused.stderr) == (2, True)


def test_noise_is_not_asked_for_which_a_search_never_takes(latentwalk, mine, tmp_path):
    refused = latentwalk("invert", "faces", mine, "--out", tmp_path / "found.png", "--noise", "none")
    assert (refused.exit_code, "No such option" in refused.stderr) == (2, True)
