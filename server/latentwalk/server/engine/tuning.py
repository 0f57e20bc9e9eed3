"""From a frozen generator to an engine that is tuned to this machine and warm."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from latentwalk.gan.generator import Generator
from latentwalk.server.engine.choice import Choice, Memory
from latentwalk.server.engine.core import Engine, unmeasured
from latentwalk.server.engine.devices import describe_device
from latentwalk.server.engine.perception import Perception
from latentwalk.server.engine.plan import buckets_up_to
from latentwalk.server.engine.trial import Trial
from latentwalk.server.engine.variants import VARIANTS, worth_trying

# Before 2, the seconds of some sizes were taken from those of others; before 3, ladders were slow on matrix units.
_VERSION = 3


@dataclass(frozen=True, slots=True)
class Tuning:
    """How engines are made."""

    devices: tuple[torch.device, ...]
    """One or more of a kind; the forms are measured on the first."""
    max_batch: int
    """The most rows of one batch."""
    seconds: float
    """How long the forms may be measured; 0 for not at all, which is plain fp32."""
    tolerance: float
    """How far the pixels may be from plain fp32's, in 1/255 on average."""
    cache: str
    """The folder where choices are remembered; empty for none."""
    perception: Perception = field(default_factory=Perception)
    """What searches may compare pictures by."""

    def make_engine(self, generator: Generator, choice: Choice | None = None) -> Engine:
        """The generator on its devices, in the form of `choice`, or that was chosen before, or is chosen now; warm."""
        generator = generator.to(self.devices[0])
        known = choice or self._recalled(generator)
        engine = Engine(generator, *self.devices, choice=known or self._chosen(generator), perception=self.perception)
        engine.warm()
        # Another time there may be more memory.
        if known is None and self._memory and not engine.lacks_memory:
            self._memory.keep(self._circumstances(generator), engine.choice)
        return engine

    def _chosen(self, generator: Generator) -> Choice:
        buckets = buckets_up_to(self.max_batch)
        if not self.seconds:
            return unmeasured(buckets)
        return Trial(generator, self.devices[0], buckets, self.seconds).choose(self.tolerance)

    def _recalled(self, generator: Generator) -> Choice | None:
        """What was chosen before, if it can still be used."""
        known = self._memory.recall(self._circumstances(generator)) if self._memory else None
        # Those of no use were let go of.
        if known is None or not known.seconds or max(known.seconds) not in buckets_up_to(self.max_batch):
            return None
        return known if set(known.variants.values()) <= VARIANTS.keys() else None

    @property
    def _memory(self) -> Memory | None:
        """None if nothing is measured, or nothing to be remembered."""
        return Memory(Path(self.cache)) if self.seconds and self.cache else None

    def _circumstances(self, generator: Generator) -> dict[str, Any]:
        """All that the choice depends on, and the version of what is remembered."""
        return {
            "version": _VERSION,
            "digest": generator.digest,
            "device": describe_device(self.devices[0]),
            "torch": torch.__version__,
            "threads": torch.get_num_threads(),
            "max_batch": self.max_batch,
            "tolerance": self.tolerance,
            "forms": worth_trying(self.seconds),
        }
