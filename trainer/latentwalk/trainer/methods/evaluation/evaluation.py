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
from latentwalk.trainer.methods.evaluation.entanglement import Entanglement
from latentwalk.trainer.methods.evaluation.inception import InceptionLikeness
from latentwalk.trainer.methods.evaluation.likeness import Likeness
from latentwalk.trainer.methods.evaluation.limits import Limits
from latentwalk.trainer.methods.evaluation.measure import Measure
from latentwalk.trainer.methods.evaluation.reach import Spread
from latentwalk.trainer.methods.evaluation.walker import Walker
from latentwalk.trainer.methods.method import Method, Outcome
from latentwalk.trainer.references import Reference
from latentwalk.trainer.reports import Sample
from latentwalk.trainer.specs import EvaluationSpec, JobSpec


class Evaluation(Method):
    """One pass over the samples for what is measured of the generator, and one for each slider.

    Publishes nothing but the directions that it is to calibrate.
    """

    def __init__(
        self,
        settings: EvaluationSpec,
        generator: Generator,
        measures: Sequence[Measure],
        limits: Sequence[Limits],
        moments: Sequence[Moments],
        pictures: Mapping[Part, Pictures],
    ) -> None:
        """``measures`` are those of the generator, ``limits`` of each slider.

        ``moments`` are what sliders use one after the other, ``pictures`` the real ones.
        """
        self.steps, self._steps_of_a_pass = settings.steps, settings.steps_of_a_pass
        self._settings, self._generator, self._limits, self.pictures = settings, generator, limits, pictures
        self._passes: list[Sequence[Measure]] = [measures, *([one] for one in limits)]
        self.trained = nn.ModuleList([measure.gathered for measure in chain(*self._passes)])
        self.trained.extend(moments)

    @classmethod
    def prepare(cls, spec: JobSpec[EvaluationSpec], materials: Materials) -> Self:
        """On the generator of the spec, with the classifier, the pictures and the directions that its settings name."""
        settings = spec.settings
        assert settings.distance is not None  # noqa: S101 - completed by validation
        generator = materials.generator(spec)
        classifier = materials.classifier(settings.classifier) if settings.classifier else None
        differ = differ_by(settings.distance, materials, classifier)
        first: list[Measure] = [Entanglement(spec, generator, classifier, differ)]
        pictures: dict[Part, Pictures] = {}
        spread: Spread | None = None
        if settings.data is not None:
            real = materials.pictures(settings.data, "test", generator.spec.resolution)
            pictures["test"], spread = real, Spread(real, generator.spec)
            if classifier is not None:
                first.append(Likeness(spec, generator, classifier, real))
            if settings.inception:
                pictures["train"] = materials.pictures(settings.data, "train", generator.spec.resolution)
                first.append(InceptionLikeness(spec, generator, materials.features(), pictures["train"]))
        moments = _moments(classifier) if settings.sliders else []
        walkers = [Walker(generator, materials.direction(spec, one.direction), one.slider) for one in settings.sliders]
        limits = [Limits(walker, settings.samples, differ, classifier, moments, spread) for walker in walkers]
        return cls(settings, generator, first, limits, moments, pictures)

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


def _moments(classifier: Classifier | None) -> list[Moments]:
    """Of the features of untouched pictures, and of those at each alpha."""
    return [Moments(classifier.feature_size) for _ in range(1 + 2 * RUNGS)] if classifier else []
