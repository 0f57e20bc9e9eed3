"""What jobs do that are supervised by edits."""

from dataclasses import dataclass

from latentwalk.trainer.specs.bounds import count, number
from latentwalk.trainer.specs.job import MethodSettings


@dataclass(frozen=True, slots=True)
class EditTarget:
    """One slider of the new direction: the edit it imitates and the amounts to train on."""

    edit: str = ""
    """A name in latentwalk.gan.edits.EDITS; also the name of the slider."""
    amount_low: float | None = None
    """The least amount, in the edit's unit; None until it is completed."""
    amount_high: float | None = None
    """The greatest amount, in the edit's unit; None until it is completed."""

    @property
    def amounts(self) -> tuple[float, float]:
        """The least and the greatest amount of a target that is complete."""
        assert self.amount_low is not None  # noqa: S101 - completed by validation
        assert self.amount_high is not None  # noqa: S101
        return self.amount_low, self.amount_high


@dataclass(frozen=True, slots=True)
class EditDirectionSpec(MethodSettings):
    """A linear direction supervised by edits."""

    edits: tuple[EditTarget, ...] = ()
    steps: int = count(250, most=1_000_000)
    """Optimiser steps."""
    batch_size: int = count(16, most=1_024)
    """Fresh latents for each step, shared out among the edits."""
    learning_rate: float = number(0.4, 0, 1, above=True)
    """Adam's greatest step size; the default was measured, see methods.edit_direction."""
    evaluation_size: int = count(1_024, most=65_536)
    """Held-out latents on which each slider is measured."""
