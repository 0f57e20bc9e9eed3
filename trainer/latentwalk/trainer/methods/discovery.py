"""Directions found without labels.

Voynov and Babenko, "Unsupervised discovery of interpretable directions in the GAN latent space" (ICML 2020); the curved
paths are those of Tzelepis, Tzimiropoulos and Patras, "WarpedGANSpace" (ICCV 2021). For the objective see
methods.telling.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Self

import torch
from torch import Tensor

from latentwalk.gan.directions import Direction
from latentwalk.gan.generator import Generator
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.trainer.data import Pictures
from latentwalk.trainer.materials import Materials
from latentwalk.trainer.methods.method import Outcome
from latentwalk.trainer.methods.telling import Pairs, Telling, Told, slider
from latentwalk.trainer.methods.variation import Variation
from latentwalk.trainer.networks.deformators import Deformator, build_deformator
from latentwalk.trainer.networks.shift_predictors import ShiftPredictor
from latentwalk.trainer.networks.sizes import count_numbers
from latentwalk.trainer.seat import ONLY_SEAT, Dice, Seat
from latentwalk.trainer.specs import DiscoverySpec, JobSpec
from latentwalk.trainer.specs.discovery import DeformatorKind
from latentwalk.trainer.starts import Drawn, Starts


class Discovery(Telling):
    """K axes; sliders "0" to "K - 1", in the order of the axes."""

    def __init__(
        self, spec: JobSpec[DiscoverySpec], generator: Generator, real: Pictures | None = None, seat: Seat = ONLY_SEAT
    ) -> None:
        settings = spec.settings
        self._settings, self._generator, self._real = settings, generator, real
        self.pictures = {"train": real} if real else {}
        super().__init__(spec, Drawn(generator, settings.class_ids, settings.space), seat, banks=1)

    @classmethod
    def prepare(cls, spec: JobSpec[DiscoverySpec], materials: Materials) -> Self:
        """On the generator and the real pictures of the spec."""
        generator, data = materials.generator(spec).to(memory_format=torch.channels_last), spec.settings.data
        real = data and materials.pictures(data, "train", generator.spec.resolution)
        return cls(spec, generator, real, materials.seat)

    def _networks(self) -> tuple[Deformator, ShiftPredictor]:
        self._deformator, predictor = _built(self._settings, self._generator.spec)
        return self._deformator, predictor

    def _pairs(self, starts: Starts, dice: Dice) -> Pairs:
        axes, amounts = self._draw_shifts(len(starts.code), dice)
        shifted = starts.code + self._deformator(starts.code, axes, amounts)
        return Pairs(starts.pictures, self._source.draw(shifted, starts.condition), axes, amounts)

    def _amounts(self, uniform: Tensor) -> Tensor:
        """As Telling; along a path, which has no straight continuation, uniform from the least to the scale."""
        if self._settings.deformator is not DeformatorKind.RBF:
            return super()._amounts(uniform)
        return (self._least + (self._scale - self._least) * uniform.abs()).copysign(uniform)

    def direction(self) -> Direction:
        """In the form of the deformator."""
        reach = self._deformator.reach(self._scale)
        sliders = tuple(slider(str(axis), reach) for axis in range(self._axes))
        common = {"name": self._name, "generator_digest": self._generator.digest, "sliders": sliders}
        return self._deformator.direction(self._scale, **common, space=self._settings.space)

    def outcome(self, pause: Callable[[], None]) -> Outcome:
        """As Telling; with real pictures, also how much of what each slider changes there is among them."""
        outcome = super().outcome(pause)
        if self._real is None:
            return outcome
        measures = {**outcome.measures, **self._variations(self._real, pause)}
        return replace(outcome, measures=measures, data=self.data)

    def _variations(self, real: Pictures, pause: Callable[[], None]) -> Mapping[str, float]:
        variation, direction = Variation(self._source, real, pause), self.direction()
        of = {one.name: variation.of(direction, place) for place, one in enumerate(direction.sliders)}
        named = {f"variation.{name}": share for name, share in of.items()}
        return {"direction_variation": sum(of.values()) / len(of), **named}

    def measures(self, told: Told) -> Mapping[str, float]:
        """The share of pairs whose direction was told rightly (RCA in the paper), in all and by slider."""
        return {
            "reconstruction_accuracy": (told.guessed == told.slots).double().mean().item(),
            "shift_error": told.errors.mean().item(),
            **told.accuracies([str(axis) for axis in range(self._axes)]),
        }


def count_weights(settings: DiscoverySpec, spec: GeneratorSpec) -> int:
    """How many numbers the deformator and the predictor of complete settings would have, for such a generator."""
    with torch.device("meta"):
        networks = _built(settings, spec)
    return sum(count_numbers(network) for network in networks)


def _built(settings: DiscoverySpec, spec: GeneratorSpec) -> tuple[Deformator, ShiftPredictor]:
    size, shape = spec.size_of(settings.space), (spec.channels, 1, settings.directions, settings.predictor_size)
    deformator = build_deformator(settings.deformator, size, settings.directions, settings.dipoles)
    return deformator, ShiftPredictor(settings.predictor, *shape)
