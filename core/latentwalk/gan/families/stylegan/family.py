"""StyleGAN (Karras, Laine and Aila 2019, arXiv:1812.04948), the first of its name."""

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as MappingOf

import torch
from torch import Tensor, nn

from latentwalk.gan.families.scaled import Colours, Convolution
from latentwalk.gan.families.shapes import tensor_of
from latentwalk.gan.families.style_based import (
    Noisy,
    StyleBased,
    check_spec,
    noise_of_layers,
)
from latentwalk.gan.families.stylegan.genforce import from_genforce, is_genforce
from latentwalk.gan.families.stylegan.layers import (
    BlurredUpConvolution,
    Constant,
    Mapping,
    StyledLayer,
)
from latentwalk.gan.families.stylegan.nvlabs import from_nvlabs, is_nvlabs
from latentwalk.gan.families.widths import config_of, widths_of
from latentwalk.gan.spec import GeneratorSpec


class Synthesis(nn.Module):
    """From one w a layer to a picture: 4x4 -> 8x8 -> ... -> resolution, two layers each."""

    def __init__(self, spec: GeneratorSpec) -> None:
        super().__init__()
        widths = widths_of(spec)
        layers: list[StyledLayer] = []
        for rung, width in enumerate(widths):
            first = BlurredUpConvolution(widths[rung - 1], width) if rung else Constant(width)
            pair = first, Convolution(width, width)
            layers += [StyledLayer(source, width, 4 << rung, spec.w_size) for source in pair]
        self.layers = nn.ModuleList(layers)
        self.colours = Colours(widths[-1], spec.channels)

    @property
    def styled_layers(self) -> list[StyledLayer]:
        """The layers, from coarse to fine."""
        return [layer for layer in self.layers if isinstance(layer, StyledLayer)]

    def forward(self, w_plus: Tensor, noise: Tensor | None) -> Tensor:
        """Pictures of w+ [N, L, W] and the noise of all layers, [N, P], or None for their own."""
        last = w_plus
        for features in self.features(w_plus, noise):
            last = features
        return self.colours(last)

    def features(self, w_plus: Tensor, noise: Tensor | None) -> Iterator[Tensor]:
        """Those of each layer, [N, C, H, W], from coarse to fine: of as many as w+ and noise are given for."""
        features = w_plus
        each = noise_of_layers(noise, [4 << index // 2 for index in range(w_plus.shape[1])])
        for layer, w, own in zip(self.layers, w_plus.unbind(dim=1), each, strict=False):
            features = layer(features, w, own)
            yield features

    @property
    def widths(self) -> list[int]:
        """The channels at 4x4, 8x8, ..., resolution."""
        return [len(layer.bias) for layer in self.styled_layers[1::2]]


class StyleGAN(StyleBased):
    """A mapping from z to w, and a synthesis that gives each of its layers a style from w, and noise."""

    family = "stylegan"
    constant = "synthesis.layers.0.source.constant"
    synthesis: Synthesis

    def __init__(self, spec: GeneratorSpec) -> None:
        check_spec(spec)
        mapping = Mapping(spec.latent_size, spec.classes, spec.w_size, config_of(spec, "mapping_layers"))
        super().__init__(spec, mapping, Synthesis(spec))

    def style_weights(self, layers: Sequence[int] = ()) -> Tensor:
        """The weights [F, W] of the styles of these layers: two rows a channel, its scales and its shifts."""
        chosen = layers or range(self.spec.layers)
        return torch.cat([self.synthesis.get_parameter(f"layers.{layer}.style.weight") for layer in chosen])

    @property
    def noisy_layers(self) -> list[Noisy]:
        """All layers, from coarse to fine."""
        return [*self.synthesis.styled_layers]

    @classmethod
    def translate(cls, checkpoint: MappingOf[str, Tensor]) -> MappingOf[str, Tensor]:
        """From the layout of NVlabs, in which the original is published, or of genforce, or our own."""
        if is_nvlabs(checkpoint):
            return from_nvlabs(checkpoint)
        return from_genforce(checkpoint) if is_genforce(checkpoint) else checkpoint

    @classmethod
    def colours_at(cls, rung: int) -> str:
        """As StyleBased.colours_at; there is only the last one."""
        return "synthesis.colours.weight"

    @classmethod
    def classes_in(cls, state_dict: MappingOf[str, Tensor]) -> tuple[int, int]:
        """As StyleBased.classes_in."""
        if "mapping.embedding" not in state_dict:
            return 0, 0
        classes, size = tensor_of(cls.family, state_dict, "mapping.embedding", 2).shape
        return classes, size
