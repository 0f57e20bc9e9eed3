"""BigGAN (Brock, Donahue and Simonyan 2019, arXiv:1809.11096): its networks, and the published layouts of weights."""

from latentwalk.gan.families.biggan.deep import BigGANDeep
from latentwalk.gan.families.biggan.original import BigGAN

__all__ = ["BigGAN", "BigGANDeep"]
