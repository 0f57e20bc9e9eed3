"""What StyleGAN and StyleGAN2 share: two layers a resolution, which are given noise."""

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar, Protocol

import torch
from torch import Tensor

from latentwalk.gan.errors import GanError
from latentwalk.gan.families.mapped import MappedGenerator
from latentwalk.gan.families.shapes import places_of, tensor_of
from latentwalk.gan.families.widths import check_config
from latentwalk.gan.spec import SPACES, GeneratorSpec


class Noisy(Protocol):
    """A layer that is given noise."""

    noise: Tensor
    """Its own, [1, 1, H, W]."""


class StyleBased(MappedGenerator):
    """A generator that begins with a constant of 4x4 and doubles it until it is as large as the picture.

    config: {"width": channels of the last layers, each coarser pair having twice as many, up to "max_width";
    "mapping_layers": dense layers of the mapping}.
    """

    constant: ClassVar[str]
    """The name of what every picture begins with, [1, C, 4, 4]."""

    @property
    @abstractmethod
    def noisy_layers(self) -> "list[Noisy]":
        """The layers that are given noise, from coarse to fine."""

    @classmethod
    @abstractmethod
    def colours_at(cls, rung: int) -> str:
        """The name of the weights that make a picture of 4 << rung pixels a side, if it is the last one."""

    @classmethod
    def config_in(cls, state_dict: Mapping[str, Tensor]) -> Mapping[str, str]:
        """What else the config says of such weights; by default nothing."""
        return {}

    @classmethod
    def infer_spec(cls, state_dict: Mapping[str, Tensor], classes: int = 0) -> GeneratorSpec:
        """Reads the spec off the shapes, classes too.

        Raises GanError naming the first tensor that is missing, unknown or of another shape.
        """
        rungs = (len(places_of(state_dict, "synthesis.layers")) + 1) // 2
        mapping = cls.mapping_in(state_dict, classes)
        colours = tensor_of(cls.family, state_dict, cls.colours_at(rungs - 1), 4)
        constant = tensor_of(cls.family, state_dict, cls.constant, 4)
        spec = GeneratorSpec(
            family=cls.family,
            latent_size=mapping.latent_size,
            classes=mapping.classes,
            resolution=2 << rungs,
            channels=colours.shape[0],
            config={
                "width": colours.shape[1],
                "max_width": constant.shape[1],
                "mapping_layers": mapping.layers,
                **cls.config_in(state_dict),
            },
            spaces=SPACES,
            layers=2 * rungs,
            w_size=mapping.w_size,
        )
        cls.check_layout(spec, state_dict)
        return spec

    @property
    def noise(self) -> Tensor:
        """The noise that belongs to the weights [P]: one number for each pixel of each layer."""
        return torch.cat([layer.noise.flatten() for layer in self.noisy_layers])

    @property
    def noise_sizes(self) -> Sequence[int]:
        """As Generator.noise_sizes: one for each pixel."""
        return [layer.noise.numel() for layer in self.noisy_layers]


def noise_of_layers(noise: Tensor | None, sides: list[int]) -> list[Tensor] | list[None]:
    """The noise [N, P] of layers of so many pixels a side, [N, 1, H, W] each; None for each if there is none."""
    if noise is None:
        return [None] * len(sides)
    parts = noise.split([side * side for side in sides], dim=1)
    return [part.unflatten(1, (1, side, side)) for part, side in zip(parts, sides, strict=True)]


def check_spec(spec: GeneratorSpec, optional: Collection[str] = ()) -> None:
    """Raises GanError for a resolution that is no power of two, layers that do not go with it, or another config."""
    check_config(spec, ("width", "max_width", "mapping_layers"), optional)
    layers = 2 * spec.resolution.bit_length() - 4
    if spec.layers != layers:
        raise GanError(
            f"layers of a {spec.family} of {spec.resolution} pixels are {spec.layers}: they must be {layers}"
        )
