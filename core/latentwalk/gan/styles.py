"""From z to w+: mapping network, truncation trick, style mixing. Shapes: R rows, L layers, W length of a w."""

from dataclasses import dataclass

import torch
from torch import Tensor

from latentwalk.gan.generator import Generator


@dataclass(frozen=True, eq=False)
class Lift:
    """What the z of some rows become: a w+ each.

    First what the mapping network makes of z, or the w+ that is given instead; then pulled towards the mean w; then, in
    some layers, replaced by the style of another latent.
    """

    generator: Generator
    """Frozen, with a mapping network."""
    condition: Tensor | None
    """[R, K] for the mapping network; None without classes."""
    psi: Tensor
    """[R, L]: how much of the distance from the mean w is left in each layer; 1 is all, 0 is the mean.

    The truncation trick in W (Karras et al. 2019, appendix B)."""
    given: Tensor
    """[R, L, W]: what stands in place of a mapped z, in the rows that `is_given`."""
    is_given: Tensor
    """bool [R]."""
    mixed: Tensor
    """[R, L, W]: the styles of others, in the layers that `is_mixed`."""
    is_mixed: Tensor
    """bool [R, L]."""

    def __call__(self, z: Tensor) -> Tensor:
        """The w+ [R, L, W] of z [R, Z]; rows that are given are not looked at."""
        own = self.given
        if not self.is_given.all():
            own = torch.where(self.is_given[:, None, None], own, map_rows(self.generator, z, self.condition))
        if not (self.psi == 1).all():
            mean = self.generator.mean_w
            # Not a lerp throughout: a psi of 1 leaves every bit as it is.
            own = torch.where(self.psi[..., None] == 1, own, mean + self.psi[..., None] * (own - mean))
        return torch.where(self.is_mixed[..., None], self.mixed, own) if self.is_mixed.any() else own


def map_rows(generator: Generator, z: Tensor, condition: Tensor | None) -> Tensor:
    """The w+ [R, L, W] of z [R, Z]: a row is mapped to the same bits alone and in any company."""
    # One by one: a matrix product may round a row by how many there are, and by where among them it lies (law 1).
    rows = [rows.split(1) for rows in (z, condition) if rows is not None]
    return torch.cat([generator.map(*row) for row in zip(*rows, strict=True)])
