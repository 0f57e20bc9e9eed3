"""From z to w+: mapping network, truncation trick, style mixing. Shapes: R rows, L layers, W length of a w."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from latentwalk.gan.generator import Generator
from latentwalk.gan.steps import Steps, finish
from latentwalk.gan.truncations import pulled


class Mapper(Protocol):
    """Maps rows; may be called from any thread."""

    def __call__(self, generator: Generator, z: Tensor, condition: Tensor | None) -> Tensor:
        """The w+ [R, L, W] of z [R, Z] and a condition [R, K] or None, bit for bit as `map_rows` has it."""
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
    given: Mapping[int, Tensor]
    """[L, W], by row: what stands in place of a mapped z."""
    others: "Others | None"
    """Whose styles are mixed in; None if none are."""
    mixed: Tensor
    """int64 [R, L]: which of the others it is in each layer; -1 where the row keeps its own style."""

    def __call__(self, z: Tensor) -> Tensor:
        """The w+ [R, L, W] of z [R, Z]; rows that are given are not looked at."""
        return finish(self.in_steps(z))

    def in_steps(self, z: Tensor) -> Steps[Tensor]:
        """As a call, in steps: each maps one latent."""
        w_plus = torch.empty(len(z), *self.psi.shape[1:], self.generator.spec.w_size)
        for row in range(len(z)):
            w_plus[row] = yield from self.row_in_steps(z, row)
        return w_plus

    def row_in_steps(self, z: Tensor, row: int) -> Steps[Tensor]:
        """The w+ [L, W] of one row of z [R, Z], in steps as all of them."""
        own = self.given.get(row)
        if own is None:
            condition = None if self.condition is None else self.condition[row, None]
            own = self.mapper(self.generator, z[row, None], condition)[0]
            yield
        own = pulled(own, self.generator.mean_w, self.psi[row])
        if self.others is None:
            return own
        for other in sorted({*self.mixed[row].tolist()} - {-1}):
            style = yield from self.others.lift.row_in_steps(self.others.z, other)
            own = torch.where(self.mixed[row, :, None] == other, style, own)
        return own


@dataclass(frozen=True, eq=False)
class Others:
    """Latents that lend their styles, M of them."""

    z: Tensor
    """[M, Z]."""
    lift: Lift


def map_rows(generator: Generator, z: Tensor, condition: Tensor | None) -> list[Tensor]:
    """The w+ [L, W] of each row of z [R, Z]: it is mapped to the same bits alone and in any company."""
    # One by one: a matrix product may round a row by how many there are, and by where among them it lies (law 1).
    rows = [rows.split(1) for rows in (z, condition) if rows is not None]
    return [generator.map(*row)[0] for row in zip(*rows, strict=True)]
