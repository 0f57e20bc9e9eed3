"""Files are written aside and renamed: whatever comes between, they are there whole, or as they were before."""

import os
import secrets
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


class Aside:
    """A file that is being written beside its place, which is kept or dropped; a link is followed.

    A pipe or a device, a file that may not be written, and one in a folder that takes no others, are written where they
    are, or refused by the system.
    """

    def __init__(self, file: Path) -> None:
        self._file, self._place = file, Path(os.path.realpath(file))
        self.path = self._beside() if self._can_be_replaced() else self._place
        """Where to write it."""

    def keep(self) -> None:
        """Puts the file where it is to be, as open to others as the one before."""
        if self.path != self._place:
            if self._place.exists():
                shutil.copymode(self._place, self.path)
            self.path.replace(self._place)

    def drop(self) -> None:
        """Leaves nothing of what is not kept."""
        if self.path != self._place:
            self.path.unlink(missing_ok=True)

    def renamed(self, error: OSError) -> OSError:
        """The error with the name of the file as it was given, which is all that a caller knows of."""
        if error.filename is None or Path(error.filename) != self.path:
            return error
        return OSError(error.errno, error.strerror, str(self._file))

    def _can_be_replaced(self) -> bool:
        if not self._place.exists():
            return True
        may_write = all(os.access(one, os.W_OK) for one in (self._place, self._place.parent))
        return self._place.is_file() and may_write

    def _beside(self) -> Path:
        """A name of its own, so that whoever writes the same file meanwhile writes another one."""
        return self._place.with_name(f".latentwalk-{secrets.token_hex(8)}.part")


@contextmanager
def written_aside(file: Path) -> Generator[Path]:
    """Within the context, the path to write to; afterwards `file` is that, unless something was raised."""
    aside = Aside(file)
    try:
        yield aside.path
        aside.keep()
    except OSError as error:
        raise aside.renamed(error) from None
    finally:
        aside.drop()
