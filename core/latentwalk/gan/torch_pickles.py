"""What torch.save has written, read by torch as weights and nothing else (law 3)."""

import pickletools
import threading
import zipfile
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import IO

import torch

from latentwalk.gan.errors import GanError

MAX_INSTRUCTIONS = 4_000_000


class Options:
    """In the place of the options of a training run: keeps nothing of them, and has nothing that could be set."""

    __slots__ = ()

    def __setstate__(self, state: object) -> None:
        """Drops what it is told."""


_ADMITTING = threading.Lock()
"""Held while torch admits options: it admits them for all threads, until the first is done."""


def read_torch_pickle(path: Path) -> object:
    """What torch's reader of weights makes of the file; an argparse.Namespace becomes Options.

    Raises GanError for too long a pickle, and for a broken or hostile file whatever torch raises.
    """
    _check_programs(path)
    with _ADMITTING, torch.serialization.safe_globals([(Options, "argparse.Namespace")]):
        return torch.load(path, map_location="cpu", weights_only=True)


def _check_programs(path: Path) -> None:
    """Raises GanError for pickles so long that torch, which takes them in one by one, is not done in a minute."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith("/data.pkl"):
                    with archive.open(name) as file:
                        _check_program(file)
    else:
        with path.open("rb") as file:
            for _ in range(5):  # of torch before 1.6: mark, version, machine, content, names of the storages
                _check_program(file)


def _check_program(file: IO[bytes]) -> None:
    """As _check_programs, for one. A broken one is left to its reader to refuse."""
    length = 0
    with suppress(Exception):
        for _ in islice(pickletools.genops(file), MAX_INSTRUCTIONS + 1):
            length += 1
    if length > MAX_INSTRUCTIONS:
        raise GanError(f"it has a pickle of more than {MAX_INSTRUCTIONS} instructions, which no weights need")
