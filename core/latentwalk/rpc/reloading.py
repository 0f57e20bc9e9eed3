"""Files that are read again when they change: certificates and tokens are renewed without a restart."""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from latentwalk.rpc.settings import SettingsError

T = TypeVar("T")

_LOOK_EVERY_SECONDS = 1.0

_log = logging.getLogger("latentwalk.reloading")

_FileStamp = tuple[int, int, int, int]
_Stamp = tuple[_FileStamp | None, ...]


class Reloaded(Generic[T]):
    """What `read` makes of `paths`, read again once they have changed. Threads may share it.

    Raises SettingsError, as `read` does, at first; later, what cannot be read is logged, and the last value that could
    stands. The files are looked at when the value is asked for, at most once a second.
    """

    def __init__(
        self, paths: tuple[Path, ...], read: Callable[[], T], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._paths = paths
        self._read = read
        self._clock = clock
        self._lock = threading.Lock()
        self._looked = clock()
        # Before it is read: what changes meanwhile is then seen at the next look.
        self._stamp = self._stamp_now()
        self._value = read()

    def value(self) -> T:
        """The newest value that could be read."""
        with self._lock:
            if self._clock() - self._looked >= _LOOK_EVERY_SECONDS:
                self._look()
            return self._value

    def _look(self) -> None:
        self._looked = self._clock()
        stamp = self._stamp_now()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        names = ", ".join(map(str, self._paths))
        try:
            self._value = self._read()
        except SettingsError as error:
            _log.error("what was read from %s before stands, because %s", names, error)
        else:
            _log.info("%s: read again", names)

    def _stamp_now(self) -> _Stamp:
        return tuple(map(_stamp, self._paths))


def _stamp(path: Path) -> _FileStamp | None:
    """Another one whenever the file is replaced, written, or may be read by others; None while there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino
