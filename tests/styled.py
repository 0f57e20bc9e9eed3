"""A small generator in the manner of StyleGAN, for the spaces that no family of ours has yet."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from latentwalk.gan.generator import Generator
from latentwalk.gan.spec import GeneratorSpec

SPEC = GeneratorSpec("styled", 6, 2, 8, 3, {}, spaces=("z", "w", "w+"), layers=3, w_size=5)


class Styled(Generator):
    """A mapping network of two layers; a constant that grows by convolutions, each scaled by its own w."""

    def __init__(self, spec: GeneratorSpec) -> None:
        super().__init__(spec)
        self.mapping = nn.Sequential(
            nn.Linear(spec.latent_size + spec.classes, 16), nn.LeakyReLU(0.2), nn.Linear(16, spec.w_size)
        )
        self.constant = nn.Parameter(torch.randn(1, 8, 4, 4))
        self.styles = nn.ModuleList(nn.Linear(spec.w_size, 8) for _ in range(spec.layers))
        self.layers = nn.ModuleList(nn.Conv2d(8, 8, 3, padding=1) for _ in range(spec.layers))
        self.colours = nn.Conv2d(8, spec.channels, 1)

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.synthesise(self.map(z, condition))

    def map(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        w = self.mapping(z if condition is None else torch.cat([z, condition], dim=1))
        return w[:, None].expand(-1, self.spec.layers, -1)

    def synthesise(self, w_plus: Tensor, noise: Tensor | None = None) -> Tensor:
        pictures = self.constant.expand(len(w_plus), -1, -1, -1)
        for index, (style, layer) in enumerate(zip(self.styles, self.layers, strict=True)):
            scaled = pictures * (1 + style(w_plus[:, index]))[:, :, None, None]
            pictures = F.leaky_relu(layer(scaled), 0.2)
            pictures = F.interpolate(pictures, scale_factor=2) if index == 0 else pictures
        return self.colours(pictures).tanh()

    @classmethod
    def infer_spec(cls, state_dict: Mapping[str, Tensor], classes: int = 0) -> GeneratorSpec:
        return SPEC


def make_styled(seed: int = 0) -> Styled:
    torch.manual_seed(seed)
    return Styled(SPEC).freeze()
