"""The layers of a Progressive GAN. Shapes: N batch, C channels, Z size of a latent, K classes."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from latentwalk.gan.families.scaled import Scaled

_SLOPE = 0.2
# As in the code of the paper.
_NORM_EPSILON = 1e-8
# Of the first layer, whose scale is that of a convolution of 4x4: the code of the paper has it so.
_FIRST_GAIN = math.sqrt(2) / 4


class FromLatent(Scaled):
    """From a latent to the first 4x4 places: the weight is [16 C, Z + K], the places of a channel in a row."""

    def __init__(self, inputs: int, channels: int) -> None:
        super().__init__((16 * channels, inputs), inputs, _FIRST_GAIN)

    def forward(self, code: Tensor) -> Tensor:
        """[N, Z + K] -> [N, C, 4, 4]."""
        return F.linear(code, self.product).unflatten(1, (-1, 4, 4))


class NormedLayer(nn.Module):
    """Features, then bias and rectifier, each place brought to one length (Karras et al. 2018, section 4.2).

    The first layer is dense, and has a bias for each of its 4x4 places, the others one for all.
    """

    def __init__(self, source: nn.Module, channels: int) -> None:
        super().__init__()
        self.source = source
        side = 4 if isinstance(source, FromLatent) else 1
        self.bias = nn.Parameter(torch.zeros(channels, side, side))

    def forward(self, features: Tensor) -> Tensor:
        """Those of the source, [N, C, H, W]."""
        return normalised(F.leaky_relu(self.source(features) + self.bias, _SLOPE))


def normalised(features: Tensor) -> Tensor:
    """Features [N, C, ...] of which the mean square over all channels is 1; computed in float32."""
    energy = features.square().mean(dim=1, keepdim=True, dtype=torch.float32)
    return features * torch.rsqrt(energy + _NORM_EPSILON).to(features.dtype)
