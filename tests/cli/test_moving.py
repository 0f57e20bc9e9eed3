"""Walks and interpolations whose frames are picked so that each differs as much from the next."""

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from latentwalk.cli.commands import app

SIDE, GAP = 32, 2


@pytest.fixture
def draw(address, tmp_path):
    """Runs a command that writes a strip of digits; gives what it says and the frames [F, H, W]."""

    def run(*arguments: str):
        path = tmp_path / "frames.png"
        done = CliRunner().invoke(app, ["--server", address, *arguments, "--out", str(path)])
        assert done.exit_code == 0, done.output
        with Image.open(path) as image:
            strip = np.asarray(image.convert("L"), np.float32)
        frames = [strip[:, left : left + SIDE] for left in range(0, strip.shape[1], SIDE + GAP)]
        return done.stdout.removeprefix(f"{path}: ").strip(), np.stack(frames)

    return run


def steps(frames):
    """How far each frame is from the next."""
    return np.sqrt(((frames[1:] - frames[:-1]) ** 2).mean(axis=(1, 2)))


TRAVEL = ["interpolate", "digits", "--classes", "3", "--seeds", "1,2", "--frames-per-leg", "12", "--easing", "in_out"]


def test_as_many_frames_as_were_asked_for_differ_more_evenly(draw):
    told, plain = draw(*TRAVEL)
    also_told, evenly = draw(*TRAVEL, "--evenly")
    assert told == also_told == "13 frames of 1 picture"
    assert steps(evenly).std() / steps(evenly).mean() < 0.5 * steps(plain).std() / steps(plain).mean()
    assert np.abs(evenly[[0, -1]] - plain[[0, -1]]).max() <= 1


def test_a_loop_is_even_also_where_it_closes(draw):
    told, frames = draw("walk", "digits", "rotate", "--classes", "3", "--frames", "9", "--loop", "--evenly")
    assert told == "16 frames of 1 picture"
    closing = steps(np.stack([frames[-1], frames[0]]))[0]
    assert closing > 0.5 * steps(frames).mean()


def test_what_is_picked_does_not_go_on_from_a_frame(address, tmp_path):
    path = str(tmp_path / "frames.gif")
    arguments = [*TRAVEL, "--evenly", "--from-frame", "3", "--out", path]
    done = CliRunner().invoke(app, ["--server", address, *arguments])
    assert done.exit_code == 2
    assert "--evenly" in done.stderr
