"""From z to w+: mapping network, truncation trick, style mixing. Shapes: R rows, L layers, W length of a w."""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor

from latentwalk.gan.generator import Generator


class Mapper(Protocol):
    """Maps rows; may be called from any thread."""

    def __call__(self, generator: Generator, z: Tensor, condition: Tensor | None) -> Tensor:
        """The w+ [R, L, W] of z [R, Z] and a condition [R, K] or None, bit for bit as `map_rows` has it."""
        ...

    def is_at_hand(self, generator: Generator, z: Tensor, condition: Tensor | None) -> bool:
        """Whether the w+ of all these rows can be had without mapping any, which takes time."""
        ...


@dataclass(frozen=True, eq=False)
class Lift:
    """What the z of some rows become: a w+ each.

    First what the mapping network makes of z, or the w+ that is given instead; then pulled towards the mean w; then, in
    some layers, replaced by the style of another latent.
    """

    generator: Generator
    """Frozen, with a mapping network."""
    mapper: Mapper
    condition: Tensor | None
    """[R, K] for the mapping network; None without classes."""
    psi: Tensor
    """[R, L]: how much of the distance from the mean w is left in each layer; 1 is all, 0 is the mean.

    The truncation trick in W (Karras et al. 2019, appendix B)."""
    given: Tensor
    """[R, L, W]: what stands in place of a mapped z, in the rows that `is_given`."""
    is_given: Tensor
    """bool [R]."""
    others: "Others | None"
    """Whose styles are mixed in; None if none are."""
    mixed: Tensor
    """int64 [R, L]: which of the others it is in each layer; -1 where the row keeps its own style."""

    def __call__(self, z: Tensor) -> Tensor:
        """The w+ [R, L, W] of z [R, Z]; rows that are given are not looked at."""
        own = self.given
        if not self.is_given.all():
            own = own.clone()
            own[~self.is_given] = self.mapper(self.generator, *self._inputs(z))
        if not (self.psi == 1).all():
            mean = self.generator.mean_w
            # Not a lerp throughout: a psi of 1 leaves every bit as it is.
            own = torch.where(self.psi[..., None] == 1, own, mean + self.psi[..., None] * (own - mean))
        if self.others is None:
            return own
        styles = self.others.w_plus[self.mixed, torch.arange(self.mixed.shape[1])]
        return torch.where(self.mixed[..., None] < 0, own, styles)

    def is_at_hand(self, z: Tensor) -> bool:
        """Whether the w+ of z can be had without mapping anything, which takes time."""
        if self.others is not None and not self.others.lift.is_at_hand(self.others.z):
            return False
        return bool(self.is_given.all()) or self.mapper.is_at_hand(self.generator, *self._inputs(z))

    def _inputs(self, z: Tensor) -> tuple[Tensor, Tensor | None]:
        """Of the rows that are to be mapped: z, and their condition."""
        mapped = ~self.is_given
        return z[mapped], None if self.condition is None else self.condition[mapped]


@dataclass(frozen=True, eq=False)
class Others:
    """Latents that lend their styles, M of them."""

    z: Tensor
    """[M, Z]."""
    lift: Lift

    @cached_property
    def w_plus(self) -> Tensor:
        """What they become, [M, L, W]; mapped when that is asked for first."""
        return self.lift(self.z)


def map_rows(generator: Generator, z: Tensor, condition: Tensor | None) -> list[Tensor]:
    """The w+ [L, W] of each row of z [R, Z]: it is mapped to the same bits alone and in any company."""
    # One by one: a matrix product may round a row by how many there are, and by where among them it lies (law 1).
    rows = [rows.split(1) for rows in (z, condition) if rows is not None]
    return [generator.map(*row)[0] for row in zip(*rows, strict=True)]
