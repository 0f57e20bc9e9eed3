"""The job that measures a generator: several measures, which look at samples step by step."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import Self

import torch
from torch import nn

from latentwalk.gan.classifiers import Classifier
from latentwalk.gan.directions import Direction
from latentwalk.gan.generator import Generator
from latentwalk.gan.likeness import Moments
from latentwalk.gan.limits import RUNGS
from latentwalk.trainer.data import Part, Pictures
from latentwalk.trainer.distances import differ_by
from latentwalk.trainer.materials import Materials
from latentwalk.trainer.methods.evaluation.drawing import Drawing
from latentwalk.trainer.methods.evaluation.entanglement import Entanglement
from latentwalk.trainer.methods.evaluation.inception import Gallery, InceptionLikeness
from latentwalk.trainer.methods.evaluation.likeness import Halves, Likeness
from latentwalk.trainer.methods.evaluation.limits import Limits
from latentwalk.trainer.methods.evaluation.measure import Measure
from latentwalk.trainer.methods.evaluation.reach import Spread
from latentwalk.trainer.methods.evaluation.walker import Walker
from latentwalk.trainer.methods.method import Method, Outcome
from latentwalk.trainer.references import Reference
from latentwalk.trainer.reports import Sample
from latentwalk.trainer.specs import EvaluationSpec, JobSpec


class Evaluation(Method):
    """A pass over the samples for what is measured of the generator, one for each truncation and for each slider.

    Publishes nothing but the directions that it is to calibrate.
    """

    def __init__(
        self,
        settings: EvaluationSpec,
        generator: Generator,
        passes: Sequence[Sequence[Measure]],
        limits: Sequence[Limits],
        shared: Sequence[nn.Module],
        pictures: Mapping[Part, Pictures],
    ) -> None:
        """``passes`` are those of the generator, as it is and truncated, ``limits`` are of each slider.

        ``shared`` is what they use one after the other, ``pictures`` are the real ones.
        """
        self.steps, self._steps_of_a_pass = settings.steps, settings.steps_of_a_pass
        self._settings, self._generator, self._limits, self.pictures = settings, generator, limits, pictures
        self._passes: list[Sequence[Measure]] = [*passes, *([one] for one in limits)]
        self.trained = nn.ModuleList([measure.gathered for measure in chain(*self._passes)])
        self.trained.extend(shared)

    @classmethod
    def prepare(cls, spec: JobSpec[EvaluationSpec], materials: Materials) -> Self:
        """On the generator of the spec, with the classifier, the pictures and the directions that its settings name."""
        settings = spec.settings
        assert settings.distance is not None  # noqa: S101 - completed by validation
        generator = materials.generator(spec)
        classifier = materials.classifier(settings.classifier) if settings.classifier else None
        differ = differ_by(settings.distance, materials, classifier)
        pictures = _pictures(settings, generator, materials)
        halves = Halves(classifier, pictures["test"], settings.samples) if classifier and pictures else None
        gallery = Gallery(settings, materials.features(), pictures["train"]) if settings.inception else None
        passes: list[list[Measure]] = []
        for truncation in (None, *settings.truncations):
            drawing = Drawing(spec, generator, truncation)
            likenesses = halves and Likeness(drawing, halves), gallery and InceptionLikeness(drawing, gallery)
            passes.append([one for one in likenesses if one])
        passes[0].insert(0, Entanglement(spec, generator, classifier, differ))
        moments = _moments(classifier) if settings.sliders else []
        spread = Spread(pictures["test"], generator.spec) if pictures else None
        walkers = [Walker(generator, materials.direction(spec, one.direction), one.slider) for one in settings.sliders]
        limits = [Limits(walker, settings.samples, differ, classifier, moments, spread) for walker in walkers]
        shared = [*moments, *([gallery.gathered] if gallery else [])]
        return cls(settings, generator, passes, limits, shared, pictures)

    @torch.no_grad()
    def after_step(self, step: int) -> None:
        """Shows the measures of a pass the samples of a step."""
        passed, within = divmod(step, self._steps_of_a_pass)
        for measure in self._passes[passed]:
            measure.take(within)

    @torch.no_grad()
    def sample(self, step: int) -> Sample | None:
        """A sheet of each slider, after its pass."""
        passed, within = divmod(step, self._steps_of_a_pass)
        sheets = () if within else filter(None, (measure.sample(step) for measure in self._passes[passed - 1]))
        return next(iter(sheets), None)

    @torch.no_grad()
    def outcome(self, pause: Callable[[], None]) -> Outcome:
        """All measures, and what is calibrated by them."""
        found = [measure.measures(pause) for measure in chain(*self._passes)]
        measures = {name: value for one in found for name, value in one.items()}
        calibrated = self._calibrated() if self._settings.calibrate else {}
        return Outcome(
            tuple(calibrated.values()),
            measures=measures,
            data=self.data,
            calibrated_from={one.name: one.version or 0 for one in map(Reference.read, calibrated)},
            generator_digest=self._generator.digest,
        )

    def _calibrated(self) -> Mapping[str, Direction]:
        """The directions of which a slider could be calibrated, by the references to what they were until now."""
        calibrated: dict[str, Direction] = {}
        for one, limits in zip(self._settings.sliders, self._limits, strict=True):
            if calibration := limits.calibration():
                direction = calibrated.get(one.direction, limits.walker.direction)
                sliders = list(direction.sliders)
                sliders[limits.walker.place] = replace(sliders[limits.walker.place], calibration=calibration)
                calibrated[one.direction] = replace(direction, sliders=tuple(sliders))
        return calibrated


def _pictures(settings: EvaluationSpec, generator: Generator, materials: Materials) -> dict[Part, Pictures]:
    """The real pictures that drawn ones are compared with."""
    if settings.data is None:
        return {}
    parts: tuple[Part, ...] = ("test", "train") if settings.inception else ("test",)
    return {part: materials.pictures(settings.data, part, generator.spec.resolution) for part in parts}


def _moments(classifier: Classifier | None) -> list[Moments]:
    """Of the features of untouched pictures, and of those at each alpha."""
    return [Moments(classifier.feature_size) for _ in range(1 + 2 * RUNGS)] if classifier else []
