"""What goes into the engine."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from latentwalk.gan.latents import latents_from_seeds, one_hot
from latentwalk.gan.spec import GeneratorSpec


@dataclass(frozen=True, slots=True)
class Row:
    """All that one picture depends on, besides the weights (law 1)."""

    z: Tensor
    """float32 [Z], on the CPU."""
    condition: Tensor | None
    """float32 [K], sums to 1, on the CPU; None for an unconditional generator."""
    strict: bool = False
    """Equal bytes in any company: drawn in a batch of its own. The others agree with themselves within 1/255."""


@dataclass(frozen=True, slots=True)
class PictureSize:
    """The size of a picture whose pixels are uint8 [H, W, C]."""

    width: int
    height: int
    channels: int

    @property
    def bytes(self) -> int:
        """How much memory its pixels take."""
        return self.width * self.height * self.channels


def stack(rows: Sequence[Row]) -> tuple[Tensor, Tensor | None]:
    """Codes z [N, Z] and conditions [N, K] or None, float32 on the CPU."""
    conditions = [row.condition for row in rows if row.condition is not None]
    return torch.stack([row.z for row in rows]), torch.stack(conditions) if conditions else None


def sample_rows(spec: GeneratorSpec, count: int) -> list[Row]:
    """The rows of the seeds 0, 1, ..., of one class after the other: what a form is measured and warmed with."""
    codes = latents_from_seeds(range(count), spec)
    conditions = one_hot([k % spec.classes for k in range(count)], spec.classes) if spec.classes else [None] * count
    return [Row(z, condition) for z, condition in zip(codes, conditions, strict=True)]
