"""A small StyleGAN: a generator that has w and w+."""

import re

import torch

from latentwalk.gan.families import build_generator
from latentwalk.gan.families.stylegan import StyleGAN
from latentwalk.gan.generator import Generator
from latentwalk.gan.latents import one_hot, z_from_seeds
from latentwalk.gan.spec import SPACES, GeneratorSpec

CONFIG = {"width": 4, "max_width": 6, "mapping_layers": 2}
SPEC = GeneratorSpec("stylegan", 6, 2, 8, 3, CONFIG, spaces=SPACES, layers=4, w_size=5)


def make_styled(seed: int = 0) -> StyleGAN:
    """One of which every weight has a say, also those that are zero or one before training."""
    torch.manual_seed(seed)
    generator = StyleGAN(SPEC)
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.5)
        codes = generator.map(z_from_seeds(range(512), 6), one_hot([0, 1] * 256, 2))
        generator.mean_w.copy_(codes[:, 0].mean(dim=0))
    return generator.freeze()


def make_lively(spec: GeneratorSpec) -> Generator:
    """Another, of any spec, in whose pictures everything shows.

    Before training, noise has no say, and the mapping of so few numbers hardly any.
    """
    torch.manual_seed(0)
    generator = build_generator(spec)
    with torch.no_grad():
        for tensor in (*generator.parameters(), generator.get_buffer("mean")):
            tensor.add_(torch.randn_like(tensor) * 0.3)
        for name, weight in generator.named_parameters():
            if re.fullmatch(r"synthesis\.colours(\.\d+)?\.weight", name):
                weight.mul_(0.1)
    return generator.freeze()
