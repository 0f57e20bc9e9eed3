"""The job that measures a generator: several measures, of the same latents."""

from collections.abc import Callable, Mapping, Sequence
from typing import Self

import torch
from torch import nn

from latentwalk.gan.generator import Generator
from latentwalk.trainer.distances import differ_by
from latentwalk.trainer.materials import Materials
from latentwalk.trainer.methods.evaluation.entanglement import Entanglement
from latentwalk.trainer.methods.evaluation.likeness import Likeness
from latentwalk.trainer.methods.evaluation.measure import Measure
from latentwalk.trainer.methods.method import Method, Outcome
from latentwalk.trainer.specs import EvaluationSpec, JobSpec


class Evaluation(Method):
    """Takes each measure through the samples; nothing is published."""

    def __init__(self, steps: int, generator: Generator, measures: Sequence[Measure], data: Mapping[str, str]) -> None:
        """``data`` are the digests of the pictures that are read, by their part."""
        self.steps = steps
        self._generator, self._measures, self._data = generator, measures, data
        self.trained = nn.ModuleList([measure.gathered for measure in measures])

    @classmethod
    def prepare(cls, spec: JobSpec, materials: Materials) -> Self:
        """On the generator of the spec, with the classifier and the pictures that its settings name."""
        settings = spec.settings
        assert isinstance(settings, EvaluationSpec)  # noqa: S101 - by the table of methods
        assert settings.distance is not None  # noqa: S101 - completed by validation
        generator = materials.generator(spec)
        classifier = materials.classifier(settings.classifier) if settings.classifier else None
        differ = differ_by(settings.distance, materials, classifier)
        measures: list[Measure] = [Entanglement(spec, generator, classifier, differ)]
        if settings.data is None or classifier is None:
            return cls(settings.steps, generator, measures, {})
        real = materials.pictures(settings.data, "test", generator.spec.resolution)
        measures.append(Likeness(spec, generator, classifier, real))
        return cls(settings.steps, generator, measures, {"test": real.digest})

    @torch.no_grad()
    def after_step(self, step: int) -> None:
        """Shows every measure the samples of the step."""
        for measure in self._measures:
            measure.take(step)

    @torch.no_grad()
    def outcome(self, pause: Callable[[], None]) -> Outcome:
        """All measures."""
        found = {name: value for one in self._measures for name, value in one.measures(pause).items()}
        return Outcome((), measures=found, data=self._data, generator_digest=self._generator.digest)
