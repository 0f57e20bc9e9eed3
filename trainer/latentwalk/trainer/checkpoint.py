"""Checkpoints: all that a job needs to go on as if it had never stopped.

A checkpoint is one safetensors file, step-<step>.<sha256>.safetensors, with the numbers that are no tensors, and the
digests of the data, as JSON in its metadata. It is written aside, flushed to the disk and renamed; the one before it is
kept, so that a damaged file costs some steps and not the job.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from latentwalk.gan.spec import JsonObject

_NAME = re.compile(r"step-(\d+)\.([0-9a-f]{64})\.safetensors")
_NUMBERS, _DATA = "latentwalk", "data"


class CheckpointFailed(Exception):
    """A checkpoint could not be written, or is not one of this job as this trainer does it."""


@dataclass(frozen=True)
class Checkpoint:
    """The state after ``step`` steps."""

    step: int
    tensors: Mapping[str, Tensor]
    numbers: dict[str, Any]
    data: dict[str, str]
    """The digests of the pictures that these steps have seen, by their part. Empty without data, and in one that was
    written before they were kept."""


class Checkpoints:
    """The checkpoints of one job, in a folder of their own; at most two are kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._good: Path | None = None
        """The newest that is known to be whole."""

    def save(self, step: int, tensors: Mapping[str, Tensor], numbers: JsonObject, data: Mapping[str, str]) -> None:
        """Writes a checkpoint, then removes all but it and the one before. Raises CheckpointFailed."""
        metadata = {_NUMBERS: json.dumps(numbers), _DATA: json.dumps(dict(data))}
        plain = {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}
        content = safetensors.torch.save(plain, metadata)
        path = self._folder / f"step-{step:09d}.{hashlib.sha256(content).hexdigest()}.safetensors"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _write(path, content)
            for other in self._folder.glob("step-*"):
                if other not in (path, self._good):
                    other.unlink()
        except OSError as error:
            raise CheckpointFailed(
                f"the checkpoint of step {step} could not be written to {self._folder}: {error.strerror}; "
                "make room there and resume the job: it goes on from the checkpoint before"
            ) from error
        self._good = path

    def newest(self, warn: Callable[[str], None]) -> Checkpoint | None:
        """The newest checkpoint that is whole, or None; ``warn`` is told of each newer one that is not."""
        found = [(int(match[1]), path) for path in self._folder.glob("step-*") if (match := _NAME.fullmatch(path.name))]
        for step, path in sorted(found, reverse=True):
            try:
                checkpoint = _read(step, path)
            except (OSError, ValueError, SafetensorError) as error:
                warn(f"checkpoint {path.name} cannot be used: {error}")
                continue
            self._good = path
            return checkpoint
        return None


def _write(path: Path, content: bytes) -> None:
    fresh = path.with_name("new")
    try:
        with fresh.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        with suppress(OSError):
            fresh.unlink()  # others, such as the job database, need the room
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read(step: int, path: Path) -> Checkpoint:
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest not in path.name:
        raise ValueError(f"its sha256 is {digest}")
    with safe_open(path, framework="pt") as file:
        # Copies: the file itself may be mapped into memory, and the optimiser works in place.
        tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118 - it is no mapping
        metadata = file.metadata()
        return Checkpoint(step, tensors, json.loads(metadata[_NUMBERS]), json.loads(metadata.get(_DATA, "{}")))
