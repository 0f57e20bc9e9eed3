"""The layers of BigGAN."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from latentwalk.gan.families.biggan.layers import Attention, doubled, normalised

_EPSILON = 1e-5


class ResidualBlock(nn.Module):
    """Doubles the resolution, then two convolutions 3x3; the features themselves go by way of one of 1x1.

    An attention may follow.
    """

    def __init__(self, inputs: int, outputs: int, code_size: int, *, has_attention: bool) -> None:
        super().__init__()
        self.bn1 = ConditionalNormalisation(inputs, code_size)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.bn2 = ConditionalNormalisation(outputs, code_size)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.conv_sc = nn.Conv2d(inputs, outputs, 1)
        self.attention = Attention(outputs) if has_attention else None

    def forward(self, features: Tensor, code: Tensor) -> Tensor:
        """[N, C, H, W] and codes [N, D] to [N, outputs, 2 H, 2 W]."""
        inner = self.conv1(doubled(F.relu(self.bn1(features, code), inplace=True)))
        inner = self.conv2(F.relu(self.bn2(inner, code), inplace=True))
        # A convolution 1x1 sees one place at a time, so it may come first, at a quarter of the places.
        features = inner + doubled(self.conv_sc(features))
        return self.attention(features) if self.attention else features

    def style_weights(self) -> Tensor:
        """How the code meets the block: [2 (inputs + outputs), D], gains and offsets."""
        layers = (self.bn1.gain, self.bn1.bias, self.bn2.gain, self.bn2.bias)
        return torch.cat([layer.weight for layer in layers])


class Statistics(nn.Module):
    """The mean and the variance of each channel."""

    stored_mean: Tensor
    stored_var: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("stored_mean", torch.zeros(channels))
        self.register_buffer("stored_var", torch.ones(channels))

    def normalised(self, features: Tensor, gain: Tensor, offset: Tensor) -> Tensor:
        """As layers.normalised, with the statistics."""
        return normalised(features, self.stored_mean, self.stored_var, gain, offset, _EPSILON)


class ConditionalNormalisation(Statistics):
    """Batch normalisation whose gain and offset follow from the code."""

    def __init__(self, channels: int, code_size: int) -> None:
        super().__init__(channels)
        self.gain = nn.Linear(code_size, channels, bias=False)
        self.bias = nn.Linear(code_size, channels, bias=False)

    def forward(self, features: Tensor, code: Tensor) -> Tensor:
        """[N, C, H, W] and codes [N, D] to [N, C, H, W]."""
        return self.normalised(features, 1 + self.gain(code).float(), self.bias(code))


class Normalisation(Statistics):
    """Batch normalisation with a gain and an offset of its own."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.gain = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, features: Tensor) -> Tensor:
        """[N, C, H, W] to the same."""
        return self.normalised(features, self.gain, self.bias)
