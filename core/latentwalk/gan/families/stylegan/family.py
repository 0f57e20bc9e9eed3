"""StyleGAN (Karras, Laine and Aila 2019, arXiv:1812.04948), the first of its name."""

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as MappingOf
from typing import TypeAlias

import torch
from torch import Tensor, nn

from latentwalk.gan.errors import GanError
from latentwalk.gan.families.scaled import Colours, Convolution
from latentwalk.gan.families.shapes import tensor_of
from latentwalk.gan.families.style_based import (
    Noisy,
    StyleBased,
    check_spec,
    noise_of_layers,
)
from latentwalk.gan.families.stylegan.genforce import from_genforce, is_genforce
from latentwalk.gan.families.stylegan.interfacegan import from_interfacegan, is_interfacegan
from latentwalk.gan.families.stylegan.layers import (
    NORM_EPSILON,
    BlurredUpConvolution,
    Constant,
    Mapping,
    StyledLayer,
)
from latentwalk.gan.families.stylegan.nvlabs import from_nvlabs, is_nvlabs
from latentwalk.gan.families.stylegan.rosinality import PORT, from_rosinality, is_rosinality
from latentwalk.gan.families.widths import config_of, widths_of
from latentwalk.gan.spec import GeneratorSpec

_Weights: TypeAlias = MappingOf[str, Tensor]

_LAYOUTS: Sequence[tuple[Callable[[_Weights], bool], Callable[[_Weights], _Weights]]] = (
    (is_nvlabs, from_nvlabs),
    (is_genforce, from_genforce),
    (is_interfacegan, from_interfacegan),
    (is_rosinality, from_rosinality),
)
"""How to tell each published layout, and what brings its weights into our own."""

# Of torch's instance normalisation, by which rosinality's code normalises.
_PORT_EPSILON = 1e-5


class Synthesis(nn.Module):
    """From one w a layer to a picture: 4x4 -> 8x8 -> ... -> resolution, two layers each."""

    def __init__(self, spec: GeneratorSpec) -> None:
        super().__init__()
        widths, is_port = widths_of(spec), "port" in spec.config
        epsilon = _PORT_EPSILON if is_port else NORM_EPSILON
        layers: list[StyledLayer] = []
        for rung, width in enumerate(widths):
            first = BlurredUpConvolution(widths[rung - 1], width, biased=is_port) if rung else Constant(width)
            pair = first, Convolution(width, width)
            layers += [StyledLayer(source, width, 4 << rung, spec.w_size, epsilon) for source in pair]
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
    """A mapping from z to w, and a synthesis that gives each of its layers a style from w, and noise.

    config: as of StyleBased, and {"port": "rosinality"} of one that draws as the code of rosinality does.
    """

    family = "stylegan"
    constant = "synthesis.layers.0.source.constant"
    synthesis: Synthesis

    def __init__(self, spec: GeneratorSpec) -> None:
        check_spec(spec, optional=("port",))
        if spec.config.get("port", PORT) != PORT:
            raise GanError(f"port of a stylegan is {spec.config['port']!r}: it must be {PORT!r}, or be left out")
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
    def translate(cls, checkpoint: _Weights) -> _Weights:
        """From one of the published layouts, or our own."""
        return next((to_own(checkpoint) for is_of, to_own in _LAYOUTS if is_of(checkpoint)), checkpoint)

    @classmethod
    def has_no_mean(cls, checkpoint: _Weights) -> bool:
        """As MappedGenerator.has_no_mean."""
        return is_rosinality(checkpoint)

    @classmethod
    def config_in(cls, state_dict: _Weights) -> MappingOf[str, str]:
        """As StyleBased.config_in."""
        return {"port": PORT} if "synthesis.layers.2.source.bias" in state_dict else {}

    @classmethod
    def colours_at(cls, rung: int) -> str:
        """As StyleBased.colours_at; there is only the last one."""
        return "synthesis.colours.weight"

    @classmethod
    def classes_in(cls, state_dict: MappingOf[str, Tensor]) -> tuple[int, int]:
        """As MappedGenerator.classes_in."""
        if "mapping.embedding" not in state_dict:
            return 0, 0
        classes, size = tensor_of(cls.family, state_dict, "mapping.embedding", 2).shape
        return classes, size
