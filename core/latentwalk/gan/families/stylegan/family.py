"""StyleGAN (Karras, Laine and Aila 2019, arXiv:1812.04948), the first of its name."""

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as MappingOf
from typing import Self

import torch
from torch import Tensor, nn

from latentwalk.gan.errors import GanError, OutOfRange
from latentwalk.gan.families.shapes import places_of, tensor_of
from latentwalk.gan.families.stylegan.genforce import from_genforce, is_genforce
from latentwalk.gan.families.stylegan.layers import (
    Colours,
    Constant,
    Convolution,
    Mapping,
    Scaled,
    StyledLayer,
    UpConvolution,
)
from latentwalk.gan.families.stylegan.nvlabs import from_nvlabs, is_nvlabs
from latentwalk.gan.generator import Generator
from latentwalk.gan.spec import SPACES, GeneratorSpec

LIMITS = {"width": (1, 4_096), "max_width": (1, 4_096), "mapping_layers": (1, 32)}


class Synthesis(nn.Module):
    """From one w a layer to a picture: 4x4 -> 8x8 -> ... -> resolution, two layers each."""

    def __init__(self, spec: GeneratorSpec) -> None:
        super().__init__()
        widths = _widths(spec)
        layers: list[StyledLayer] = []
        for rung, width in enumerate(widths):
            first = UpConvolution(widths[rung - 1], width) if rung else Constant(width)
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
        for layer, w, own in zip(self.layers, w_plus.unbind(dim=1), _split(noise, w_plus.shape[1]), strict=False):
            features = layer(features, w, own)
            yield features

    @property
    def widths(self) -> list[int]:
        """The channels at 4x4, 8x8, ..., resolution."""
        return [len(layer.bias) for layer in self.styled_layers[1::2]]


class StyleGAN(Generator):
    """A mapping from z to w, and a synthesis that gives each of its layers a style from w, and noise.

    config: {"width": channels of the last layers, each coarser pair having twice as many, up to "max_width";
    "mapping_layers": dense layers of the mapping}. Pictures are not confined to the range, only trained to be in it.
    """

    mean: Tensor

    def __init__(self, spec: GeneratorSpec) -> None:
        super().__init__(spec)
        _check(spec)
        self.mapping = Mapping(spec.latent_size, spec.classes, spec.w_size, _config(spec, "mapping_layers"))
        self.synthesis = Synthesis(spec)
        self.register_buffer("mean", torch.zeros(spec.w_size))

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Pictures [N, C, H, W] from z [N, Z] and a condition [N, K] or None."""
        return self.synthesise(self.map(z, condition))

    def map(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """The w+ [N, L, W] of z [N, Z] and a condition [N, K] or None; all its layers are alike."""
        self.check_condition(condition)
        return self.mapping(z, condition)[:, None].expand(-1, self.spec.layers, -1)

    def synthesise(self, w_plus: Tensor, noise: Tensor | None = None) -> Tensor:
        """Pictures [N, C, H, W] from w+ [N, L, W] and noise [N, P], or None for that of the weights."""
        return self.synthesis(w_plus, noise)

    def style_weights(self, layers: Sequence[int] = ()) -> Tensor:
        """The weights [F, W] of the styles of these layers: two rows a channel, its scales and its shifts."""
        chosen = layers or range(self.spec.layers)
        return torch.cat([self.synthesis.get_parameter(f"layers.{layer}.style.weight") for layer in chosen])

    def first_features(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """W [N, W], in which the paper of GANSpace looks for components."""
        return self.encode(z, "w", condition)

    @property
    def noise(self) -> Tensor:
        """The noise that belongs to the weights [P]: one number for each pixel of each layer."""
        return torch.cat([layer.noise.flatten() for layer in self.synthesis.styled_layers])

    @property
    def mean_w(self) -> Tensor:
        """The average w [W] over all z, in the middle of what was trained."""
        return self.mean

    def freeze(self) -> Self:
        """As Generator.freeze; weights that are scaled at each use keep the product."""
        for layer in self._scaled():
            layer.fold()
        return super().freeze()

    def thaw(self) -> None:
        """As Generator.thaw."""
        for layer in self._scaled():
            layer.unfold()
        super().thaw()

    def _scaled(self) -> list[Scaled]:
        return [module for module in self.modules() if isinstance(module, Scaled)]

    @classmethod
    def translate(cls, checkpoint: MappingOf[str, Tensor]) -> MappingOf[str, Tensor]:
        """From the layout of NVlabs, in which the original is published, or of genforce, or our own."""
        if is_nvlabs(checkpoint):
            return from_nvlabs(checkpoint)
        return from_genforce(checkpoint) if is_genforce(checkpoint) else checkpoint

    @classmethod
    def infer_spec(cls, state_dict: MappingOf[str, Tensor], classes: int = 0) -> GeneratorSpec:
        """Reads the spec off the shapes, classes too.

        Raises GanError naming the first tensor that is missing, unknown or of another shape.
        """
        first = tensor_of("stylegan", state_dict, "mapping.layers.0.weight", 2)
        last = tensor_of("stylegan", state_dict, "synthesis.colours.weight", 4)
        constant = tensor_of("stylegan", state_dict, "synthesis.layers.0.source.constant", 4)
        has_classes = "mapping.embedding" in state_dict
        found = len(tensor_of("stylegan", state_dict, "mapping.embedding", 2)) if has_classes else 0
        if classes not in (0, found):
            raise GanError(f"not a stylegan of {classes} classes: its mapping knows {found}")
        layers = len(places_of(state_dict, "synthesis.layers"))
        spec = GeneratorSpec(
            family="stylegan",
            latent_size=first.shape[1] // (2 if has_classes else 1),
            classes=found,
            resolution=2 << (layers // 2),
            channels=last.shape[0],
            config={
                "width": last.shape[1],
                "max_width": constant.shape[1],
                "mapping_layers": len(places_of(state_dict, "mapping.layers")),
            },
            spaces=SPACES,
            layers=layers,
            w_size=first.shape[0],
        )
        cls.check_layout(spec, state_dict)
        return spec


def _split(noise: Tensor | None, layers: int) -> list[Tensor] | list[None]:
    """The noise [N, P] of so many layers, [N, 1, H, W] each."""
    if noise is None:
        return [None] * layers
    sides = [4 << index // 2 for index in range(layers)]
    parts = noise.split([side * side for side in sides], dim=1)
    return [part.unflatten(1, (1, side, side)) for part, side in zip(parts, sides, strict=True)]


def _widths(spec: GeneratorSpec) -> list[int]:
    """The channels at 4x4, 8x8, ..., resolution."""
    width, most = _config(spec, "width"), _config(spec, "max_width")
    rungs = spec.resolution.bit_length() - 2
    return [min(width << (rungs - 1 - rung), most) for rung in range(rungs)]


def _check(spec: GeneratorSpec) -> None:
    if spec.resolution.bit_count() != 1:
        raise GanError(f"resolution of a stylegan is {spec.resolution}: it must be a power of two")
    layers = 2 * spec.resolution.bit_length() - 4
    if spec.layers != layers:
        raise GanError(f"layers of a stylegan of {spec.resolution} pixels are {spec.layers}: they must be {layers}")
    if spec.config.keys() != LIMITS.keys():
        raise GanError(f"config of a stylegan is {dict(spec.config)}: it must have {', '.join(LIMITS)}")


def _config(spec: GeneratorSpec, name: str) -> int:
    value, (low, high) = spec.config.get(name), LIMITS[name]
    if type(value) is not int:
        raise GanError(f"{name} of a stylegan is {value!r}: it must be an integer")
    if not low <= value <= high:
        raise OutOfRange(f"{name} of a stylegan", value, low, high)
    return value
