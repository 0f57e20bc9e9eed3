"""By how much two pictures differ, for the lengths of paths between them."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional as F

from latentwalk.gan.classifiers import Classifier
from latentwalk.gan.perceptual import shrunk
from latentwalk.trainer.materials import Materials
from latentwalk.trainer.specs import Distance, EditLoss

Differ: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""Pictures [N, C, H, W] in (-1, 1) and as many others -> one distance a pair [N], of the second order."""


def differ_by(distance: Distance, materials: Materials, classifier: Classifier | None) -> Differ:
    """The distance of that name. Raises GanError if what it needs is not at hand."""
    return _DISTANCES[distance](materials, classifier)


def _pixels(materials: Materials, classifier: Classifier | None) -> Differ:
    """The mean squared difference of a pixel, of pictures that are shrunk."""

    def compare(some: Tensor, others: Tensor) -> Tensor:
        return (shrunk(some) - shrunk(others)).square().flatten(1).mean(dim=1)

    return compare


def _features(materials: Materials, classifier: Classifier | None) -> Differ:
    """The squared difference of a classifier's features, brought to length 1 as those of LPIPS are.

    How far pictures are shrunk is up to the classifier.
    """
    assert classifier is not None  # noqa: S101 - by validation

    def compare(some: Tensor, others: Tensor) -> Tensor:
        unit, other = (F.normalize(classifier.features(pictures), dim=1) for pictures in (some, others))
        return (unit - other).square().sum(dim=1)

    return compare


def _lpips(materials: Materials, classifier: Classifier | None) -> Differ:
    """LPIPS with AlexNet, of pictures that are shrunk; the paper takes VGG-16."""
    loss = materials.edit_loss(EditLoss.LPIPS)

    def compare(some: Tensor, others: Tensor) -> Tensor:
        some, others = shrunk(some), shrunk(others)
        return loss(some, others, torch.ones_like(some[:, :1]))

    return compare


_DISTANCES: Mapping[Distance, Callable[[Materials, Classifier | None], Differ]] = {
    Distance.PIXELS: _pixels,
    Distance.FEATURES: _features,
    Distance.LPIPS: _lpips,
}
