"""What the generators of the StyleGAN papers share: mapping from z to w, and synthesis from styles and noise."""

from abc import abstractmethod
from collections.abc import Collection, Mapping
from typing import ClassVar, Protocol, Self

import torch
from torch import Tensor, nn

from latentwalk.gan.errors import GanError
from latentwalk.gan.families.scaled import ScaledGenerator
from latentwalk.gan.families.shapes import places_of, tensor_of
from latentwalk.gan.families.widths import check_config
from latentwalk.gan.latents import z_from_seeds
from latentwalk.gan.spec import SPACES, GeneratorSpec

# Of so many latents the mean w is taken where a checkpoint has none; as many as in rosinality's code for StyleGAN2.
_MEAN_OF = 4_096


class Noisy(Protocol):
    """A layer that is given noise."""

    noise: Tensor
    """Its own, [1, 1, H, W]."""


class StyleBased(ScaledGenerator):
    """A generator of a mapping, a synthesis and the mean w.

    config: {"width": channels of the last layers, each coarser pair having twice as many, up to "max_width";
    "mapping_layers": dense layers of the mapping}. Pictures are not confined to the range, only trained to be in it.
    """

    family: ClassVar[str]
    constant: ClassVar[str]
    """The name of what every picture begins with, [1, C, 4, 4]."""
    mean: Tensor

    def __init__(self, spec: GeneratorSpec, mapping: nn.Module, synthesis: nn.Module) -> None:
        super().__init__(spec)
        self.mapping = mapping
        self.synthesis = synthesis
        self.register_buffer("mean", torch.zeros(spec.w_size))

    @property
    @abstractmethod
    def noisy_layers(self) -> "list[Noisy]":
        """The layers that are given noise, from coarse to fine."""

    @classmethod
    @abstractmethod
    def colours_at(cls, rung: int) -> str:
        """The name of the weights that make a picture of 4 << rung pixels a side, if it is the last one."""

    @classmethod
    @abstractmethod
    def classes_in(cls, state_dict: Mapping[str, Tensor]) -> tuple[int, int]:
        """How many classes the mapping knows, and how many numbers beside z say which; 0 and 0 without any."""

    @classmethod
    def config_in(cls, state_dict: Mapping[str, Tensor]) -> Mapping[str, str]:
        """What else the config says of such weights; by default nothing."""
        return {}

    @classmethod
    def has_no_mean(cls, checkpoint: Mapping[str, Tensor]) -> bool:
        """Whether it is of a layout without a mean w; by default none is."""
        return False

    @classmethod
    def from_checkpoint(
        cls, checkpoint: Mapping[str, Tensor], classes: int = 0, truncation: float | None = None
    ) -> Self:
        """As Generator.from_checkpoint; the mean w is computed where the layout has none."""
        generator = super().from_checkpoint(checkpoint, classes, truncation)
        if cls.has_no_mean(checkpoint):
            with torch.no_grad():
                z = z_from_seeds(range(_MEAN_OF), generator.spec.latent_size)
                generator.mean.copy_(generator.encode(z, "w").mean(dim=0))
        return generator

    @classmethod
    def infer_spec(cls, state_dict: Mapping[str, Tensor], classes: int = 0) -> GeneratorSpec:
        """Reads the spec off the shapes, classes too.

        Raises GanError naming the first tensor that is missing, unknown or of another shape.
        """
        rungs = (len(places_of(state_dict, "synthesis.layers")) + 1) // 2
        w_size, inputs = tensor_of(cls.family, state_dict, "mapping.layers.0.weight", 2).shape
        colours = tensor_of(cls.family, state_dict, cls.colours_at(rungs - 1), 4)
        constant = tensor_of(cls.family, state_dict, cls.constant, 4)
        found, beside = cls.classes_in(state_dict)
        if classes not in (0, found):
            raise GanError(f"not a {cls.family} of {classes} classes: its mapping knows {found}")
        spec = GeneratorSpec(
            family=cls.family,
            latent_size=inputs - beside,
            classes=found,
            resolution=2 << rungs,
            channels=colours.shape[0],
            config={
                "width": colours.shape[1],
                "max_width": constant.shape[1],
                "mapping_layers": len(places_of(state_dict, "mapping.layers")),
                **cls.config_in(state_dict),
            },
            spaces=SPACES,
            layers=2 * rungs,
            w_size=w_size,
        )
        cls.check_layout(spec, state_dict)
        return spec

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

    def first_features(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """W [N, W], in which the paper of GANSpace looks for components."""
        return self.encode(z, "w", condition)

    @property
    def noise(self) -> Tensor:
        """The noise that belongs to the weights [P]: one number for each pixel of each layer."""
        return torch.cat([layer.noise.flatten() for layer in self.noisy_layers])

    @property
    def mean_w(self) -> Tensor:
        """The average w [W] over all z, in the middle of what was trained."""
        return self.mean


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
