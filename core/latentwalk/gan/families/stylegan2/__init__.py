"""StyleGAN2: the networks, and the published layouts of their weights."""

from latentwalk.gan.families.stylegan2.family import StyleGAN2

__all__ = ["StyleGAN2"]
