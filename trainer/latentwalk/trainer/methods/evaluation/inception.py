"""How real the pictures of a generator look, by the distances that papers give.

Fréchet Inception distance (Heusel et al. 2017) and kernel Inception distance (Binkowski et al. 2018), between drawn
pictures and all of those that generators are trained on. Both are looked at step by step, so that a job that is
interrupted knows what it has seen.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from latentwalk.gan.generator import Generator
from latentwalk.gan.images import as_served
from latentwalk.gan.inception import FEATURES, Inception
from latentwalk.gan.likeness import Moments, frechet_distance, kernel_distance
from latentwalk.trainer import seeds
from latentwalk.trainer.data import Pictures
from latentwalk.trainer.methods.evaluation.measure import Measure
from latentwalk.trainer.methods.samples import DRAWN_AT_ONCE, drawn, noise, sample
from latentwalk.trainer.specs import EvaluationSpec, JobSpec

KERNEL_ROWS = 10_000
"""Pictures of either set, the first, for the kernel distance: it has no bias, and checkpoints hold their features."""


class InceptionLikeness(Measure):
    """Measures "fid" and "kid", with other weights than those of papers under names of their own."""

    def __init__(
        self, spec: JobSpec[EvaluationSpec], generator: Generator, inception: Inception, real: Pictures
    ) -> None:
        """``real`` is the train part, of at least 2 pictures."""
        self._seed, self._samples, self._steps = spec.seed, spec.settings.samples, spec.settings.steps_of_a_pass
        self._generator, self._inception, self._real = generator, inception, real
        self._order = torch.randperm(len(real), generator=seeds.held_out_generator("inception"))
        self._seen = {"real": _Seen(len(real)), "drawn": _Seen(self._samples)}
        self.gathered = nn.ModuleDict(self._seen)

    def take(self, step: int) -> None:
        """Sees what is drawn, each with noise of its own, as it is served, and a share of the real pictures."""
        z, condition = sample(self._generator, self._seed, step, self._samples)
        own = noise(self._generator, self._seed, step, len(z))
        for rows in torch.arange(len(z)).split(DRAWN_AT_ONCE):
            some = None if condition is None else condition[rows]
            pictures = drawn(self._generator, z[rows], "z", some, own[rows])
            self._seen["drawn"].add(self._inception(as_served(pictures, self._generator.spec.range)))
        share = self._order.tensor_split(self._steps)[step]
        for rows in share.split(DRAWN_AT_ONCE) if len(share) else ():  # of few pictures there is not one for each step
            self._seen["real"].add(self._inception(self._real.pictures(rows)))

    def measures(self, pause: Callable[[], None]) -> Mapping[str, float]:
        """Both distances."""
        pause()
        one, other = self._seen["drawn"], self._seen["real"]
        distances = frechet_distance(one.moments, other.moments), kernel_distance(one.rows, other.rows)
        return dict(zip(self.names, distances, strict=True))

    @property
    def names(self) -> tuple[str, str]:
        """Of both distances: those of papers are theirs alone."""
        return ("fid", "kid") if self._inception.is_published else ("fid.torchvision", "kid.torchvision")


class _Seen(nn.Module):
    """What is kept of the features of so many pictures: the moments of all, and the first ones."""

    def __init__(self, pictures: int) -> None:
        super().__init__()
        self.rows: Tensor
        self.moments = Moments(FEATURES)
        self.register_buffer("rows", torch.zeros(min(pictures, KERNEL_ROWS), FEATURES))

    def add(self, features: Tensor) -> None:
        """Takes the features [N, F] of more pictures in."""
        first = int(self.moments.count)
        self.moments.add(features)
        kept = self.rows[first : first + len(features)]
        kept.copy_(features[: len(kept)])
