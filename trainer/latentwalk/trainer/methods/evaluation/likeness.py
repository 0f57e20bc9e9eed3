"""How real the pictures of a generator look.

The distances by which papers compare generators (Heusel et al. 2017; Binkowski et al. 2018), and the shares that tell
quality from variety (Kynkäänniemi et al. 2019), in the features of a classifier of ours. As many drawn pictures as
there are in one half of the real test part are compared with that half, and so is the other half: the floor of a
distance and the ceiling of a share, which have the same bias and the same chance.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from latentwalk.gan.classifiers import Classifier
from latentwalk.gan.likeness import Moments, frechet_distance, kernel_distance
from latentwalk.gan.manifolds import Manifold, precision_and_recall
from latentwalk.trainer import seeds
from latentwalk.trainer.data import Pictures
from latentwalk.trainer.methods.evaluation.drawing import Drawing
from latentwalk.trainer.methods.evaluation.measure import Measure
from latentwalk.trainer.methods.samples import DRAWN_AT_ONCE
from latentwalk.trainer.specs.closed_form import SAMPLES_PER_STEP

MANIFOLD_ROWS = 10_000
"""Pictures of either set, the first, for precision and recall: each is compared with each."""


class Halves:
    """The features of two halves of the real pictures, split at random; told once for all that is compared."""

    def __init__(self, classifier: Classifier, real: Pictures, samples: int) -> None:
        """``real`` is the test part, of at least 4 pictures. No half has more than there are samples."""
        self.rows = min(samples, len(real) // 2)
        self.classifier, self._real = classifier, real
        self._told: tuple[Tensor, Tensor] | None = None
        self._manifold: Manifold | None = None

    def told(self, pause: Callable[[], None]) -> tuple[Tensor, Tensor]:
        """Those of the half that others are compared with, and of the other half, each [rows, F] on the CPU."""
        if self._told is None:
            order = torch.randperm(len(self._real), generator=seeds.held_out_generator("likeness"))
            half, other = order[: 2 * self.rows].chunk(2)
            self._told = self._seen(half, pause), self._seen(other, pause)
        return self._told

    def manifold(self, pause: Callable[[], None]) -> Manifold:
        """What the half that others are compared with stands for."""
        if self._manifold is None:
            self._manifold = manifold(self.told(pause)[0], pause)
        return self._manifold

    def seen(self, pictures: Tensor) -> Tensor:
        """What the classifier tells pictures by [N, F], on the CPU."""
        return self.classifier.features(pictures).float().cpu()

    def _seen(self, rows: Tensor, pause: Callable[[], None]) -> Tensor:
        seen: list[Tensor] = []
        for some in rows.split(DRAWN_AT_ONCE):
            pause()
            seen.append(self.seen(self._real.pictures(some)))
        return torch.cat(seen)


class Likeness(Measure):
    """Measures "frechet_distance", "kernel_distance", "precision" and "recall".

    Of what is not truncated also the "floor" of each distance, and the "ceiling" of each share.
    """

    def __init__(self, drawing: Drawing, halves: Halves) -> None:
        self._drawing, self._halves = drawing, halves
        self._features = torch.zeros(halves.rows, halves.classifier.feature_size)
        self.gathered = nn.Module()
        self.gathered.register_buffer("features", self._features)

    def take(self, step: int) -> None:
        """Sees what is drawn; no more than there are real pictures."""
        first = step * SAMPLES_PER_STEP
        if first >= self._halves.rows:
            return
        for pictures in self._drawing.pictures(step, self._halves.rows):
            self._features[first : first + len(pictures)] = self._halves.seen(pictures)
            first += len(pictures)

    def measures(self, pause: Callable[[], None]) -> Mapping[str, float]:
        """Both distances and both shares, and what they are between the halves of the real pictures."""
        half, other = self._halves.told(pause)
        found = _distances(self._features, half) | self._shares(self._features, pause)
        if self._drawing.truncation is None:
            found |= {f"{name}.floor": value for name, value in _distances(other, half).items()}
            found |= {f"{name}.ceiling": value for name, value in self._shares(other, pause).items()}
        return self._drawing.named(found)

    def _shares(self, one: Tensor, pause: Callable[[], None]) -> dict[str, float]:
        shares = precision_and_recall(manifold(one, pause), self._halves.manifold(pause), pause=pause)
        return dict(zip(("precision", "recall"), shares, strict=True))


def manifold(features: Tensor, pause: Callable[[], None]) -> Manifold:
    """What the first of so many features [N, F] stand for."""
    return Manifold(features[:MANIFOLD_ROWS], pause=pause)


def _distances(one: Tensor, other: Tensor) -> dict[str, float]:
    return {
        "frechet_distance": frechet_distance(Moments.of(one), Moments.of(other)),
        "kernel_distance": kernel_distance(one, other),
    }
