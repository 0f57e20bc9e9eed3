"""What the loop needs to know of a method, and what the method need not know of the loop."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, TypeAlias

from torch import Tensor, nn
from torch.optim import Optimizer

from latentwalk.gan.classifiers import Classifier
from latentwalk.gan.directions import Direction
from latentwalk.gan.generator import Generator
from latentwalk.trainer.data import Part, Pictures
from latentwalk.trainer.materials import Materials, Parent
from latentwalk.trainer.reports import Sample, SliderEvaluation
from latentwalk.trainer.specs import JobSpec

Product: TypeAlias = Generator | Direction | Classifier
"""What a job can publish."""


@dataclass(frozen=True, slots=True)
class Phase:
    """One turn of one optimiser within a step: its parameters, and no others, get gradients meanwhile."""

    name: str
    optimiser: Optimizer
    losses: Callable[[int], Mapping[str, Tensor]]
    """From the step, counted from 0, to the terms of the objective: scalars by name, of which the sum is minimised.
    No terms: the phase sits this step out."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a job."""

    products: tuple[Product, ...]
    """To be published, in this order: a direction after the generator it belongs to. None, if it was only measured."""
    evaluations: tuple[SliderEvaluation, ...] = ()
    measures: Mapping[str, float] = field(default_factory=dict[str, float])
    """What else was measured, by name."""
    data: Mapping[str, str] = field(default_factory=dict[str, str])
    """The digests of the pictures that were read, by their part: "train", "test"."""
    calibrated_from: Mapping[str, int] = field(default_factory=dict[str, int])
    """The versions, by name, of directions among the products that were there before and are only calibrated."""
    generator_digest: str = ""
    """Of the generator that was measured, where nothing is published."""
    parent: Parent | None = None
    """With whose weights the generator began that is published."""


class Method(ABC):
    """One way to find a direction or to make a generator: what is trained, in which phases, and what comes of it.

    Two instances of one spec, loaded with the same state, go on alike: whatever is random in a step follows from the
    job's seed and the step. A method that trains nothing has no phases, and gathers what it needs in `after_step`.
    """

    steps: int
    """In all."""
    trained: nn.Module
    """Its state_dict, buffers included, with those of the optimisers, is all that a step leaves behind."""
    phases: Sequence[Phase] = ()
    """The turns of each step, in order."""
    pictures: Mapping[Part, Pictures] = {}
    """All that are read, by their part. A job that has begun with some goes on with no others."""

    @property
    def data(self) -> dict[str, str]:
        """The digests of the pictures, by their part; they take a second or two for each GiB, once."""
        return {part: pictures.digest for part, pictures in self.pictures.items()}

    @classmethod
    @abstractmethod
    def prepare(cls, spec: JobSpec[Any], materials: Materials) -> Self:
        """Reads what the job needs and builds the method, before its first step. Raises GanError, OSError."""

    def before_step(self, step: int) -> None:  # noqa: B027 - a hook: a method may do without
        """A schedule sets its learning rate here. ``step`` counts from 0."""

    def after_step(self, step: int) -> None:  # noqa: B027
        """A moving average is moved here; what is gathered goes into buffers of ``trained``."""

    def sample(self, step: int) -> Sample | None:
        """Pictures worth showing after this step; None, most of the time."""
        return None

    @abstractmethod
    def outcome(self, pause: Callable[[], None]) -> Outcome:
        """Measures the result; calls ``pause``, which may raise, several times a second."""
