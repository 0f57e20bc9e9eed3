"""StyleGAN3 (Karras et al. 2021, "Alias-free generative adversarial networks", arXiv:2106.12423), configs T and R."""

import re
from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor, nn

from latentwalk.gan.errors import GanError
from latentwalk.gan.families.mapped import MappedGenerator
from latentwalk.gan.families.shapes import tensor_of
from latentwalk.gan.families.stylegan2.layers import Mapping
from latentwalk.gan.families.stylegan3.layers import FilteredColours, FilteredLayer, FourierFeatures
from latentwalk.gan.families.stylegan3.nvlabs import check_filters, from_nvlabs, is_nvlabs
from latentwalk.gan.families.stylegan3.plan import Step, steps_of
from latentwalk.gan.families.widths import check_config, config_of
from latentwalk.gan.spec import SPACES, GeneratorSpec

# So that a picture has about the range that training looks for.
_SCALE = 0.25
_LAYER = re.compile(r"synthesis\.layers\.(\d{1,2})_(\d{1,4})\.weight")


class Synthesis(nn.Module):
    """From w to a picture: waves, layers that widen the band of frequencies, and the picture, each with a w."""

    def __init__(self, spec: GeneratorSpec, steps: Sequence[Step]) -> None:
        super().__init__()
        kernel = config_of(spec, "kernel")
        self.waves = FourierFeatures(steps[0].before, spec.w_size)
        self.layers = nn.ModuleDict(
            {f"{index}_{step.after.side}": FilteredLayer(step, kernel, spec.w_size) for index, step in enumerate(steps)}
        )
        self.colours = FilteredColours(steps[-1].after.channels, spec.channels, spec.w_size)

    def forward(self, w_plus: Tensor) -> Tensor:
        """Pictures of w+ [N, L, W]."""
        first, *styles, last = w_plus.unbind(dim=1)
        features = self.waves(first)
        for layer, w in zip(self.layers.values(), styles, strict=True):
            features = layer(features, w)
        return self.colours(features, last) * _SCALE


class StyleGAN3(MappedGenerator):
    """A mapping from z to w, and a synthesis whose features move with what they show. It knows no noise.

    config: {"width": channels of the last layers, the coarser ones having more, as their bands are narrower, up to
    "max_width"; "mapping_layers": dense layers of the mapping; "kernel": 3 in config T, 1 in config R}.
    """

    family = "stylegan3"
    synthesis: Synthesis

    def __init__(self, spec: GeneratorSpec) -> None:
        check_config(spec, ("width", "max_width", "mapping_layers", "kernel"))
        if config_of(spec, "kernel") not in (1, 3):
            raise GanError(f"kernel of a stylegan3 is {spec.config['kernel']}: it must be 3 (config T) or 1 (config R)")
        steps = steps_of(spec)  # refused before anything is built
        mapping = Mapping(spec.latent_size, spec.classes, spec.w_size, config_of(spec, "mapping_layers"))
        super().__init__(spec, mapping, Synthesis(spec, steps))

    def synthesise(self, w_plus: Tensor, noise: Tensor | None = None) -> Tensor:
        """Pictures [N, C, H, W] from w+ [N, L, W]; of noise there is none."""
        return self.synthesis(w_plus)

    def style_weights(self, layers: Sequence[int] = ()) -> Tensor:
        """The weights [F, W] of the styles of these layers: a row a channel, and four of the waves."""
        places = ["waves", *(f"layers.{name}" for name in self.synthesis.layers), "colours"]
        chosen = layers or range(self.spec.layers)
        return torch.cat([self.synthesis.get_parameter(f"{places[layer]}.style.weight") for layer in chosen])

    @classmethod
    def from_checkpoint(
        cls, checkpoint: MappingOf[str, Tensor], classes: int = 0, truncation: float | None = None
    ) -> Self:
        """As Generator.from_checkpoint. Raises GanError for filters other than those of the paper, too."""
        generator = super().from_checkpoint(checkpoint, classes, truncation)
        check_filters(checkpoint, generator.synthesis.layers)
        return generator

    @classmethod
    def translate(cls, checkpoint: MappingOf[str, Tensor]) -> MappingOf[str, Tensor]:
        """From the layout of NVlabs, or our own."""
        return from_nvlabs(checkpoint) if is_nvlabs(checkpoint) else checkpoint

    @classmethod
    def infer_spec(cls, state_dict: MappingOf[str, Tensor], classes: int = 0) -> GeneratorSpec:
        """Reads the spec off shapes and names, classes too.

        Raises GanError naming the first tensor that is missing, unknown or of another shape.
        """
        layers = {int(found[1]): found for name in state_dict if (found := _LAYER.fullmatch(name))}
        last = layers[max(layers)] if layers else None
        if last is None:
            raise GanError(f"not a {cls.family}: no layer is among {', '.join(sorted(state_dict)[:8])} ...")
        mapping = cls.mapping_in(state_dict, classes)
        colours = tensor_of(cls.family, state_dict, "synthesis.colours.weight", 4)
        spec = GeneratorSpec(
            family=cls.family,
            latent_size=mapping.latent_size,
            classes=mapping.classes,
            resolution=int(last[2]),
            channels=colours.shape[0],
            config={
                "width": colours.shape[1],
                "max_width": tensor_of(cls.family, state_dict, "synthesis.waves.weight", 2).shape[0],
                "mapping_layers": mapping.layers,
                "kernel": tensor_of(cls.family, state_dict, last[0], 4).shape[-1],
            },
            spaces=SPACES,
            layers=max(layers) + 3,
            w_size=mapping.w_size,
        )
        cls.check_layout(spec, state_dict)
        return spec
