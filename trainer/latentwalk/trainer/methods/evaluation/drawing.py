"""What is drawn of the samples of a job, to be compared with real pictures."""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from latentwalk.gan.generator import Generator
from latentwalk.gan.images import as_served
from latentwalk.gan.truncations import Truncation
from latentwalk.trainer.methods.samples import DRAWN_AT_ONCE, drawn, noise, sample
from latentwalk.trainer.specs import EvaluationSpec, JobSpec


class Drawing:
    """The pictures of a job's samples, each with noise of its own, as they are served; of all, or truncated.

    They are of the same seeds, classes and noise, however they are truncated.
    """

    def __init__(
        self, spec: JobSpec[EvaluationSpec], generator: Generator, truncation: Truncation | None = None
    ) -> None:
        self.truncation = truncation
        self._seed, self._generator = spec.seed, generator

    def named(self, measures: Mapping[str, float]) -> Mapping[str, float]:
        """What was measured of them, with the truncation in its name: "truncation.psi=0.7.<name>"."""
        place = "" if self.truncation is None else f"truncation.{self.truncation.name}."
        return {f"{place}{name}": value for name, value in measures.items()}

    def pictures(self, step: int, samples: int) -> Iterator[Tensor]:
        """Those of one step, of so many samples in all, some [N, C, H, W] at a time."""
        threshold = self.truncation and self.truncation.threshold
        z, condition = sample(self._generator, self._seed, step, samples, threshold)
        for rows in torch.arange(len(z)).split(DRAWN_AT_ONCE):
            own = noise(self._generator, self._seed, step, rows)
            pictures = self._drawn(z[rows], None if condition is None else condition[rows], own)
            yield as_served(pictures)

    def _drawn(self, z: Tensor, condition: Tensor | None, noise: Tensor) -> Tensor:
        generator = self._generator
        if self.truncation is None or self.truncation.psi is None:
            return drawn(generator, z, "z", condition, noise)
        return drawn(generator, self.truncation.encode(generator, z, condition), "w+", condition, noise)
