"""StyleGAN2 (Karras et al. 2020, arXiv:1912.04958), and with classes as in ADA (arXiv:2006.06676)."""

from collections.abc import Callable, Sequence
from collections.abc import Mapping as MappingOf
from typing import TypeAlias

import torch
from torch import Tensor, nn

from latentwalk.gan.families.style_based import (
    Noisy,
    StyleBased,
    check_spec,
    noise_of_layers,
)
from latentwalk.gan.families.stylegan2.genforce import from_genforce, is_genforce
from latentwalk.gan.families.stylegan2.layers import Mapping, StyledColours, StyledConvolution
from latentwalk.gan.families.stylegan2.nvlabs import from_nvlabs, is_nvlabs
from latentwalk.gan.families.stylegan2.rosinality import from_rosinality, is_rosinality
from latentwalk.gan.families.stylegan2.tensorflow import from_tensorflow, is_tensorflow
from latentwalk.gan.families.widths import config_of, widths_of
from latentwalk.gan.spec import GeneratorSpec

_Weights: TypeAlias = MappingOf[str, Tensor]

_LAYOUTS: Sequence[tuple[Callable[[_Weights], bool], Callable[[_Weights], _Weights]]] = (
    (is_nvlabs, from_nvlabs),
    (is_tensorflow, from_tensorflow),
    (is_rosinality, from_rosinality),
    (is_genforce, from_genforce),
)
"""How to tell each published layout, and what brings its weights into our own."""


class Synthesis(nn.Module):
    """From w to a picture: one layer at 4x4, two at 8x8 and all that follow, and a picture at each, which add up."""

    def __init__(self, spec: GeneratorSpec) -> None:
        super().__init__()
        widths = widths_of(spec)
        self.constant = nn.Parameter(torch.randn(1, widths[0], 4, 4))
        layers = [StyledConvolution(widths[0], widths[0], 4, spec.w_size, doubles=False)]
        for rung, width in enumerate(widths[1:], start=1):
            layers += [
                StyledConvolution(widths[rung - 1], width, 4 << rung, spec.w_size, doubles=True),
                StyledConvolution(width, width, 4 << rung, spec.w_size, doubles=False),
            ]
        self.layers = nn.ModuleList(layers)
        self.colours = nn.ModuleList(StyledColours(width, spec.channels, spec.w_size) for width in widths)

    @property
    def styled_layers(self) -> list[StyledConvolution]:
        """The layers, from coarse to fine."""
        return [layer for layer in self.layers if isinstance(layer, StyledConvolution)]

    def forward(self, w_plus: Tensor, noise: Tensor | None) -> Tensor:
        """Pictures of w+ [N, L, W] and the noise of all layers, [N, P], or None for their own.

        A picture is drawn by the w of the layer that comes next; the last w draws the last picture only.
        """
        styles = w_plus.unbind(dim=1)
        each = noise_of_layers(noise, [4 << (index + 1) // 2 for index in range(len(self.layers))])
        features, picture = self.constant.expand(len(w_plus), -1, -1, -1), None
        for index, (layer, own) in enumerate(zip(self.layers, each, strict=True)):
            features = layer(features, styles[index], own)
            if index % 2 == 0:
                picture = self.colours[index // 2](features, styles[index + 1], picture)
        assert picture is not None  # noqa: S101 - there is a layer at 4x4
        return picture


class StyleGAN2(StyleBased):
    """A mapping from z to w, and a synthesis whose weights are scaled by styles from w."""

    family = "stylegan2"
    constant = "synthesis.constant"
    synthesis: Synthesis

    def __init__(self, spec: GeneratorSpec) -> None:
        check_spec(spec)
        mapping = Mapping(spec.latent_size, spec.classes, spec.w_size, config_of(spec, "mapping_layers"))
        super().__init__(spec, mapping, Synthesis(spec))

    def style_weights(self, layers: Sequence[int] = ()) -> Tensor:
        """The weights [F, W] of the styles of these layers, a row a channel.

        As SeFa has it, of the layers that draw features, and of the last w that of the picture, which alone takes it.
        """
        last = self.spec.layers - 1
        places = [f"colours.{last // 2}" if layer == last else f"layers.{layer}" for layer in layers or range(last + 1)]
        return torch.cat([self.synthesis.get_parameter(f"{place}.style.weight") for place in places])

    @property
    def noisy_layers(self) -> list[Noisy]:
        """All but those that draw pictures, from coarse to fine."""
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
    def colours_at(cls, rung: int) -> str:
        """As StyleBased.colours_at."""
        return f"synthesis.colours.{rung}.weight"
