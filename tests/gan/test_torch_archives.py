"""Zip files in which Python's reader and torch's would see different things."""

import io
import struct
import zipfile
from pathlib import Path

import pytest
import torch

from latentwalk.gan.checkpoints import read_checkpoint
from latentwalk.gan.errors import CheckpointRefused

END, WIDE_END, PLACE = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
ENTRY = b"PK\x01\x02"
LONG = b"\x80\x02](" + b"K\x01" * 3_000 + b"e."


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "checkpoint.pt"


@pytest.fixture
def _few_instructions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latentwalk.gan.torch_pickles.MAX_INSTRUCTIONS", 2_000)


def saved(content: object) -> bytes:
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


def packed(
    archive: bytes, *, names: dict[str, str] | None = None, program: bytes | None = None, method: int = 0
) -> bytes:
    """The archive, written anew by Python, with other names of entries, or another program."""
    source, target = zipfile.ZipFile(io.BytesIO(archive)), io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as written:
        for name in source.namelist():
            is_program = program is not None and name.endswith("data.pkl")
            written.writestr((names or {}).get(name, name), program if is_program else source.read(name))
    return target.getvalue()


def refusal(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(CheckpointRefused) as caught:
        read_checkpoint(path)
    return caught.value.reason


def with_second_directory(archive: bytes, size: int) -> bytes:
    """The archive of Python with another directory behind its own, which says that each entry unfolds to that size.

    Its end still says where the first one begins.
    """
    end = archive.rindex(END)
    length, start = struct.unpack_from("<LL", archive, end + 12)
    second = bytearray(archive[start : start + length])
    place = second.find(ENTRY)
    while place >= 0:
        struct.pack_into("<L", second, place + 24, size)
        place = second.find(ENTRY, place + 1)
    return archive[:end] + second + archive[end:]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_archive_written_by_others_is_read(path: Path, method: int) -> None:
    path.write_bytes(packed(saved({"a": torch.arange(5.0)}), method=method))
    assert read_checkpoint(path)["a"].tolist() == [0, 1, 2, 3, 4]


def test_an_archive_with_two_directories_is_refused(path: Path) -> None:
    """Python takes the one before its end, torch the one that its end names."""
    bomb = packed(saved({"a": torch.zeros(10**6)}), method=zipfile.ZIP_DEFLATED)
    hidden = with_second_directory(bomb, 1)
    assert sum(entry.file_size for entry in zipfile.ZipFile(io.BytesIO(hidden)).infolist()) < 10
    assert torch.load(io.BytesIO(hidden), weights_only=True)["a"].nbytes == 4 * 10**6
    assert "from byte" in refusal(path, hidden)
    assert "unfolds from" in refusal(path, bomb)


def test_the_end_of_a_wide_archive_is_where_it_is_said_to_be(path: Path) -> None:
    """torch.save always writes one: of its two ends, one reader takes that which is named, the other the last."""
    archive = saved({"a": torch.ones(3)})
    place = archive.rindex(PLACE)
    (named,) = struct.unpack_from("<Q", archive, place + 8)
    assert archive[named:].startswith(WIDE_END)
    again = archive[:place] + archive[named:]
    assert torch.equal(torch.load(io.BytesIO(again), weights_only=True)["a"], torch.ones(3))
    assert f"begins at byte {named}, where it does not" in refusal(path, again)


@pytest.mark.parametrize(
    ("added", "said"),
    [(b"x", "does not end as"), (bytes(22), "does not end as"), (END + bytes(18), "0 bytes from byte 0 on")],
)
def test_an_archive_with_something_behind_it_is_refused(path: Path, added: bytes, said: str) -> None:
    assert said in refusal(path, saved({"a": torch.ones(3)}) + added)


def test_a_comment_is_refused(path: Path) -> None:
    assert "does not end as" in refusal(path, packed(saved({}))[:-2] + b"\x02\x00hi")


def test_a_directory_has_as_many_entries_as_it_says(path: Path) -> None:
    archive = packed(saved({}))
    (count,) = struct.unpack_from("<H", archive, len(archive) - 12)
    for said in (0, count - 1, count + 1):
        assert f"its end says {said}" in refusal(path, archive[:-12] + struct.pack("<H", said) + archive[-10:])


def test_a_directory_has_a_bounded_size(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latentwalk.gan.torch_archives.MAX_DIRECTORY", 100)
    assert "bytes, the limit is 100" in refusal(path, saved({}))


@pytest.mark.usefixtures("_few_instructions")
@pytest.mark.parametrize("name", ["data.pkl", "DATA.PKL", "Data.pkl"])
def test_the_program_is_found_as_torch_finds_it(path: Path, name: str) -> None:
    archive = packed(saved({}), names={"archive/data.pkl": f"archive/{name}"}, program=LONG)
    assert len(torch.load(io.BytesIO(archive), weights_only=True)) == 3_000
    assert "more than 2000 instructions" in refusal(path, archive)


@pytest.mark.parametrize("first", ["data.pkl", "DATA.PKL"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_entries_of_one_name_are_refused(path: Path, first: str) -> None:
    archive = packed(saved({}), names={"archive/version": "archive/data.pkl", "archive/data.pkl": f"archive/{first}"})
    assert "are one to torch" in refusal(path, archive)


@pytest.mark.usefixtures("_few_instructions")
def test_an_entry_that_is_not_compressed_has_one_size(path: Path) -> None:
    """Python reads as much as it has in the file, torch as much as it unfolds to, if only the entry has a time."""
    archive = bytearray(packed(saved({}), program=LONG))
    entry = archive.index(b"archive/data.pkl", archive.index(ENTRY)) - 46
    struct.pack_into("<HHH", archive, entry + 10, 0, 1, 0x21)
    struct.pack_into("<L", archive, entry + 20, 10)
    assert len(torch.load(io.BytesIO(archive), weights_only=True)) == 3_000
    assert f"has 10 bytes and, not compressed, {len(LONG)}" in refusal(path, bytes(archive))


@pytest.mark.usefixtures("_few_instructions")
def test_a_stream_with_an_archive_behind_it_is_a_stream(path: Path) -> None:
    """As it is to torch, which looks at how a file begins; Python's reader of zip files looks at how it ends."""
    for content, is_read in (({"a": [1] * 500}, True), ({"a": [1] * 3_000}, False)):
        file = io.BytesIO()
        torch.save(content, file, _use_new_zipfile_serialization=False)
        both = file.getvalue() + saved({})
        if is_read:
            path.write_bytes(both)
            assert read_checkpoint(path) == content
        else:
            assert "more than 2000 instructions" in refusal(path, both)
