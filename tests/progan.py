"""Small Progressive GANs in the published layouts."""

from golden import golden

from latentwalk.gan.families import family_of
from latentwalk.gan.generator import Generator


def make_progan(layout: str = "tensorflow") -> Generator:
    """A generator of 16 x 16 px and a latent of 6 numbers; in the layout for TensorFlow with 3 classes."""
    known = golden(f"progan_{layout}")
    classes = 0 if known.condition is None else known.condition.shape[1]
    return family_of("progan").from_checkpoint(known.checkpoint, classes).freeze()
