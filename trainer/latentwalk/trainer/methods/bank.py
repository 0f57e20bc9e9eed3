"""A bank of straight directions that imitate no edit."""

from collections.abc import Sequence

import torch
from torch import Tensor

from latentwalk.gan.directions import LIMIT, SHOWN, LinearDirection, Slider
from latentwalk.gan.generator import Generator
from latentwalk.gan.latents import classes_in_turn, latents_from_seeds
from latentwalk.trainer import seeds

_LOOKED_AT = 4_096
"""Latents by which the deviations of w are told."""


def bank(
    name: str,
    generator: Generator,
    names: Sequence[str],
    vectors: Tensor,
    *,
    space: str = "z",
    layers: Sequence[int] = (),
    class_ids: Sequence[int] = (),
) -> LinearDirection:
    """One slider for each of the unit vectors [S, Z] or, in w, [S, W]; alpha is in standard deviations of a latent.

    A w varies more along some directions than along others: there a vector is as long as the deviation along it, among
    w of these classes, by default of all. With ``layers`` these alone are moved, each by the same: the direction is one
    in w+.
    """
    if space == "w":
        vectors = vectors * _deviations(generator, vectors, class_ids)[:, None]
    moved = vectors.repeat(1, len(layers) or 1).contiguous()
    return LinearDirection(
        name=name,
        generator_digest=generator.digest,
        sliders=tuple(Slider(name=one, edit="", unit="", scale=1.0, trained=SHOWN, limit=LIMIT) for one in names),
        vectors=moved,
        space="w+" if layers else space,
        layers=tuple(layers),
    )


@torch.no_grad()
def _deviations(generator: Generator, vectors: Tensor, class_ids: Sequence[int]) -> Tensor:
    """The standard deviation of held-out w along unit vectors [S, W]: [S]; of these classes alike, or of all."""
    z = latents_from_seeds(seeds.held_out_seeds(_LOOKED_AT), generator.spec).to(generator.device)
    condition = classes_in_turn(len(z), generator.spec.classes, class_ids)
    w = generator.encode(z, "w", None if condition is None else condition.to(z.device))
    return (w.cpu() @ vectors.T).std(dim=0)
