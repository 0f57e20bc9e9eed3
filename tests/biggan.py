"""Small BigGANs in the published layouts."""

from golden import golden

from latentwalk.gan.families import family_of
from latentwalk.gan.generator import Generator


def make_biggan(family: str = "biggan_deep", truncation: float | None = None) -> Generator:
    """A generator with 4 classes: biggan_deep has 16 x 16 px and a latent of 4 numbers, biggan 32 x 32 px and 12."""
    return family_of(family).from_checkpoint(golden(family).checkpoint, truncation=truncation).freeze()
