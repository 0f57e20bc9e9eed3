"""Generators whose pictures are in (-1, 1): as edits, losses, attributes, classifiers and data sets have them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from torch import Tensor

from latentwalk.gan.errors import GanError
from latentwalk.gan.generator import Generator
from latentwalk.gan.spec import GeneratorSpec

USUAL_RANGE = (-1.0, 1.0)
"""From black to white."""


def in_usual_range(generator: Generator) -> Generator:
    """A frozen generator itself if it draws pictures in the usual range, else one that draws the same ones there.

    It is the same generator for all that: its digest, its codes and its weights are those of the one that was given.
    """
    return generator if generator.spec.range == USUAL_RANGE else _Rescaled(generator)


class _Rescaled(Generator):
    """Another generator, of which nothing but the range of pictures is changed."""

    def __init__(self, own: Generator) -> None:
        super().__init__(replace(own.spec, range=USUAL_RANGE))
        self.own = own
        self.eval()

    @property
    def digest(self) -> str:
        """As Generator: that of the other."""
        return self.own.digest

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """As Generator."""
        return self._in_usual_range(self.own(z, condition))

    def map(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """As Generator."""
        return self.own.map(z, condition)

    def synthesise(self, w_plus: Tensor, noise: Tensor | None = None) -> Tensor:
        """As Generator."""
        return self._in_usual_range(self.own.synthesise(w_plus, noise))

    @property
    def noise(self) -> Tensor:
        """As Generator."""
        return self.own.noise

    @property
    def noise_sizes(self) -> Sequence[int]:
        """As Generator."""
        return self.own.noise_sizes

    @property
    def mean_w(self) -> Tensor:
        """As Generator."""
        return self.own.mean_w

    @classmethod
    def infer_spec(cls, state_dict: Mapping[str, Tensor], classes: int = 0) -> GeneratorSpec:
        """As Generator: there are no checkpoints of it."""
        raise GanError("no checkpoint holds a generator in another range: read it in its own")

    def first_weights(self) -> Tensor:
        """As Generator."""
        return self.own.first_weights()

    def style_weights(self, layers: Sequence[int] = ()) -> Tensor:
        """As Generator."""
        return self.own.style_weights(layers)

    def first_features(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """As Generator."""
        return self.own.first_features(z, condition)

    def _in_usual_range(self, pictures: Tensor) -> Tensor:
        (black, white), (low, high) = self.own.spec.range, USUAL_RANGE
        return low + (high - low) * (pictures - black) / (white - black)
