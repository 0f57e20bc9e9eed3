"""DCGAN (Radford, Metz and Chintala 2016, arXiv:1511.06434) in the layout of the PyTorch DCGAN tutorial."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from latentwalk.gan.errors import GanError, OutOfRange
from latentwalk.gan.families.dcgan.gan_zoo import from_gan_zoo, is_gan_zoo
from latentwalk.gan.families.shapes import tensor_of
from latentwalk.gan.generator import Generator
from latentwalk.gan.spec import GeneratorSpec

MAX_WIDTH = 4_096


class DCGAN(Generator):
    """A ladder of transposed convolutions 4x4 -> 8x8 -> ... -> resolution, any power of two from 8 on.

    config: {"width": channels of the last hidden layer, 1 to 4096}; each coarser layer has twice as many.
    Weights: main.{0, 3, 6, ...} convolutions without bias, main.{1, 4, 7, ...} batch normalisation.
    A condition is concatenated to z, so the first convolution has Z + K inputs.
    """

    def __init__(self, spec: GeneratorSpec) -> None:
        super().__init__(spec)
        self.main = nn.Sequential(*_layers(spec))
        self.main.apply(_initialise)

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Pictures [N, C, H, W] in (-1, 1) from z [N, Z] and a condition [N, K] or None."""
        return self.main(self._code(z, condition))

    def first_weights(self) -> Tensor:
        """The first convolution, from z to 4x4 places: [16 channels, Z]."""
        return self.get_parameter("main.0.weight")[: self.spec.latent_size].flatten(1).T

    def first_features(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """The first convolution, normalised and rectified: [N, 16 channels]."""
        return self.main[:3](self._code(z, condition)).flatten(1)

    def _code(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """What goes into the first convolution: [N, Z + K, 1, 1]."""
        self.check_condition(condition)
        code = z if condition is None else torch.cat([z, condition], dim=1)  # [N, Z + K]
        return code[:, :, None, None]

    @classmethod
    def translate(cls, checkpoint: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """From the layout of pytorch_GAN_zoo, or our own."""
        return from_gan_zoo(checkpoint) if is_gan_zoo(checkpoint) else checkpoint

    @classmethod
    def infer_spec(cls, state_dict: Mapping[str, Tensor], classes: int = 0) -> GeneratorSpec:
        """Reads the spec off the shapes, which do not show ``classes``: how many of the inputs are a
        condition.

        Raises GanError naming the first tensor that is missing, unknown or of another shape.
        """
        kernels = [tensor for tensor in state_dict.values() if tensor.ndim == 4]
        names = (f"main.{3 * rung}.weight" for rung in (0, len(kernels) - 1))
        first, last = (tensor_of("dcgan", state_dict, name, 4) for name in names)
        spec = GeneratorSpec(
            family="dcgan",
            latent_size=first.shape[0] - classes,
            classes=classes,
            resolution=2 ** (len(kernels) + 1),
            channels=last.shape[1],
            config={"width": last.shape[0]},
        )
        cls.check_layout(spec, state_dict)
        return spec


def _layers(spec: GeneratorSpec) -> list[nn.Module]:
    width, rungs = _width(spec), _rungs(spec)
    layers: list[nn.Module] = []
    inputs = spec.latent_size + spec.classes
    for rung in range(rungs):
        outputs = width * 2 ** (rungs - 1 - rung)
        stride, padding = (1, 0) if rung == 0 else (2, 1)  # from 1x1 to 4x4, then each rung doubles
        layers += [
            nn.ConvTranspose2d(inputs, outputs, 4, stride, padding, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        ]
        inputs = outputs
    return [*layers, nn.ConvTranspose2d(inputs, spec.channels, 4, 2, 1, bias=False), nn.Tanh()]


def _rungs(spec: GeneratorSpec) -> int:
    """How many hidden layers: 1 for 8x8, 4 for 64x64."""
    if spec.resolution.bit_count() != 1:
        raise GanError(f"resolution of a dcgan is {spec.resolution}: it must be a power of two")
    return spec.resolution.bit_length() - 3


def _width(spec: GeneratorSpec) -> int:
    width = spec.config.get("width")
    if type(width) is not int or len(spec.config) != 1:
        raise GanError(f'config of a dcgan is {dict(spec.config)}: it must be {{"width": <integer>}}')
    if not 1 <= width <= MAX_WIDTH:
        raise OutOfRange("width of a dcgan", width, 1, MAX_WIDTH)
    return width


def _initialise(layer: nn.Module) -> None:
    """As Radford et al. 2016, section 4, and the tutorial: weights N(0, 0.02), batch-norm gains N(1, 0.02)."""
    if isinstance(layer, nn.ConvTranspose2d):
        nn.init.normal_(layer.weight, 0.0, 0.02)
    elif isinstance(layer, nn.BatchNorm2d):
        nn.init.normal_(layer.weight, 1.0, 0.02)
