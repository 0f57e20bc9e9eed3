"""Numbered folders that appear whole or not at all, on this machine or behind any fsspec URL."""

import errno
import os
import re
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import uuid4

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from latentwalk.gan.artifacts.manifest import MANIFEST
from latentwalk.gan.errors import GanError

# Marks a number that is spent: claimed by a writer, or deleted. A number never comes back.
_SPENT = ".spent"
_ASIDE = ".put-"
_NUMBER = re.compile(r"[1-9][0-9]*")


def open_storage(url: str) -> "Storage":
    """The storage at a local path or an fsspec URL. Raises GanError for a URL that fsspec cannot open."""
    try:
        fs, root = url_to_fs(url, use_listings_cache=False)
    except (ImportError, ValueError) as failure:
        raise GanError(f"artifact store {url!r} cannot be opened: {failure}") from failure
    return LocalStorage(fs, root) if isinstance(fs, LocalFileSystem) else Storage(fs, root)


class Storage:
    """Folders behind an fsspec file system. Paths are relative to the root, with forward slashes.

    A writer claims a number with a marker, then writes the data, and last the manifest, which makes the
    version visible. Two writers are kept apart as far as the file system can create a file exclusively.
    """

    def __init__(self, fs: Any, root: str) -> None:
        self._fs = fs
        self._root = root.rstrip("/")

    def path(self, path: str) -> str:
        """The full path."""
        return f"{self._root}/{path}"

    def children(self, folder: str) -> list[str]:
        """The names in a folder, sorted; none if there is no such folder."""
        try:
            paths: list[str] = self._fs.ls(self.path(folder), detail=False)
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(PurePosixPath(path).name for path in paths)

    def numbers(self, folder: str) -> list[int]:
        """The numbers in a folder that were ever used, rising."""
        return sorted(int(name) for name in self.children(folder) if _NUMBER.fullmatch(name))

    def exists(self, path: str) -> bool:
        """Whether there is something at this path."""
        return self._fs.exists(self.path(path))

    def size(self, path: str) -> int:
        """The bytes of a file. Raises FileNotFoundError."""
        return int(self._fs.size(self.path(path)))

    def read(self, path: str) -> bytes:
        """The content of a file. Raises FileNotFoundError."""
        return self._fs.cat_file(self.path(path))

    def publish(self, folder: str, files: Mapping[str, bytes], manifest: Callable[[int], bytes]) -> int:
        """Writes the files and the manifest of the number under the next free one, and returns it."""
        number = self._claim(folder)
        for name, content in {**files, MANIFEST: manifest(number)}.items():
            self._fs.pipe_file(self.path(f"{folder}/{number}/{name}"), content)
        return number

    def remove(self, folder: str) -> None:
        """Makes a version invisible at once, then removes its files."""
        self._fs.pipe_file(self.path(f"{folder}/{_SPENT}"), b"")
        self._fs.rm_file(self.path(f"{folder}/{MANIFEST}"))
        for name in self.children(folder):
            if name != _SPENT:
                self._fs.rm_file(self.path(f"{folder}/{name}"))

    def sweep(self, before: float) -> None:
        """Removes what was left aside before that time, in seconds since 1970: nothing is here."""

    def _next(self, folder: str) -> int:
        return max(self.numbers(folder), default=0) + 1

    def _claim(self, folder: str) -> int:
        number = self._next(folder)
        while True:
            try:
                self._fs.pipe_file(self.path(f"{folder}/{number}/{_SPENT}"), b"", mode="create")
            except FileExistsError:  # by another writer, since we looked
                number += 1
            else:
                return number


class LocalStorage(Storage):
    """Folders on a local file system: written aside, brought to the disk, and renamed into place (law 7)."""

    def publish(self, folder: str, files: Mapping[str, bytes], manifest: Callable[[int], bytes]) -> int:
        """As Storage.publish; a crash at any moment leaves a whole version, or none and a hidden folder."""
        home = Path(self.path(folder))
        aside = home / f"{_ASIDE}{uuid4().hex}"
        aside.mkdir(parents=True)
        try:
            for name, content in files.items():
                _write(aside / name, content)
            number = self._rename(aside, home, manifest)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise
        for ancestor in (home, *home.parents[: len(Path(folder).parts)]):
            _sync(ancestor)
        return number

    def sweep(self, before: float) -> None:
        """As Storage.sweep; what cannot be removed stays."""
        for aside in list(Path(self._root).rglob(f"{_ASIDE}*")):
            with suppress(OSError):  # another one sweeps, too
                if aside.stat().st_mtime < before:
                    shutil.rmtree(aside)

    def _rename(self, aside: Path, home: Path, manifest: Callable[[int], bytes]) -> int:
        number = self._next(home.relative_to(self._root).as_posix())
        while True:
            _write(aside / MANIFEST, manifest(number))
            _sync(aside)
            try:
                aside.rename(home / str(number))
            except OSError as failure:
                if failure.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                    raise
                number += 1  # another writer has taken it, since we looked
            else:
                return number


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
