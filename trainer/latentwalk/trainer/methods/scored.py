"""Latents that have a score each: those that are drawn and scored here, and those that others have scored."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

from latentwalk.gan.attributes import attribute
from latentwalk.gan.classifiers import Classifier
from latentwalk.gan.generator import Generator
from latentwalk.gan.latents import latents_from_seeds, one_hot
from latentwalk.trainer.methods.samples import sample
from latentwalk.trainer.specs import BoundarySpec, JobSpec, Labels, Score
from latentwalk.trainer.specs.closed_form import SAMPLES_PER_STEP


class Scored(ABC):
    """Latents of a generator, by their places from 0 on."""

    scores: Tensor
    """[N], on the CPU, to be filled in place; complete after the last step."""

    def __init__(self, spec: JobSpec[BoundarySpec], generator: Generator) -> None:
        self.generator, self.space, self.class_ids = generator, spec.settings.space, spec.settings.class_ids

    def look(self, step: int) -> None:  # noqa: B027 - a hook: labels are there from the start
        """Scores the latents of one step."""

    @torch.no_grad()
    def codes(self, rows: Tensor, pause: Callable[[], None]) -> Tensor:
        """Those of some of the latents [M, D], by their places int64 [M]; on the CPU. Calls ``pause`` now and then."""
        codes = torch.empty(len(rows), self.generator.spec.size_of(self.space))
        parts = rows // SAMPLES_PER_STEP
        for part in parts.unique().tolist():
            pause()
            wanted = parts == part
            codes[wanted] = self._codes_of_part(part, rows[wanted] % SAMPLES_PER_STEP)
        return codes

    @abstractmethod
    def _codes_of_part(self, part: int, rows: Tensor) -> Tensor:
        """The codes [M, D], on the CPU, at places int64 [M] within a part of SAMPLES_PER_STEP latents."""


class Sampled(Scored):
    """Latents that are drawn for the job, and scored by their pictures, one part a step."""

    def __init__(
        self, spec: JobSpec[BoundarySpec], score: Score, generator: Generator, classifier: Classifier | None
    ) -> None:
        """The classifier is that of the score, if it has one."""
        super().__init__(spec, generator)
        self._seed, self._samples = spec.seed, spec.settings.samples
        self._score, self._classifier = score, classifier
        self.scores = torch.zeros(self._samples)

    @torch.no_grad()
    def look(self, step: int) -> None:
        """Scores the pictures of fresh latents."""
        z, condition = self._sample(step)
        first = step * SAMPLES_PER_STEP
        self.scores[first : first + len(z)] = self._scored(self.generator(z, condition)).cpu()

    def _codes_of_part(self, part: int, rows: Tensor) -> Tensor:
        z, condition = self._sample(part)
        return self.generator.encode(z, self.space, condition).cpu()[rows]

    def _sample(self, step: int) -> tuple[Tensor, Tensor | None]:
        return sample(self.generator, self._seed, step, self._samples, class_ids=self.class_ids)

    def _scored(self, pictures: Tensor) -> Tensor:
        score = self._score.classifier
        if score is None or self._classifier is None:
            return attribute(self._score.attribute, pictures)
        return self._classifier(pictures).softmax(dim=1)[:, score.class_id]


class Labelled(Scored):
    """Latents that came with their scores."""

    def __init__(self, spec: JobSpec[BoundarySpec], labels: Labels, generator: Generator) -> None:
        super().__init__(spec, generator)
        self._labels = labels
        given = labels.w or labels.z
        self._given = None if given is None else torch.from_numpy(given.array())
        self.scores = torch.tensor(labels.scores, dtype=torch.float64)

    def _codes_of_part(self, part: int, rows: Tensor) -> Tensor:
        places = part * SAMPLES_PER_STEP + rows
        if self._given is not None and self._labels.w:
            return self._given[places]
        z = self._z(places).to(self.generator.device)
        condition = one_hot(list(self.class_ids) * len(z), self.generator.spec.classes) if self.class_ids else None
        return self.generator.encode(z, self.space, None if condition is None else condition.to(z.device)).cpu()

    def _z(self, places: Tensor) -> Tensor:
        if self._given is not None:
            return self._given[places]
        return latents_from_seeds([self._labels.seeds[place] for place in places.tolist()], self.generator.spec)
