"""Checkpoints as files of safetensors."""

import json
from pathlib import Path

import pytest
import safetensors.torch
import torch
from stylegan2_layouts import make_stylegan2, nvlabs_layout, rosinality_layout

from latentwalk.gan.checkpoints import find_state_dict, read_checkpoint
from latentwalk.gan.errors import CheckpointRefused
from latentwalk.gan.families.stylegan2 import StyleGAN2
from latentwalk.gan.latents import z_from_seeds


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.safetensors"


def write(path: Path, header: object, numbers: bytes = b"", length: int | None = None) -> Path:
    """A file by hand: its header, of which it says that it has a length of its own, and numbers."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text + numbers)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(CheckpointRefused) as caught:
        read_checkpoint(path)
    assert caught.value.reason.isprintable()
    return caught.value.reason


def entry(dtype: str, shape: list[int], begin: int, end: int) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def test_its_tensors_are_the_checkpoint(path: Path) -> None:
    weights = {"module.a": torch.randn(3, 4), "b": torch.arange(5), "c": torch.ones(2, dtype=torch.bfloat16)}
    safetensors.torch.save_file(weights | {"none": torch.ones(0, 3)}, path, {"format": "pt", "note": "left out"})
    read = find_state_dict(read_checkpoint(path))
    assert read.keys() == {"a", "b", "c", "none"}
    for name, tensor in weights.items():
        own = read[name.removeprefix("module.")]
        assert torch.equal(own, tensor)
        assert own.dtype == tensor.dtype


@pytest.mark.parametrize("name", ["n" * length for length in range(1, 300, 13)])
def test_it_is_told_from_the_others_whatever_its_length(path: Path, name: str) -> None:
    """The length of its header comes first, and may begin as a pickle does."""
    safetensors.torch.save_file({name: torch.ones(1)}, path)
    assert read_checkpoint(path) == {name: torch.ones(1)}
    write(path, b'{"%s":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}' % name.encode(), b"\x01")
    assert read_checkpoint(path) == {name: torch.ones(1, dtype=torch.uint8)}


@pytest.mark.parametrize("layout", [nvlabs_layout, rosinality_layout, StyleGAN2.state_dict])
def test_it_may_be_in_any_layout_of_a_family(path: Path, layout) -> None:
    original = make_stylegan2(resolution=8).freeze()
    safetensors.torch.save_file({name: one.clone() for name, one in layout(original).items()}, path)
    read = StyleGAN2.from_checkpoint(find_state_dict(read_checkpoint(path))).freeze()
    z = z_from_seeds([1, 2], 6)
    assert torch.equal(read(z), original(z))


def test_a_file_that_is_cut_off_is_refused_wherever_it_ends(path: Path) -> None:
    safetensors.torch.save_file({"a": torch.randn(20), "b": torch.randn(3, 3)}, path)
    content = path.read_bytes()
    header = int.from_bytes(content[:8], "little")
    for end in range(len(content)):
        path.write_bytes(content[:end])
        said = refusal(path)
        if 9 <= end < 8 + header:
            assert said == f"its header is of {header} bytes, of which {end - 8} are there: it is cut off"


A = entry("F32", [2], 0, 8)


@pytest.mark.parametrize(
    ("header", "numbers", "said"),
    [
        ({"a": entry("F32", [3], 0, 8)}, bytes(8), "SafetensorError"),
        ({"a": entry("F32", [2**62, 2**62], 0, 8)}, bytes(8), "SafetensorError"),
        ({"a": A, "b": A}, bytes(8), "SafetensorError"),
        ({"a": A, "b": entry("F32", [2], 12, 20)}, bytes(20), "SafetensorError"),
        ({"a": A}, bytes(9), "SafetensorError"),
        ({"a": A}, bytes(4), "SafetensorError"),
        ({"a": entry("F32", [2], 8, 0)}, bytes(8), "SafetensorError"),
        ({"a": entry("X7", [2], 0, 8)}, bytes(8), "SafetensorError"),
        ({"a": entry("F32", [-2], 0, 8)}, bytes(8), "SafetensorError"),
        ({"a": 1}, b"", "SafetensorError"),
        (b"{" * 100_000, b"", "SafetensorError"),
        (b'{"a"', b"", "SafetensorError"),
        (b'{"\xff": 1}', b"", "SafetensorError"),
        ({"a": entry("C64", [1], 0, 8)}, bytes(8), "complex"),
        ({"a": entry("F8_E5M2", [8], 0, 8)}, bytes(8), "another type that is not read"),
        ({"a": entry("F32", [2**40, 0], 0, 0)}, b"", "unfold"),
        ({"a": entry("F32", [1] * 1000, 0, 4)}, bytes(4), "of 1000 dimensions"),
        ({"a\nb": A}, bytes(8), "printable"),
        ({"a" * 1001: A}, bytes(8), "at most 1,000"),
    ],
)
def test_a_header_that_is_not_true_is_refused(path: Path, header: object, numbers: bytes, said: str) -> None:
    assert said in refusal(write(path, header, numbers))


@pytest.mark.parametrize("length", [2**24 + 1, 2**32, 2**63, 2**64 - 1])
def test_a_header_beyond_the_limit_is_refused_unread(path: Path, length: int) -> None:
    said = f"its header is of {length} bytes, the limit is 16777216"
    assert refusal(write(path, {"a": A}, bytes(8), length)) == said
