"""What torch.save has written, read by torch as weights and nothing else (law 3)."""

import pickletools
import threading
import zipfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast

import torch

from latentwalk.gan.errors import GanError
from latentwalk.gan.pickle_machine import run_pickle
from latentwalk.gan.torch_archives import entries_of

MAX_INSTRUCTIONS = 4_000_000


_OPTIONS = ("argparse.Namespace", "models.utils.config.BaseConfig")
"""As what codes keep the options of a training run beside the weights: Python's own, and those of pytorch_GAN_zoo."""


class Options:
    """In the place of the options of a training run: keeps nothing of them, and has nothing that could be set."""

    __slots__ = ()

    def __setstate__(self, state: object) -> None:
        """Drops what it is told."""


_ADMITTING = threading.Lock()
"""Held while torch admits options: it admits them for all threads, until the first is done."""


class Instructions:
    """How many the pickles of a file may still have: torch takes them in one by one, and is done within a minute."""

    def __init__(self) -> None:
        self._left = MAX_INSTRUCTIONS

    def count(self, pickle: IO[bytes]) -> None:
        """Counts those of the pickle that begins here. A broken one is left to its reader to refuse.

        Raises GanError for too many.
        """
        with suppress(Exception):
            for _ in islice(pickletools.genops(pickle), self._left + 1):
                self._left -= 1
        if self._left < 0:
            raise GanError(f"its pickles have more than {MAX_INSTRUCTIONS} instructions, which no weights need")


def read_torch_archive(path: Path) -> object:
    """What torch's reader of weights makes of an archive; what _OPTIONS names becomes Options.

    Raises GanError for too long a pickle, and for an archive in which torch may find another than was looked at; for a
    broken or hostile one whatever zipfile and torch raise.
    """
    with path.open("rb") as file, _admitted_options():
        # In any case of letters, torch takes it for what it looks for.
        programs = [entry for entry in entries_of(file) if entry.filename.lower().endswith("/data.pkl")]
        instructions = Instructions()
        with zipfile.ZipFile(file) as archive:
            for program in programs:
                with archive.open(program) as pickle:
                    instructions.count(pickle)
        file.seek(0)
        return torch.load(file, map_location="cpu", weights_only=True)


def read_torch_stream(path: Path) -> object:
    """As read_torch_archive, of what torch wrote before 1.6.

    Raises GanError for too long a pickle, and for tensors whose numbers are not there; for a broken or hostile file
    whatever torch raises.
    """
    with path.open("rb") as file, _admitted_options():
        return read_stream(file, Instructions())


@contextmanager
def _admitted_options() -> Generator[None]:
    with _ADMITTING, torch.serialization.safe_globals([(Options, name) for name in _OPTIONS]):
        yield


def read_stream(file: IO[bytes], instructions: Instructions) -> object:
    """The content of a stream of pickles: mark, version, machine, content, names of the storages, storages.

    Without options. Raises as read_torch_stream does.
    """
    file.seek(0)
    for _ in range(4):
        instructions.count(file)
    start = file.tell()
    instructions.count(file)
    end = file.tell()
    storages = _Storages(file.seek(0, 2) - end)
    file.seek(0)
    content = torch.load(file, map_location=storages.clear, weights_only=True)
    file.seek(start)
    named = len(set(cast("list[str]", run_pickle(file.read(end - start)))))
    if named < storages.count:
        raise GanError(f"it has the numbers of {named} of the {storages.count} storages that its tensors lie in")
    return content


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
