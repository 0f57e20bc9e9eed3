"""Closed-form factorisation.

Shen and Zhou, "Closed-form factorization of latent semantics in GANs" (SeFa, CVPR 2021): the directions that change the
first features of a generator most are eigenvectors of its first weights; of a style-based one, which has styles for
first features (section 4.1), they are directions in w, or in w+ of some layers.
"""

from collections.abc import Callable
from typing import Self

from torch import nn

from latentwalk.gan.closed_form import semantic_factors
from latentwalk.gan.generator import Generator
from latentwalk.trainer.materials import Materials
from latentwalk.trainer.methods.bank import bank
from latentwalk.trainer.methods.method import Method, Outcome
from latentwalk.trainer.specs import JobSpec, SefaSpec


class Sefa(Method):
    """Sliders "0", "1", ..., the strongest first."""

    def __init__(self, spec: JobSpec[SefaSpec], generator: Generator) -> None:
        self.steps = spec.settings.steps
        self.trained = nn.Module()
        self._name = spec.direction
        self._count, self._layers = spec.settings.directions, spec.settings.layers
        self._generator = generator

    @classmethod
    def prepare(cls, spec: JobSpec[SefaSpec], materials: Materials) -> Self:
        """On the generator of the spec."""
        return cls(spec, materials.generator(spec))

    def outcome(self, pause: Callable[[], None]) -> Outcome:
        """The bank, and the eigenvalue of each slider."""
        pause()
        generator, has_styles = self._generator, self._generator.spec.layers > 0
        weights = generator.style_weights(self._layers) if has_styles else generator.first_weights()
        vectors, values = semantic_factors(weights.cpu(), self._count)
        names = [str(number) for number in range(self._count)]
        measures = {f"eigenvalue.{name}": value for name, value in zip(names, values.tolist(), strict=True)}
        space = "w" if has_styles else "z"
        found = bank(self._name, generator, names, vectors, space=space, layers=self._layers)
        return Outcome((found,), measures=measures)
