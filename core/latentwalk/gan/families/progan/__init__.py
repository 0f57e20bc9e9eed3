"""Progressive GAN: the network, and the published layouts of its weights."""

from latentwalk.gan.families.progan.family import ProGAN

__all__ = ["ProGAN"]
