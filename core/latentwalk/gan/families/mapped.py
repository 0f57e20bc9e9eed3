"""What generators with a mapping network share: from z to w, and from one w a layer to a picture."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from latentwalk.gan.errors import GanError
from latentwalk.gan.families.scaled import ScaledGenerator
from latentwalk.gan.families.shapes import places_of, tensor_of
from latentwalk.gan.latents import z_from_seeds
from latentwalk.gan.spec import GeneratorSpec

# Of so many latents the mean w is taken where a checkpoint has none; as many as in rosinality's code for StyleGAN2.
_MEAN_OF = 4_096


@dataclass(frozen=True, slots=True)
class MappingShape:
    """What the weights of a mapping say of its generator."""

    latent_size: int
    classes: int
    """0 without any."""
    w_size: int
    layers: int


class MappedGenerator(ScaledGenerator):
    """A generator of a mapping, a synthesis and the mean w.

    Pictures are not confined to the range, only trained to be in it.
    """

    family: ClassVar[str]
    mean: Tensor

    def __init__(self, spec: GeneratorSpec, mapping: nn.Module, synthesis: nn.Module) -> None:
        super().__init__(spec)
        self.mapping = mapping
        self.synthesis = synthesis
        self.register_buffer("mean", torch.zeros(spec.w_size))

    @classmethod
    def classes_in(cls, state_dict: Mapping[str, Tensor]) -> tuple[int, int]:
        """How many classes the mapping knows, and how many numbers beside z say which; 0 and 0 without any."""
        if "mapping.embedding.weight" not in state_dict:
            return 0, 0
        size, classes = tensor_of(cls.family, state_dict, "mapping.embedding.weight", 2).shape
        return classes, size

    @classmethod
    def mapping_in(cls, state_dict: Mapping[str, Tensor], classes: int) -> MappingShape:
        """Reads off the shape of the mapping. Raises GanError unless it knows so many classes; 0 for any number."""
        w_size, inputs = tensor_of(cls.family, state_dict, "mapping.layers.0.weight", 2).shape
        found, beside = cls.classes_in(state_dict)
        if classes not in (0, found):
            raise GanError(f"not a {cls.family} of {classes} classes: its mapping knows {found}")
        return MappingShape(inputs - beside, found, w_size, len(places_of(state_dict, "mapping.layers")))

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
    def mean_w(self) -> Tensor:
        """The average w [W] over all z, in the middle of what was trained."""
        return self.mean
