"""What a job does, whatever its method."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar


class MethodSettings:
    """The settings of one method: a frozen dataclass whose fields are named as those of its message on the wire."""

    __slots__ = ()

    reads_generator: ClassVar[bool] = True
    """Whether it works on a generator of the store; else `model` names what it publishes."""
    makes_direction: ClassVar[bool] = True
    """Whether it publishes a direction."""

    steps: int
    """In all."""
    batch_size: int = 1
    """Rows of each step, which several processes may share; 1 for what is not trained on batches."""
    group: int = 1
    """Rows, one after another, that none of them may take apart."""


@dataclass(frozen=True, slots=True)
class Unreadable(MethodSettings):
    """In the place of settings that this version of the trainer does not know: another one has made the job."""

    problem: str
    """What there is to say of it, and to do."""
    steps: int = 0


Settings = TypeVar("Settings", bound=MethodSettings)
Settings_co = TypeVar("Settings_co", bound=MethodSettings, covariant=True)


@dataclass(frozen=True, slots=True)
class JobSpec(Generic[Settings_co]):
    """One job, complete: every default is filled in and every number is within its bounds."""

    model: str
    """The generator's name in the artifact store: that it works on, or, without such, that it publishes."""
    model_version: int
    """0 for a method that works on no generator."""
    direction: str
    """The name of the direction that is published; empty if none is."""
    seed: int
    """Everything random in the job follows from it."""
    checkpoint_every: int
    """Steps between two checkpoints."""
    method: str
    """A name in SPECS."""
    settings: Settings_co
    priority: int = 0
    """Higher goes first."""

    def with_settings(self, settings: Settings) -> "JobSpec[Settings]":
        """The same job with other settings."""
        changed: Any = replace(self, settings=settings)
        return changed


AnyJobSpec: TypeAlias = JobSpec[MethodSettings]
"""For whom the method makes no difference."""
