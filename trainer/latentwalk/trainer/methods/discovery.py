"""Directions found without labels.

Voynov and Babenko, "Unsupervised discovery of interpretable directions in the GAN latent space" (ICML 2020); the curved
paths are those of Tzelepis, Tzimiropoulos and Patras, "WarpedGANSpace" (ICCV 2021). For the objective see
methods.telling.
"""

from collections.abc import Mapping
from typing import Self

import torch

from latentwalk.gan.directions import Direction
from latentwalk.gan.generator import Generator
from latentwalk.trainer.materials import Materials
from latentwalk.trainer.methods.telling import Pairs, Telling, Told, slider
from latentwalk.trainer.networks.deformators import Deformator, build_deformator
from latentwalk.trainer.networks.shift_predictors import ShiftPredictor
from latentwalk.trainer.specs import DiscoverySpec, JobSpec
from latentwalk.trainer.starts import Drawn, Starts


class Discovery(Telling):
    """K axes; sliders "0" to "K - 1", in the order of the axes."""

    def __init__(self, spec: JobSpec, generator: Generator) -> None:
        settings = spec.settings
        assert isinstance(settings, DiscoverySpec)  # noqa: S101 - by the table of methods
        self._settings, self._generator = settings, generator
        super().__init__(spec, settings, Drawn(generator, settings.class_ids), banks=1)

    @classmethod
    def prepare(cls, spec: JobSpec, materials: Materials) -> Self:
        """On the generator of the spec."""
        return cls(spec, materials.generator(spec).to(memory_format=torch.channels_last))

    def _networks(self) -> tuple[Deformator, ShiftPredictor]:
        settings, spec = self._settings, self._generator.spec
        self._deformator = build_deformator(
            settings.deformator, spec.latent_size, settings.directions, settings.dipoles
        )
        return self._deformator, ShiftPredictor(settings.predictor, spec.channels, 1, settings.directions)

    def _pairs(self, starts: Starts, random: torch.Generator) -> Pairs:
        axes, amounts = self._draw_shifts(len(starts.z), random)
        shifted = starts.z + self._deformator(starts.z, axes, amounts)
        return Pairs(starts.pictures, self._source.draw(shifted, starts.condition), axes, amounts)

    def direction(self) -> Direction:
        """In the form of the deformator."""
        reach = self._deformator.reach(self._scale)
        sliders = tuple(slider(str(axis), reach) for axis in range(self._axes))
        return self._deformator.direction(self._name, self._generator.digest, sliders, self._scale)

    def measures(self, told: Told) -> Mapping[str, float]:
        """The share of pairs whose direction was told rightly (RCA in the paper), in all and by slider."""
        return {
            "reconstruction_accuracy": (told.guessed == told.slots).double().mean().item(),
            "shift_error": told.errors.mean().item(),
            **told.accuracies([str(axis) for axis in range(self._axes)]),
        }
