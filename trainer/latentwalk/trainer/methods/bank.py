"""A bank of straight directions that imitate no edit."""

from collections.abc import Sequence

from torch import Tensor

from latentwalk.gan.directions import LinearDirection, Slider
from latentwalk.gan.generator import Generator

# A latent has length sqrt(Z), and each of its numbers a standard deviation of 1: SeFa, InterFaceGAN and GANSpace all
# show their directions, which have length 1, from -3 to 3, and let people go twice as far.
SHOWN = (-3.0, 3.0)
LIMIT = (-6.0, 6.0)


def bank(name: str, generator: Generator, names: Sequence[str], vectors: Tensor) -> LinearDirection:
    """One slider for each of the unit vectors [S, Z]; alpha is in standard deviations of a latent."""
    sliders = tuple(Slider(name=one, edit="", unit="", scale=1.0, trained=SHOWN, limit=LIMIT) for one in names)
    return LinearDirection(name=name, generator_digest=generator.digest, sliders=sliders, vectors=vectors.contiguous())
