"""What a job of several measures needs to know of each."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

from torch import nn

from latentwalk.trainer.reports import Sample


class Measure(ABC):
    """One thing to measure of a generator: looks at samples step by step, and gathers what it needs of them."""

    gathered: nn.Module
    """Its buffers are all that a step leaves behind."""

    @abstractmethod
    def take(self, step: int) -> None:
        """Looks at the samples of one step, counted from 0; without gradients."""

    def sample(self, step: int) -> Sample | None:
        """Pictures worth showing once all steps are taken, if there are any; ``step`` is that of the job."""
        return None

    @abstractmethod
    def measures(self, pause: Callable[[], None]) -> Mapping[str, float]:
        """What was measured, by name, once all steps are taken; calls ``pause`` several times a second."""
