"""What a classifier makes of pictures."""

from collections.abc import Callable

import torch
from torch import Tensor

from latentwalk.gan.classifiers import Classifier
from latentwalk.gan.generator import Generator
from latentwalk.gan.latents import latents_from_seeds, one_hot

AT_ONCE = 250


@torch.no_grad()
def in_batches(rows: int, work: Callable[[slice], Tensor]) -> Tensor:
    """Whatever ``work`` gives for each slice of the rows, one after the other."""
    return torch.cat([work(slice(first, first + AT_ONCE)) for first in range(0, rows, AT_ONCE)])


def drawn(generator: Generator, classes: list[int]) -> Tensor:
    """The pictures [N, C, H, W] of seeds 0, 1, 2, ..., each of its class."""
    z = latents_from_seeds(range(len(classes)), generator.spec)
    condition = one_hot(classes, generator.spec.classes)
    return in_batches(len(classes), lambda rows: generator(z[rows], condition[rows]))


def told(classifier: Classifier, pictures: Tensor) -> tuple[Tensor, Tensor]:
    """The classes [N] that the classifier sees, and its features [N, F]."""
    features = in_batches(len(pictures), lambda rows: classifier.features(pictures[rows]))
    return classifier.logits(features).argmax(dim=1), features
