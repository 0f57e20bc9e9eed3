"""StyleGAN: the networks, and the published layouts of their weights."""

from latentwalk.gan.families.stylegan.family import StyleGAN

__all__ = ["StyleGAN"]
