"""Which form serves at which batch size, and how it is remembered between two starts."""

import hashlib
import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Any
from uuid import uuid4

_log = logging.getLogger("latentwalk.engine")


@dataclass(frozen=True, slots=True)
class Choice:
    """The form of the generator for each batch size, and what was measured of it."""

    variants: Mapping[int, str]
    """Names in variants.VARIANTS, by batch size."""
    seconds: Mapping[int, float]
    """How long one batch takes, from rows to bytes, by those batch sizes for which there was time to measure it."""
    mean_error: float
    """How far its pixels are from those of plain fp32, in 1/255, on average over the sampled pictures."""
    max_error: int
    """The same, at the worst pixel."""

    def completed(self, warming: Mapping[int, float]) -> "Choice":
        """Of the sizes that were warmed; if any was measured, with the seconds that warming took at the others."""
        variants = {size: self.variants[size] for size in warming}
        seconds = {size: self.seconds.get(size, taken) for size, taken in warming.items()} if self.seconds else {}
        return replace(self, variants=variants, seconds=steady(seconds))

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, the inverse of from_json."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "Choice":
        """Builds what to_json wrote. Raises KeyError, TypeError or ValueError for anything else."""
        variants = {int(size): str(name) for size, name in document["variants"].items()}
        seconds = {int(size): float(time) for size, time in document["seconds"].items()}
        if not variants or (seconds and variants.keys() != seconds.keys()) or min(seconds.values(), default=1) <= 0:
            raise ValueError("variants and seconds, if any, must be of the same batch sizes, and every second above 0")
        return cls(variants, seconds, float(document["mean_error"]), int(document["max_error"]))


def steady(seconds: Mapping[int, float]) -> Mapping[int, float]:
    """The seconds by batch size, of which none is slower by the picture than a smaller one.

    One that seems to be was disturbed: with the smaller one's pace, the engine does not cut large batches into small
    ones for as long as this is remembered.
    """
    paces = accumulate((seconds[size] / size for size in sorted(seconds)), min)
    return {size: pace * size for size, pace in zip(sorted(seconds), paces, strict=True)}


class Memory:
    """A folder with one file a choice, named by all that the choice depends on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def recall(self, circumstances: Mapping[str, Any]) -> Choice | None:
        """What was chosen in these circumstances; None if nothing was, or if the file is damaged."""
        path = self._path(circumstances)
        try:
            return Choice.from_json(json.loads(path.read_text("utf-8"))["choice"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            _log.warning("%s is ignored, and the engine measured anew: %r", path, error)
            return None

    def keep(self, circumstances: Mapping[str, Any], choice: Choice) -> None:
        """Remembers a choice: written aside and renamed. A folder that cannot be written to costs only the memory."""
        path = self._path(circumstances)
        aside = path.with_suffix(f".{uuid4().hex}")
        text = json.dumps({"circumstances": circumstances, "choice": choice.to_json()}, indent=2)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            aside.write_text(text + "\n", "utf-8")
            aside.replace(path)
        except OSError as error:
            with suppress(OSError):
                aside.unlink()
            _log.warning(
                "engine_cache %s cannot be written to (%s): the forms are measured anew at the next start",
                self._folder,
                error.strerror,
            )

    def _path(self, circumstances: Mapping[str, Any]) -> Path:
        canonical = json.dumps(circumstances, sort_keys=True, separators=(",", ":"))
        return self._folder / f"{hashlib.sha256(canonical.encode()).hexdigest()[:32]}.json"
