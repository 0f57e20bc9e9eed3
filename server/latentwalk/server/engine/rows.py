"""What goes into the engine."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from latentwalk.gan.generator import Generator
from latentwalk.gan.latents import classes_in_turn, latents_from_seeds, noise_from_seeds


@dataclass(frozen=True, slots=True)
class Noise:
    """What disturbs the layers of one picture: standard normal numbers, times a strength."""

    seed: int | None
    """What they are drawn for; None for the numbers that belong to the weights."""
    strength: float
    layers: tuple[int, ...] = ()
    """The layers that are given it, from 0; the others keep that of the weights. None named: all."""


@dataclass(frozen=True, slots=True)
class Row:
    """All that one picture depends on, besides the weights (law 1). Nothing is computed with it alone: arrays."""

    code: NDArray[np.float32]
    """z [Z] or, for a generator with a mapping network, w+ [L, W]."""
    condition: NDArray[np.float32] | None
    """[K], sums to 1; None for an unconditional generator, and for w+."""
    strict: bool = False
    """Equal bytes in any company: drawn in a batch of its own. The others agree with themselves within 1/255."""
    noise: Noise | None = None
    """None for that of the weights, as it is."""


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


class Inputs(NamedTuple):
    """What a generator draws a batch from."""

    code: Tensor
    """z [N, Z] or, with a mapping network, w+ [N, L, W]."""
    condition: Tensor | None
    """[N, K]; None without classes, and for w+."""
    noise: Tensor | None = None
    """[N, P]; None for that of the weights, as it is."""

    def to(self, target: torch.device | torch.dtype) -> "Inputs":
        """The same on another device, or in another precision."""
        return Inputs(
            self.code.to(target),
            None if self.condition is None else self.condition.to(target),
            None if self.noise is None else self.noise.to(target),
        )


def stack(rows: Sequence[Row]) -> Inputs:
    """The rows as a batch, but for noise, float32 on the CPU."""
    conditions = [row.condition for row in rows if row.condition is not None]
    return Inputs(
        torch.from_numpy(np.stack([row.code for row in rows])),
        torch.from_numpy(np.stack(conditions)) if conditions else None,
    )


def stack_noise(rows: Sequence[Row], generator: Generator) -> Tensor | None:
    """The noise of the rows, float32 [N, P] on the CPU; None if all have that of the generator's weights."""
    if not any(row.noise for row in rows):
        return None
    own = generator.noise.cpu()
    return torch.stack([own if row.noise is None else _noise(row.noise, own, generator) for row in rows])


def _noise(noise: Noise, own: Tensor, generator: Generator) -> Tensor:
    numbers = own if noise.seed is None else noise_from_seeds([noise.seed], len(own))[0]
    asked, sizes = noise.strength * numbers, list(generator.noise_sizes)
    if not noise.layers or not sizes:
        return asked
    parts = enumerate(zip(asked.split(sizes), own.split(sizes), strict=True))
    return torch.cat([part if layer in noise.layers else kept for layer, (part, kept) in parts])


def sample_rows(generator: Generator, count: int) -> list[Row]:
    """The rows of the seeds 0, 1, ..., of one class after the other: what a form is measured and warmed with."""
    spec = generator.spec
    z = latents_from_seeds(range(count), spec)
    condition = classes_in_turn(count, spec.classes)
    if spec.space == "w+":
        own = generator.device
        with torch.no_grad():
            z, condition = generator.map(z.to(own), None if condition is None else condition.to(own)).cpu(), None
    conditions = [None] * count if condition is None else condition.numpy()
    return [Row(code, condition) for code, condition in zip(z.numpy(), conditions, strict=True)]
