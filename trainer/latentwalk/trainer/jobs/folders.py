"""The folder of a job, and who may work in it."""

import fcntl
import json
from dataclasses import asdict
from pathlib import Path
from typing import IO

from latentwalk.trainer.materials import Sources
from latentwalk.trainer.specs import AnyJobSpec, spec_from_json, spec_to_json

_ASSIGNMENT = "job.json"
_LOCK = ".lock"
LOG = "log.txt"
CHECKPOINTS = "checkpoints"
BOARD = "tensorboard"


class InUse(Exception):
    """Another trainer works in this folder, or with this database."""


def write_assignment(folder: Path, job_id: str, spec: AnyJobSpec, sources: Sources, database: str = "") -> None:
    """Makes the folder, and writes into it what the job's process needs to know. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    assignment = {"id": job_id, "spec": spec_to_json(spec), "sources": asdict(sources), "database": database}
    content = json.dumps(assignment, indent=2)
    fresh = folder / f"{_ASSIGNMENT}.new"
    fresh.write_text(content, "utf-8")
    fresh.replace(folder / _ASSIGNMENT)


def read_assignment(folder: Path) -> tuple[str, AnyJobSpec, Sources]:
    """The job's id and spec, and where it finds what it works with. Raises OSError."""
    document = json.loads((folder / _ASSIGNMENT).read_text("utf-8"))
    return document["id"], spec_from_json(document["spec"]), Sources(**document["sources"])


def database_of(folder: Path) -> str | None:
    """The database that knows the job of the folder; None if it is no folder of a job, or does not say."""
    try:
        return json.loads((folder / _ASSIGNMENT).read_text("utf-8"))["database"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def lock(folder: Path, *, wait: bool) -> IO[bytes]:
    """Locks the folder for as long as the returned file is open; the lock dies with the process.

    Raises InUse if another process has it and ``wait`` is false, OSError if the folder cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return lock_file(folder / _LOCK, f"folder {folder}", wait=wait)


def lock_file(path: Path, stands_for: str, *, wait: bool) -> IO[bytes]:
    """Locks a file, which is made if it is missing, as ``lock`` does a folder. Raises InUse, OSError."""
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        file.close()
        raise InUse(f"{stands_for} is in use by another trainer: give each its own") from None
    return file
