"""Small DCGANs of random weights that draw something."""

import torch

from latentwalk.gan.families import build_generator
from latentwalk.gan.generator import Generator
from latentwalk.gan.spec import GeneratorSpec


def make_dcgan(
    spec: GeneratorSpec, seed: int = 0, *, contrast: float | None = None, batches: int = 20, rows: int = 32
) -> Generator:
    """One of that spec, settled; with a contrast, the standard deviation of its weights, pictures differ much."""
    torch.manual_seed(seed)
    generator = build_generator(spec)
    with torch.no_grad():
        if contrast is not None:
            for weight in (parameter for parameter in generator.parameters() if parameter.dim() == 4):
                weight.normal_(std=contrast)
    return settled(generator, batches, rows)


def settled(generator: Generator, batches: int = 20, rows: int = 32) -> Generator:
    """The generator, frozen, when its batch normalisation has seen its own activations: before, it draws plain grey."""
    spec = generator.train().spec
    with torch.no_grad():
        for _ in range(batches):
            condition = torch.softmax(torch.randn(rows, spec.classes), dim=1) if spec.classes else None
            generator(torch.randn(rows, spec.latent_size), condition)
    return generator.freeze()
