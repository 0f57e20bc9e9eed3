"""How real the pictures of a generator look.

The distances by which papers compare generators (Heusel et al. 2017; Binkowski et al. 2018), in the features of a
classifier of ours. As many drawn pictures as there are in one half of the real test part are compared with that half,
and so is the other half: the floor, which has the same bias and the same chance.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from latentwalk.gan.classifiers import Classifier
from latentwalk.gan.generator import Generator
from latentwalk.gan.images import as_served
from latentwalk.gan.likeness import Moments, frechet_distance, kernel_distance
from latentwalk.trainer import seeds
from latentwalk.trainer.data import Pictures
from latentwalk.trainer.methods.evaluation.measure import Measure
from latentwalk.trainer.methods.samples import DRAWN_AT_ONCE, drawn, noise, sample
from latentwalk.trainer.specs import EvaluationSpec, JobSpec
from latentwalk.trainer.specs.closed_form import SAMPLES_PER_STEP


class Likeness(Measure):
    """Measures "frechet_distance" and "kernel_distance", and the "floor" of each."""

    def __init__(
        self, spec: JobSpec[EvaluationSpec], generator: Generator, classifier: Classifier, real: Pictures
    ) -> None:
        """``real`` is the test part, of at least 4 pictures."""
        self._seed, self._rows = spec.seed, min(spec.settings.samples, len(real) // 2)
        self._generator, self._classifier, self._real = generator, classifier, real
        self._features = torch.zeros(self._rows, classifier.feature_size)
        self.gathered = nn.Module()
        self.gathered.register_buffer("features", self._features)

    def take(self, step: int) -> None:
        """Sees what is drawn, each with noise of its own, as it is served; no more than there are real pictures."""
        first = step * SAMPLES_PER_STEP
        if first >= self._rows:
            return
        z, condition = sample(self._generator, self._seed, step, self._rows)
        own = noise(self._generator, self._seed, step, len(z))
        for rows in torch.arange(len(z)).split(DRAWN_AT_ONCE):
            some = None if condition is None else condition[rows]
            pictures = drawn(self._generator, z[rows], "z", some, own[rows])
            self._features[first + rows] = self._seen(as_served(pictures, self._generator.spec.range))

    def measures(self, pause: Callable[[], None]) -> Mapping[str, float]:
        """Both distances, and what they are between the halves of the real pictures."""
        order = torch.randperm(len(self._real), generator=seeds.held_out_generator("likeness"))
        half, other = (self._seen_real(rows, pause) for rows in order[: 2 * self._rows].chunk(2))
        moments = Moments.of(half)
        return {
            "frechet_distance": frechet_distance(Moments.of(self._features), moments),
            "frechet_distance.floor": frechet_distance(Moments.of(other), moments),
            "kernel_distance": kernel_distance(self._features, half),
            "kernel_distance.floor": kernel_distance(other, half),
        }

    def _seen_real(self, rows: Tensor, pause: Callable[[], None]) -> Tensor:
        """The features of some real pictures [N, F]."""
        seen: list[Tensor] = []
        for some in rows.split(DRAWN_AT_ONCE):
            pause()
            seen.append(self._seen(self._real.pictures(some)))
        return torch.cat(seen)

    def _seen(self, pictures: Tensor) -> Tensor:
        """What the classifier tells pictures by [N, F], on the CPU."""
        return self._classifier.features(pictures).float().cpu()
