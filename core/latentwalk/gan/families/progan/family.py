"""Progressive GAN (Karras, Aila, Laine and Lehtinen 2018, arXiv:1710.10196), fully grown."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Self, TypeAlias

import torch
from torch import Tensor, nn

from latentwalk.gan.errors import GanError
from latentwalk.gan.families.progan.gan_zoo import from_gan_zoo, is_gan_zoo
from latentwalk.gan.families.progan.genforce import from_genforce, is_genforce
from latentwalk.gan.families.progan.layers import FromLatent, NormedLayer, normalised
from latentwalk.gan.families.progan.ptrblck import from_ptrblck, is_ptrblck
from latentwalk.gan.families.progan.tensorflow import from_tensorflow, is_tensorflow
from latentwalk.gan.families.scaled import Colours, Convolution, ScaledGenerator, UpConvolution
from latentwalk.gan.families.shapes import places_of, tensor_of
from latentwalk.gan.families.widths import check_config, widths_of
from latentwalk.gan.spec import GeneratorSpec

_Weights: TypeAlias = Mapping[str, Tensor]

_LAYOUTS: Sequence[tuple[Callable[[_Weights], bool], Callable[[_Weights], _Weights]]] = (
    (is_tensorflow, from_tensorflow),
    (is_genforce, from_genforce),
    (is_gan_zoo, from_gan_zoo),
    (is_ptrblck, from_ptrblck),
)
"""How to tell each published layout, and what brings its weights into our own."""


class ProGAN(ScaledGenerator):
    """Two layers at 4x4, 8x8, ..., resolution, and of the last features a picture.

    config: {"width": channels of the last layers, each coarser pair having twice as many, up to "max_width"}. A
    condition is concatenated to z, and both are brought to one length: only the direction of z has a say. Pictures are
    not confined to the range, only trained to be in it.
    """

    normalises_z = True

    def __init__(self, spec: GeneratorSpec) -> None:
        check_config(spec, ("width", "max_width"))
        super().__init__(spec)
        widths = widths_of(spec)
        layers: list[NormedLayer] = []
        for rung, width in enumerate(widths):
            inputs = spec.latent_size + spec.classes
            first = UpConvolution(widths[rung - 1], width) if rung else FromLatent(inputs, width)
            layers += [NormedLayer(source, width) for source in (first, Convolution(width, width))]
        self.layers = nn.ModuleList(layers)
        self.colours = Colours(widths[-1], spec.channels)

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Pictures [N, C, H, W] from z [N, Z] and a condition [N, K] or None."""
        last = z
        for features in self.features(z, condition, len(self.layers)):
            last = features
        return self.colours(last)

    def features(self, z: Tensor, condition: Tensor | None, layers: int) -> Iterator[Tensor]:
        """Those of each of so many layers, [N, C, H, W], from coarse to fine."""
        features = self._code(z, condition)
        for layer in self.layers[:layers]:
            features = layer(features)
            yield features

    @property
    def widths(self) -> list[int]:
        """The channels at 4x4, 8x8, ..., resolution."""
        return widths_of(self.spec)

    def first_weights(self) -> Tensor:
        """The first layer, from z to 4x4 places: [16 C, Z]."""
        return self.get_parameter("layers.0.source.weight")[:, : self.spec.latent_size]

    def first_features(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """The first layer, rectified and normalised: [N, 16 C]."""
        return self.layers[0](self._code(z, condition)).flatten(1)

    def _code(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """What goes into the first layer: [N, Z + K]."""
        self.check_condition(condition)
        return normalised(z if condition is None else torch.cat([z, condition], dim=1))

    @classmethod
    def from_checkpoint(cls, checkpoint: _Weights, classes: int = 0, truncation: float | None = None) -> Self:
        """As Generator.from_checkpoint. Raises GanError also for classes in the layout of genforce."""
        if classes and is_genforce(checkpoint):
            raise GanError(
                "not a progan that is drawn: genforce normalises z before it joins classes to it, "
                "and the code of the paper afterwards; take one without classes, or in another layout"
            )
        return super().from_checkpoint(checkpoint, classes, truncation)

    @classmethod
    def translate(cls, checkpoint: _Weights) -> _Weights:
        """From one of the published layouts, or our own."""
        return next((to_own(checkpoint) for is_of, to_own in _LAYOUTS if is_of(checkpoint)), checkpoint)

    @classmethod
    def infer_spec(cls, state_dict: _Weights, classes: int = 0) -> GeneratorSpec:
        """Reads the spec off the shapes, which do not show ``classes``: how many of the inputs are a condition.

        Raises GanError naming the first tensor that is missing, unknown or of another shape.
        """
        rungs = (len(places_of(state_dict, "layers")) + 1) // 2
        first = tensor_of("progan", state_dict, "layers.0.source.weight", 2)
        colours = tensor_of("progan", state_dict, "colours.weight", 4)
        spec = GeneratorSpec(
            family="progan",
            latent_size=first.shape[1] - classes,
            classes=classes,
            resolution=2 << rungs,
            channels=colours.shape[0],
            config={"width": colours.shape[1], "max_width": first.shape[0] // 16},
        )
        cls.check_layout(spec, state_dict)
        return spec
