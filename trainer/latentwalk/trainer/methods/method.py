"""What the loop needs to know of a method, and what the method need not know of the loop."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

from torch import Tensor, nn
from torch.optim import Optimizer

from latentwalk.gan.directions import LinearDirection
from latentwalk.gan.generator import Generator
from latentwalk.trainer.reports import SliderEvaluation
from latentwalk.trainer.specs import JobSpec


class Method(ABC):
    """One way to find a direction: what is trained, on which losses, and what comes of it.

    Two instances of one spec and generator, loaded with the same state, go on alike: whatever is random in a step
    follows from the job's seed and the step.
    """

    steps: int
    """In all."""
    trained: nn.Module
    """Its state_dict, with that of the optimiser, is all that a step leaves behind."""
    optimiser: Optimizer

    @abstractmethod
    def __init__(self, spec: JobSpec, generator: Generator) -> None:
        """``generator`` is frozen and that of the spec."""

    def before_step(self, step: int) -> None:  # noqa: B027 - a hook: a method may do without
        """A schedule sets its learning rate here. ``step`` counts from 0."""

    @abstractmethod
    def losses(self, step: int) -> Mapping[str, Tensor]:
        """The terms of the objective, scalars by name, of which the sum is minimised."""

    @abstractmethod
    def evaluate(self, pause: Callable[[], None]) -> tuple[SliderEvaluation, ...]:
        """Measures the result on held-out latents; calls ``pause``, which may raise, several times a second."""

    @abstractmethod
    def direction(self) -> LinearDirection:
        """The result."""
