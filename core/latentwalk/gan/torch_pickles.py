"""What torch.save has written, read by torch as weights and nothing else (law 3)."""

import pickletools
import threading
import zipfile
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast

import torch

from latentwalk.gan.errors import GanError
from latentwalk.gan.pickle_machine import run_pickle

MAX_INSTRUCTIONS = 4_000_000
# What torch takes for an archive; anything else is to it a stream of pickles, as it wrote them before 1.6.
_ARCHIVE = b"PK\x03\x04"


class Options:
    """In the place of the options of a training run: keeps nothing of them, and has nothing that could be set."""

    __slots__ = ()

    def __setstate__(self, state: object) -> None:
        """Drops what it is told."""


_ADMITTING = threading.Lock()
"""Held while torch admits options: it admits them for all threads, until the first is done."""


def read_torch_pickle(path: Path) -> object:
    """What torch's reader of weights makes of the file; an argparse.Namespace becomes Options.

    Raises GanError for too long a pickle, and for tensors whose numbers are not there; for a broken or hostile file
    whatever torch raises.
    """
    with path.open("rb") as file, _ADMITTING, torch.serialization.safe_globals([(Options, "argparse.Namespace")]):
        return _read_archive(file) if file.read(len(_ARCHIVE)) == _ARCHIVE else read_stream(file)


def read_stream(file: IO[bytes]) -> object:
    """As read_torch_pickle, of a stream of pickles: mark, version, machine, content, names of the storages, storages.

    Without options.
    """
    file.seek(0)
    for _ in range(4):
        _check_program(file)
    start = file.tell()
    _check_program(file)
    end = file.tell()
    storages = _Storages(file.seek(0, 2) - end)
    file.seek(0)
    content = torch.load(file, map_location=storages.clear, weights_only=True)
    file.seek(start)
    named = len(set(cast("list[str]", run_pickle(file.read(end - start)))))
    if named < storages.count:
        raise GanError(f"it has the numbers of {named} of the {storages.count} storages that its tensors lie in")
    return content


def _read_archive(file: IO[bytes]) -> object:
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            if name.endswith("/data.pkl"):
                with archive.open(name) as program:
                    _check_program(program)
    file.seek(0)
    return torch.load(file, map_location="cpu", weights_only=True)


class _Storages:
    """Those of a stream. torch makes room for each that a tensor lies in, and then fills those that the stream names.

    So that no tensor shows what was in memory before, all are cleared at first.
    """

    def __init__(self, size: int) -> None:
        self.count = 0
        self._size = size
        self._bytes = 0

    def clear(self, storage: Any, _location: str) -> Any:
        """Raises GanError for one that the stream cannot hold, with those before it."""
        self.count += 1
        self._bytes += storage.nbytes()
        if self._bytes > self._size:
            raise GanError(f"it has {self._size} bytes for tensors that lie in {self._bytes}, or more: is it whole?")
        return storage.fill_(0)


def _check_program(file: IO[bytes]) -> None:
    """Raises GanError for a pickle so long that torch, which takes it in one by one, is not done in a minute.

    A broken one is left to its reader to refuse.
    """
    length = 0
    with suppress(Exception):
        for _ in islice(pickletools.genops(file), MAX_INSTRUCTIONS + 1):
            length += 1
    if length > MAX_INSTRUCTIONS:
        raise GanError(f"it has a pickle of more than {MAX_INSTRUCTIONS} instructions, which no weights need")
