"""Directions that do the same in every class, and directions of each class, kept apart.

Kim and Lee, "Global and class-specific semantic directions via pre-trained GANs": N + 1 banks of K directions and N + 1
predictors. Of each latent three pictures are drawn: its own, one shifted along a direction of the global bank, and one
shifted along a direction of the bank of its class. The predictors' answers side by side are one guess over all
K (N + 1) directions: a class direction that looks like a global one costs both. How far is said by the head of the bank
that it was. The objective is in methods.telling, for both shifted pictures; the paper gives no settings, and those of
Voynov and Babenko are taken.
"""

from collections.abc import Mapping
from typing import Self

import torch
from torch import Tensor

from latentwalk.gan.directions import Direction, LinearDirection, Slider
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.trainer.materials import Materials
from latentwalk.trainer.methods.telling import Pairs, Telling, Told, slider
from latentwalk.trainer.networks.banks import Banks, overlaps
from latentwalk.trainer.networks.shift_predictors import SeparatePredictors, ShiftPredictor
from latentwalk.trainer.networks.sizes import count_numbers
from latentwalk.trainer.seat import ONLY_SEAT, Dice, Seat
from latentwalk.trainer.specs import ClassDirectionsSpec, JobSpec
from latentwalk.trainer.starts import Classified, Drawn, Source, Starts


class ClassDirections(Telling):
    """Sliders "global.<k>", and "class<c>.<k>" for each class; those of a conditional generator are bound to it."""

    def __init__(
        self, spec: JobSpec[ClassDirectionsSpec], source: Source, classes: int, seat: Seat = ONLY_SEAT
    ) -> None:
        settings = spec.settings
        self._settings, self._classes = settings, classes
        self._generator = source.generator
        super().__init__(spec, source, seat, banks=classes + 1)

    @classmethod
    def prepare(cls, spec: JobSpec[ClassDirectionsSpec], materials: Materials) -> Self:
        """On the generator of the spec, and its classifier for one without classes."""
        settings = spec.settings
        generator = materials.generator(spec).to(memory_format=torch.channels_last)
        if not settings.classifier:
            return cls(spec, Drawn(generator, space=settings.space), generator.spec.classes, materials.seat)
        classifier = materials.classifier(settings.classifier)
        source = Classified(generator, classifier, settings.confidence or 0.0, settings.space)
        return cls(spec, source, classifier.spec.classes, materials.seat)

    def _networks(self) -> tuple[Banks, ShiftPredictor | SeparatePredictors]:
        settings, spec = self._settings, self._generator.spec
        self._all_banks = Banks(
            spec.size_of(settings.space), self._classes, settings.directions, settings.orthogonality
        )
        predictor = SeparatePredictors if settings.separate_predictors else ShiftPredictor
        shape = spec.channels, self._banks, settings.directions, settings.predictor_size
        return self._all_banks, predictor(settings.predictor, *shape)

    def _pairs(self, starts: Starts, dice: Dice) -> Pairs:
        assert starts.classes is not None  # noqa: S101 - by validation
        banks = self._all_banks()
        axes, amounts = self._draw_shifts(len(starts.code), dice, times=2)
        chosen = torch.cat([torch.zeros_like(starts.classes), 1 + starts.classes])  # the global bank, then the class's
        shifted = starts.code.repeat(2, 1) + amounts[:, None] * banks[chosen, :, axes]
        condition = None if starts.condition is None else starts.condition.repeat(2, 1)
        plain = starts.pictures.repeat(2, 1, 1, 1)
        return Pairs(plain, self._source.draw(shifted, condition), chosen * self._axes + axes, amounts)

    def _penalties(self) -> Mapping[str, Tensor]:
        """SOFT: the sum of squares of W_G^T W_c, in the mean over the classes."""
        if self._settings.orthogonality != "soft":
            return {}
        return {"overlap": overlaps(self._all_banks()).square().sum() / self._classes}

    def direction(self) -> Direction:
        """Linear; the global bank first."""
        vectors = self._all_banks().detach().transpose(1, 2).flatten(0, 1)
        space = self._settings.space
        return LinearDirection(self._name, self._generator.digest, self._sliders(), vectors, space=space)

    def measures(self, told: Told) -> Mapping[str, float]:
        """Reconstruction accuracies (RCA): over all slots, and within each bank; what is taken for what; the overlap.

        leakage_global_as_class is the share of global shifts that are taken for one of a class, whichever; and the
        reverse. rca_class is the mean over the classes that were met.
        """
        right, own = told.guessed == told.slots, told.guessed_in_bank == told.slots
        is_global, said_global = told.slots < self._axes, told.guessed < self._axes
        heads = {
            f"rca_class{class_id}": _share(own[here])
            for class_id in range(self._classes)
            if (here := told.slots // self._axes == class_id + 1).any()
        }
        return {
            "reconstruction_accuracy": _share(right),
            "shift_error": told.errors.mean().item(),
            "rca_global": _share(own[is_global]),
            "rca_class": sum(heads.values()) / len(heads),
            "leakage_global_as_class": _share(~said_global[is_global]),
            "leakage_class_as_global": _share(said_global[~is_global]),
            "max_abs_cross": overlaps(self._all_banks().detach()).abs().max().item(),
            **heads,
            **told.accuracies([one.name for one in self._sliders()]),
        }

    def _sliders(self) -> tuple[Slider, ...]:
        conditional = bool(self._generator.spec.classes)
        common = [slider(f"global.{axis}", self._scale) for axis in range(self._axes)]
        own = [
            slider(f"class{class_id}.{axis}", self._scale, class_id if conditional else None)
            for class_id in range(self._classes)
            for axis in range(self._axes)
        ]
        return (*common, *own)


def _share(which: Tensor) -> float:
    return which.double().mean().item()


def count_weights(settings: ClassDirectionsSpec, spec: GeneratorSpec, classes: int) -> int:
    """How many numbers the banks and the predictors of complete settings would have, for such a generator."""
    predictors, of_each = (classes + 1, 1) if settings.separate_predictors else (1, classes + 1)
    shape = spec.channels, of_each, settings.directions, settings.predictor_size
    with torch.device("meta"):
        banks = Banks(spec.size_of(settings.space), classes, settings.directions, settings.orthogonality)
        predictor = ShiftPredictor(settings.predictor, *shape)  # one, and not thousands that are alike
    return count_numbers(banks) + predictors * count_numbers(predictor)
