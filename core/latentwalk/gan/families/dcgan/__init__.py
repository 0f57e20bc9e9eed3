"""DCGAN: the network, and the published layouts of its weights."""

from latentwalk.gan.families.dcgan.family import DCGAN

__all__ = ["DCGAN"]
