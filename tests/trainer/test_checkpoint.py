"""Checkpoints: whole or not there, the newest whole one counts."""

import hashlib
import json
from pathlib import Path

import pytest
import safetensors.torch
import torch

from latentwalk.trainer.checkpoint import CheckpointFailed, Checkpoints


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "checkpoints"


def save(folder, *steps):
    checkpoints = Checkpoints(folder)
    for step in steps:
        checkpoints.save(step, {"w": torch.full((2, 3), step / 3)}, {"elapsed": step / 7}, {"train": f"sha256:{step}"})
    return checkpoints


def read(folder):
    problems = []
    return Checkpoints(folder).newest(problems.append), problems


def test_an_empty_folder_has_no_checkpoint(folder):
    assert read(folder) == (None, [])


def test_what_was_saved_comes_back_bit_for_bit(folder):
    save(folder, 1_000_000)
    checkpoint, problems = read(folder)
    assert (checkpoint.step, checkpoint.numbers, problems) == (1_000_000, {"elapsed": 1_000_000 / 7}, [])
    assert checkpoint.data == {"train": "sha256:1000000"}
    assert torch.equal(checkpoint.tensors["w"], torch.full((2, 3), 1_000_000 / 3))


def test_what_comes_back_may_be_changed_in_place_without_changing_the_file(folder):
    save(folder, 1)
    read(folder)[0].tensors["w"].add_(1)
    checkpoint, problems = read(folder)
    assert problems == []
    assert torch.equal(checkpoint.tensors["w"], torch.full((2, 3), 1 / 3))


def test_the_newest_two_are_kept(folder):
    save(folder, 9, 10, 100)
    assert sorted(int(path.name[5:14]) for path in folder.iterdir()) == [10, 100]


def test_one_that_was_written_before_data_had_a_digest_in_it_is_read(folder):
    content = safetensors.torch.save({"w": torch.zeros(1)}, {"latentwalk": json.dumps({"elapsed": 2.5})})
    folder.mkdir()
    (folder / f"step-000000004.{hashlib.sha256(content).hexdigest()}.safetensors").write_bytes(content)
    checkpoint, problems = read(folder)
    assert (checkpoint.step, checkpoint.numbers, checkpoint.data, problems) == (4, {"elapsed": 2.5}, {}, [])


@pytest.mark.parametrize("damage", ["truncated", "flipped", "emptied"])
def test_a_damaged_newest_checkpoint_is_reported_and_the_one_before_is_used(folder, damage):
    save(folder, 1, 2)
    newest = max(folder.iterdir())
    content = bytearray(newest.read_bytes())
    if damage == "truncated":
        content = content[:-5]
    elif damage == "flipped":
        content[-1] ^= 1
    else:
        content = bytearray()
    newest.write_bytes(content)
    checkpoint, problems = read(folder)
    assert checkpoint.step == 1
    assert len(problems) == 1
    assert newest.name in problems[0]


def test_the_good_one_survives_the_saves_after_a_damaged_one(folder):
    save(folder, 1, 2)
    damaged = max(folder.iterdir())
    damaged.write_bytes(b"")
    checkpoints = Checkpoints(folder)
    checkpoints.newest(lambda _: None)
    checkpoints.save(2, {"w": torch.zeros(1)}, {}, {})
    assert sorted(int(path.name[5:14]) for path in folder.iterdir()) == [1, 2]
    assert not damaged.exists()


def test_a_checkpoint_that_a_kill_left_half_written_is_not_seen(folder):
    save(folder, 1)
    (folder / "new").write_bytes(b"half")
    checkpoint, problems = read(folder)
    assert (checkpoint.step, problems) == (1, [])


def test_a_folder_that_cannot_be_written_fails_the_save_and_says_what_to_do(tmp_path):
    (tmp_path / "checkpoints").write_text("a file, where the folder should be")
    with pytest.raises(CheckpointFailed, match=r"step 5 .*checkpoints.*resume the job"):
        save(tmp_path / "checkpoints", 5)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_fails_the_save_and_leaves_the_checkpoint_before(folder):
    checkpoints = save(folder, 1)
    (folder / "new").symlink_to("/dev/full")
    with pytest.raises(CheckpointFailed, match="No space left"):
        checkpoints.save(2, {"w": torch.zeros(10)}, {}, {})
    assert read(folder)[0].step == 1
    assert [path.name[:14] for path in folder.iterdir()] == ["step-000000001"]
