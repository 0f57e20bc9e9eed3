"""BigGAN-deep (Brock, Donahue and Simonyan 2019, arXiv:1809.11096, appendix B), as published for PyTorch.

The layout of weights is that of Hugging Face's pytorch-pretrained-BigGAN: biggan-deep-128, -256 and -512. That of
ajbrock's BigGANdeep is brought into it.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from latentwalk.gan.errors import GanError
from latentwalk.gan.families.biggan.ajbrock_deep import from_ajbrock_deep, is_ajbrock_deep
from latentwalk.gan.families.biggan.bottleneck import Block, Normalisation
from latentwalk.gan.families.biggan.layers import Attention
from latentwalk.gan.families.biggan.plan import FIRST, Plan
from latentwalk.gan.families.biggan.spectral import fold_stored
from latentwalk.gan.families.shapes import tensor_of
from latentwalk.gan.generator import Generator
from latentwalk.gan.spec import GeneratorSpec


class BigGANDeep(Generator):
    """Residual bottlenecks 4x4 -> 8x8 -> ... -> resolution; z and the embedded class scale and shift every layer.

    config: {"width": channels of the last block, 1 to 4096; "blocks": what comes after the first 16 * width channels of
    4x4}. Of the latter, each word is a block: how many times the width it gives out, and ^ if it doubles the
    resolution; @ is an attention. biggan-deep-128 is "16 16^ 16 8^ 8 4^ 4 2^ @ 2 1^" with a width of 128.

    The spec's truncation chooses among the statistics of the batch normalisation. A condition may be any mixture: the
    embedding is linear.
    """

    def __init__(self, spec: GeneratorSpec) -> None:
        super().__init__(spec)
        plan, truncation = Plan.of(spec), _truncation(spec)
        code_size = 2 * spec.latent_size
        self.embeddings = nn.Linear(spec.classes, spec.latent_size, bias=False)
        self.gen_z = nn.Linear(code_size, 4 * 4 * FIRST * plan.width)
        self.layers = nn.ModuleList()
        for step in plan.steps():
            self.layers.append(
                Attention(step.inputs)
                if step.is_attention
                else Block(step.inputs, step.outputs, code_size, truncation, doubles=step.doubles)
            )
        self.bn = Normalisation(plan.width, truncation)
        self.conv_to_rgb = nn.Conv2d(plan.width, spec.channels, 3, padding=1)

    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Pictures [N, C, H, W] in (-1, 1) from z [N, Z] and a condition [N, K]."""
        code = self._code(z, condition)
        features = self.gen_z(code).unflatten(1, (4, 4, -1)).permute(0, 3, 1, 2)  # channels come last in the layout
        for layer in self.layers:
            features = layer(features, code) if isinstance(layer, Block) else layer(features)
        return self.conv_to_rgb(F.relu(self.bn(features))).tanh()

    def first_weights(self) -> Tensor:
        """The first layer, from z to 4x4 places: [4 * 4 * 16 * width, Z]."""
        return self.gen_z.weight[:, : self.spec.latent_size]

    def first_features(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """The first layer: [N, 4 * 4 * 16 * width]."""
        return self.gen_z(self._code(z, condition))

    def _code(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """The latent z and the embedded condition: [N, 2 Z]."""
        self.check_condition(condition)
        return torch.cat([z, self.embeddings(condition)], dim=1)

    @classmethod
    def translate(cls, checkpoint: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """From a published layout, or our own: weights as they act, and of the colours the three that are seen.

        Raises GanError naming a tensor of a spectral norm that is missing or does not fit.
        """
        if is_ajbrock_deep(checkpoint):
            return from_ajbrock_deep(checkpoint)
        weights = {_own_name(name): tensor for name, tensor in fold_stored(checkpoint).items()}
        seen = ("conv_to_rgb.weight", "conv_to_rgb.bias")
        colours = {name: weights[name][:3] for name in seen if name in weights and weights[name].ndim}
        return {**weights, **colours}

    @classmethod
    def infer_spec(cls, state_dict: Mapping[str, Tensor], classes: int = 0) -> GeneratorSpec:
        """Reads the spec off the shapes, classes too, see Plan.inferred; its truncation is 1.

        Raises GanError naming the first tensor that is missing, unknown or of another shape.
        """
        latent_size, found = tensor_of("biggan_deep", state_dict, "embeddings.weight", 2).shape
        if classes not in (0, found):
            raise GanError(f"not a biggan_deep of {classes} classes: its embedding knows {found}")
        plan = Plan.inferred(state_dict)
        spec = GeneratorSpec(
            family="biggan_deep",
            latent_size=latent_size,
            classes=found,
            resolution=plan.resolution,
            channels=len(tensor_of("biggan_deep", state_dict, "conv_to_rgb.weight", 4)),
            config=plan.config,
            truncation=1.0,
        )
        cls.check_layout(spec, state_dict)
        return spec


def _truncation(spec: GeneratorSpec) -> float:
    """The truncation of a spec, after a look at its classes. Raises GanError if it has none of either."""
    if not spec.classes:
        raise GanError("classes of a biggan_deep are 0: it needs at least 1")
    if spec.truncation is None:
        raise GanError("truncation of a biggan_deep is not said: it must be above 0 and at most 1")
    return spec.truncation


def _own_name(published: str) -> str:
    return published.removeprefix("generator.").replace(".snconv1x1_o_conv.", ".o.").replace(".snconv1x1_", ".")
