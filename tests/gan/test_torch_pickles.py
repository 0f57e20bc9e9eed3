"""Old checkpoints and the numbers of their tensors, which lie apart from the names."""

import io
import pickle
import pickletools
from pathlib import Path

import pytest
import torch
from checkpoint_files import refusal, save

from latentwalk.gan.checkpoints import read_checkpoint


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "checkpoint.pt"


def ends_of(stream: bytes) -> list[int]:
    """Where each of the five pickles ends that a checkpoint of torch before 1.6 begins with."""
    file, ends = io.BytesIO(stream), []
    for _ in range(5):
        list(pickletools.genops(file))
        ends.append(file.tell())
    return ends


def with_names(path: Path, names: list[str]) -> Path:
    """The old checkpoint, with other names of the storages that it has the numbers of."""
    stream = path.read_bytes()
    ends = ends_of(stream)
    path.write_bytes(stream[: ends[3]] + pickle.dumps(names, 2) + stream[ends[4] :])
    return path


def names_in(path: Path) -> list[str]:
    stream = path.read_bytes()
    return pickle.loads(stream[ends_of(stream)[3] :])


def test_a_tensor_whose_numbers_are_not_there_is_refused(path: Path) -> None:
    """torch would show what was in memory before."""
    save({"a": torch.randn(2), "b": torch.randn(2), "c": torch.randn(2)}, path, "legacy")
    names = names_in(path)
    for others in (names[:2], [names[0], names[1], names[1]]):
        assert "has the numbers of 2 of the 3 storages" in refusal(with_names(path, others))
    assert "has the numbers of 0 of the 3 storages" in refusal(with_names(path, []))
    assert "not found" in refusal(with_names(path, ["0"]))


@pytest.mark.parametrize("count", [1003, 2**24])
def test_a_tensor_of_more_numbers_than_the_file_is_refused(path: Path, count: int) -> None:
    save({"a": torch.randn(1000)}, path, "legacy")
    stream = path.read_bytes()
    assert stream.count(b"M\xe8\x03N") == 1
    path.write_bytes(stream.replace(b"M\xe8\x03N", b"J" + count.to_bytes(4, "little") + b"N"))
    assert f"it has 4008 bytes for tensors that lie in {4 * count}, or more" in refusal(with_names(path, []))


def test_a_tensor_whose_numbers_a_view_hides_is_of_zeros(path: Path) -> None:
    """A view of a storage, as torch before 1.0 wrote them, can pass for another that is not there."""
    save({"a": torch.full((2,), 3.0), "b": torch.full((2,), 5.0)}, path, "legacy")
    _, second = sorted(names_in(path), key=lambda name: path.read_bytes().index(name.encode()))
    stream = path.read_bytes()
    end = stream.index(b"K\x02N", stream.index(second.encode())) + 2
    path.write_bytes(stream[:end] + b"X\x04\x00\x00\x00viewK\x00K\x02\x87" + stream[end + 1 :])
    tree = read_checkpoint(with_names(path, ["view", second]))
    assert tree["a"].tolist() == [0.0, 0.0]
    assert tree["b"].tolist() in ([3.0, 3.0], [5.0, 5.0])


def test_names_of_storages_may_be_text_of_python_2(path: Path) -> None:
    save({"a": torch.full((2,), 3.0)}, path, "legacy")
    stream, (name,) = path.read_bytes(), names_in(path)
    ends = ends_of(stream)
    old = b"\x80\x02]U" + bytes([len(name)]) + name.encode() + b"a."
    path.write_bytes(stream[: ends[3]] + old + stream[ends[4] :])
    assert read_checkpoint(path)["a"].tolist() == [3.0, 3.0]
