"""StyleGAN3: the networks, and the published layout of their weights."""

from latentwalk.gan.families.stylegan3.family import StyleGAN3

__all__ = ["StyleGAN3"]
