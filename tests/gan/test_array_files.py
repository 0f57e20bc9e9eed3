"""Arrays as numpy saves them."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch

from latentwalk.gan.checkpoints import find_tensor, read_checkpoint
from latentwalk.gan.errors import CheckpointRefused, GanError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "boundary.npy"


def refusal(path: Path) -> str:
    with pytest.raises(CheckpointRefused) as caught:
        read_checkpoint(path)
    assert caught.value.reason.isprintable()
    return caught.value.reason


def write(path: Path, header: str, numbers: bytes = b"") -> None:
    """A file by hand, of a header that need not be true."""
    text = f"{header}\n".encode()
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + numbers)


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", "<f2", ">f8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_is_read_whatever_its_order_is(path: Path, dtype: str, order: str) -> None:
    array = np.asarray(np.arange(6).reshape(2, 3) / 4, dtype=dtype, order=order)
    np.save(path, array)
    read = read_checkpoint(path)
    assert isinstance(read, torch.Tensor)
    assert read.tolist() == array.tolist()
    assert read.dtype == {2: torch.float16, 4: torch.float32, 8: torch.float64}[array.itemsize]


def test_objects_are_not_unpickled(path: Path) -> None:
    class Hostile:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (path.with_name("touched"),)

    np.save(path, np.array([Hostile()], dtype=object), allow_pickle=True)
    assert "Python objects" in refusal(path)
    assert not path.with_name("touched").exists()


def test_a_file_that_is_cut_off_is_refused_wherever_it_ends(path: Path) -> None:
    np.save(path, np.ones((2, 3), dtype=np.float32))
    content = path.read_bytes()
    for end in range(len(content)):
        path.write_bytes(content[:end])
        assert refusal(path)


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 8)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}",
        "{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<U1', 'fortran_order': False, 'shape': (2,)}",
        "{'descr': [('a', '<f4'), ('b', '<f4')], 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '|V8', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'more': 1}",
        "__import__('os').abort()",
        "(" * 9_000,
        "",
    ],
)
def test_a_header_that_is_not_true_is_refused(path: Path, header: str) -> None:
    write(path, header, bytes(8))
    assert refusal(path)


def test_an_archive_of_arrays_is_none(path: Path) -> None:
    archive = io.BytesIO()
    np.savez(archive, a=np.ones(3))
    path.write_bytes(archive.getvalue())
    assert refusal(path)


# -- which tensor of a file ------------------------------------------------------------------------------------------


def test_the_tensor_is_the_file_or_the_only_one_in_it_or_that_of_the_key() -> None:
    smile, age = torch.ones(3), torch.zeros(3)
    assert find_tensor(smile) is smile
    assert find_tensor({"ckpt": "netG.pt", "eigvec": smile}) is smile
    assert find_tensor({"smile": smile, "age": age}, "age") is age
    assert find_tensor({"w": {"smile": smile, "age": age}}, "w.smile") is smile


@pytest.mark.parametrize(
    ("tree", "key", "said"),
    [
        ({"smile": torch.ones(3), "age": torch.ones(3)}, None, r"is None: it must be one of \['smile', 'age'\]"),
        ({"smile": torch.ones(3)}, "age", r"is 'age': it must be one of \['smile'\]"),
        ({"steps": 3}, None, "it holds no tensor: nothing in it is a tensor"),
    ],
)
def test_a_tensor_that_is_not_there_is_said_so(tree: object, key: str | None, said: str) -> None:
    with pytest.raises(GanError, match=said):
        find_tensor(tree, key)
