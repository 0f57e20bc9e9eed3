"""The archives of torch.save, from torch 1.6 on: zip files, of which all readers must see the same.

What an archive holds is looked at here by Python's reader of zip files, and then read by that of torch. Such a file has
places in which it may say one thing to the one and another to the other: these are refused.
"""

import struct
import zipfile
from pathlib import Path
from typing import IO

from latentwalk.gan.errors import GanError

# What torch takes for an archive, and nothing else.
_MARK = b"PK\x03\x04"
# Much more than an entry for each tensor of the largest generators needs.
MAX_DIRECTORY = 2**24
_NAME_SHOWN = 100

# The last three parts of an archive: of what is beyond 32 bits, where that is, and of the others. The first and the
# third have the number of entries, the size of the directory of entries, and where it begins.
_WIDE_END = struct.Struct("<4s28xQQQ")
_PLACE = struct.Struct("<4s4xQ4x")
_END = struct.Struct("<4s6xHLLH")
_TAIL = _WIDE_END.size + _PLACE.size + _END.size
_WIDE_END_MARK, _PLACE_MARK, _END_MARK = b"PK\x06\x06", b"PK\x06\x07", b"PK\x05\x06"
_ADVICE = ", so that two readers see different things in it; write it anew with torch.save"


def is_torch_archive(path: Path) -> bool:
    """Whether torch would read the file as an archive, by how it begins."""
    with path.open("rb") as file:
        return file.read(len(_MARK)) == _MARK


def unfolded_archive(path: Path) -> int:
    """How many bytes the entries of an archive have, unfolded.

    Raises GanError for one in which readers see different things, BadZipFile for one that is broken.
    """
    with path.open("rb") as file:
        return sum(entry.file_size for entry in entries_of(file))


def entries_of(file: IO[bytes]) -> list[zipfile.ZipInfo]:
    """What is in an archive. Raises as unfolded_archive does."""
    count = _check_end(file)
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
    if len(entries) != count:
        raise GanError(f"its directory has {len(entries)} entries, and its end says {count}{_ADVICE}")
    seen: dict[str, str] = {}
    for entry in entries:
        _check_entry(entry, seen)
    return entries


def _check_end(file: IO[bytes]) -> int:
    """How many entries the archive says that it has, at its end.

    Raises GanError unless its directory lies right before its end: one reader looks there, the other where it is said.
    """
    size = file.seek(0, 2)
    file.seek(max(0, size - _TAIL))
    tail = file.read().rjust(_TAIL, b"\0")
    mark, count, length, start, comment = _END.unpack_from(tail, _TAIL - _END.size)
    ends = size - _END.size
    if mark != _END_MARK or comment:
        raise GanError("it does not end as an archive of torch.save: is it whole, and is nothing added?")
    place_mark, place = _PLACE.unpack_from(tail, _WIDE_END.size)
    if place_mark == _PLACE_MARK:
        wide_mark, count, length, start = _WIDE_END.unpack_from(tail)
        ends = size - _TAIL
        if wide_mark != _WIDE_END_MARK or place != ends:
            raise GanError(f"it says that its end begins at byte {place}, where it does not{_ADVICE}")
    if start + length != ends:
        raise GanError(
            f"it says that its directory has {length} bytes from byte {start} on, but has its end at {ends}{_ADVICE}"
        )
    if length > MAX_DIRECTORY:
        raise GanError(f"its directory has {length} bytes, the limit is {MAX_DIRECTORY}")
    return count


def _check_entry(entry: zipfile.ZipInfo, seen: dict[str, str]) -> None:
    """Also adds the name to those that were seen."""
    # torch looks for data.pkl and finds DATA.PKL; of both, it finds whichever.
    folded, shown = entry.filename.lower(), entry.filename[:_NAME_SHOWN]
    if folded in seen:
        raise GanError(f"it has the entries {seen[folded]!r} and {shown!r}, which are one to torch{_ADVICE}")
    seen[folded] = shown
    # Of one that is not compressed, one reader takes as many bytes as it has in the file, the other as it has unfolded.
    if entry.compress_type == zipfile.ZIP_STORED and entry.compress_size != entry.file_size:
        sizes = f"{entry.compress_size} bytes and, not compressed, {entry.file_size}"
        raise GanError(f"its entry {shown!r} has {sizes}{_ADVICE}")
