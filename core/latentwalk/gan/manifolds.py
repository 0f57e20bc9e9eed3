"""How much of what is drawn could be real, and how much of what is real could be drawn: quality apart from variety.

Kynkäänniemi, Karras, Laine, Lehtinen and Aila, "Improved precision and recall metric for assessing generative models"
(NeurIPS 2019), section 2. Pictures of a law stand for all that is as near to one of them, by its features, as the k-th
nearest of the others is.

Shapes: N and M pictures, F features.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

NEIGHBOURS = 3
"""The k of the paper, section 2, and of StyleGAN2's."""
BLOCK = 250
"""Pictures whose distances to all of a set are held at once, in float64."""
SAME = 1e-12
"""Squared distances up to so much of the squared lengths are none: features in float32 are known no better."""


def _go_on() -> None:
    """Nobody wants it to stop."""


class Manifold:
    """The part of the space of features that a set of pictures stands for: a ball around each of them.

    It reaches to the k-th nearest of the others; of a set without so many, to the farthest.
    """

    def __init__(self, features: Tensor, neighbours: int = NEIGHBOURS, *, pause: Callable[[], None] = _go_on) -> None:
        """Of features [N, F], N at least 2. Calls ``pause``, which may raise, for every block of distances."""
        self.features = features
        """[N, F]."""
        nearest = min(neighbours + 1, len(features))  # the first is the picture itself
        blocks = _squared_distances(features, features, pause)
        self.squared_radii = torch.cat([block.kthvalue(nearest, dim=1).values for block in blocks])
        """Of the balls [N]."""


def precision_and_recall(drawn: Manifold, real: Manifold, *, pause: Callable[[], None] = _go_on) -> tuple[float, float]:
    """The shares of drawn pictures within the manifold of the real ones, and of real ones within that of the drawn.

    Both are from 0 to 1, by equation 2 of the paper, which takes sets of equal size, N = M: the more pictures there are
    in a set, the smaller its balls. Swapped sets have swapped shares. Papers take 50,000 pictures in the features of
    the second hidden layer of VGG-16's classifier.
    """
    within, found = 0, torch.zeros_like(real.squared_radii, dtype=torch.bool)
    blocks = _squared_distances(drawn.features, real.features, pause)
    for block, squared_radii in zip(blocks, drawn.squared_radii.split(BLOCK), strict=True):
        within += int((block <= real.squared_radii).any(dim=1).sum())
        found |= (block <= squared_radii[:, None]).any(dim=0)
    return within / len(drawn.features), found.double().mean().item()


def _squared_distances(one: Tensor, other: Tensor, pause: Callable[[], None]) -> Iterator[Tensor]:
    """From each of [N, F] to each of [M, F], some rows at a time: float64 [up to BLOCK, M]."""
    other = other.double()
    lengths = other.square().sum(dim=1)
    for some in one.split(BLOCK):
        pause()
        rows = some.double()
        scale = rows.square().sum(dim=1, keepdim=True) + lengths
        squared = scale - 2 * rows @ other.T
        yield squared.masked_fill_(squared <= SAME * scale, 0)
