"""What is measured: a generator in a store, its bare engine in this process, and the flags for a server of the same."""

import tempfile
import time
from collections.abc import Generator as Iterating
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.published import SPEC, publish
from latentwalk.gan.directions import LinearDirection
from latentwalk.gan.generator import Generator
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.server.engine import Engine, Tuning, find_devices, use_threads
from latentwalk.server.engine.rows import sample_rows
from latentwalk.server.settings import Settings


@dataclass(frozen=True)
class Stage:
    """A generator "bench" with a direction "ahead", and the engine that a server makes of it."""

    generator: Generator
    direction: LinearDirection
    engine: Engine
    batch: int
    store: Path
    cache: Path

    @property
    def flags(self) -> Sequence[str]:
        """For a server that draws the same pictures in the same form, with as many threads."""
        folders = ("--store", str(self.store), "--engine-cache", str(self.cache))
        return (*folders, "--max-batch", str(self.batch), "--torch-threads", str(torch.get_num_threads()))

    def bare_rate(self, seconds: float) -> float:
        """Pictures per second of `engine.draw(rows)` in a loop, at the largest batch."""
        rows = sample_rows(self.engine.generator, self.batch)
        self.engine.draw(rows)
        drawn, started = 0, time.perf_counter()
        while time.perf_counter() - started < seconds:
            drawn += len(self.engine.draw(rows))
        return drawn / (time.perf_counter() - started)


@contextmanager
def stage(batch: int = 32, spec: GeneratorSpec = SPEC, threads: int = 0) -> Iterating[Stage]:
    """Publish the generator, and choose the form of its engine: the server finds the choice in the cache."""
    settings = Settings()
    use_threads(threads)
    with tempfile.TemporaryDirectory() as folder:
        store, cache = Path(folder) / "store", Path(folder) / "engine"
        generator, direction = publish(store, spec)
        devices = find_devices(settings.device)
        tuning = Tuning(devices, batch, settings.engine_seconds, settings.engine_tolerance, str(cache))
        yield Stage(generator, direction, tuning.make_engine(generator), batch, store, cache)
