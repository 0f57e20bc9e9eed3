"""The layers of BigGAN-deep."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from latentwalk.gan.families.biggan.layers import doubled, normalised

STATISTICS = 51
"""For so many truncations, 0, 1/50, ..., 1, the mean and the variance of each channel are known."""

EPSILON = 1e-4
"""What is added to a variance."""

# To this part of its channels a block narrows inside.
_NARROWING = 4


class Block(nn.Module):
    """A residual bottleneck of convolutions 1x1, 3x3, 3x3 and 1x1; of channels that get fewer, the first stay."""

    def __init__(self, inputs: int, outputs: int, code_size: int, truncation: float, *, doubles: bool) -> None:
        super().__init__()
        self._outputs, self._doubles = outputs, doubles
        middle = inputs // _NARROWING
        self.bn_0 = ConditionalNormalisation(inputs, code_size, truncation)
        self.conv_0 = nn.Conv2d(inputs, middle, 1)
        self.bn_1 = ConditionalNormalisation(middle, code_size, truncation)
        self.conv_1 = nn.Conv2d(middle, middle, 3, padding=1)
        self.bn_2 = ConditionalNormalisation(middle, code_size, truncation)
        self.conv_2 = nn.Conv2d(middle, middle, 3, padding=1)
        self.bn_3 = ConditionalNormalisation(middle, code_size, truncation)
        self.conv_3 = nn.Conv2d(middle, outputs, 1)

    def forward(self, features: Tensor, code: Tensor) -> Tensor:
        """[N, C, H, W] and codes [N, 2 Z] to [N, outputs, H, W], or twice H and W."""
        inner = self.conv_0(F.relu(self.bn_0(features, code), inplace=True))
        inner = self.conv_1(self._grown(F.relu(self.bn_1(inner, code), inplace=True)))
        inner = self.conv_2(F.relu(self.bn_2(inner, code), inplace=True))
        inner = self.conv_3(F.relu(self.bn_3(inner, code), inplace=True))
        return inner + self._grown(features[:, : self._outputs])

    def _grown(self, features: Tensor) -> Tensor:
        return doubled(features) if self._doubles else features


class Statistics(nn.Module):
    """The mean and the variance of each channel, by truncation."""

    running_means: Tensor
    running_vars: Tensor

    def __init__(self, channels: int, truncation: float) -> None:
        super().__init__()
        self._truncation = truncation
        self.register_buffer("running_means", torch.zeros(STATISTICS, channels))
        self.register_buffer("running_vars", torch.ones(STATISTICS, channels))

    def normalised(self, features: Tensor, gain: Tensor, offset: Tensor) -> Tensor:
        """As layers.normalised, with the statistics of the truncation."""
        mean, variance = (at_truncation(table, self._truncation) for table in (self.running_means, self.running_vars))
        return normalised(features, mean, variance, gain, offset, EPSILON)


class ConditionalNormalisation(Statistics):
    """Batch normalisation whose gain and offset follow from the code."""

    def __init__(self, channels: int, code_size: int, truncation: float) -> None:
        super().__init__(channels, truncation)
        self.scale = nn.Linear(code_size, channels, bias=False)
        self.offset = nn.Linear(code_size, channels, bias=False)

    def forward(self, features: Tensor, code: Tensor) -> Tensor:
        """[N, C, H, W] and codes [N, 2 Z] to [N, C, H, W]."""
        return self.normalised(features, 1 + self.scale(code).float(), self.offset(code))


class Normalisation(Statistics):
    """Batch normalisation with a gain and an offset of its own."""

    def __init__(self, channels: int, truncation: float) -> None:
        super().__init__(channels, truncation)
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, features: Tensor) -> Tensor:
        """[N, C, H, W] to the same."""
        return self.normalised(features, self.weight, self.bias)


def at_truncation(table: Tensor, truncation: float) -> Tensor:
    """The entry [C] of a table [51, C] for a truncation; for one between two entries, what lies on the line between.

    Rounding does not count: 0.58 is entry 29, though 0.58 * 50 is 28.999999999999996. The published code takes 28 for
    it, and between entries swaps the shares of the two; we do neither.
    """
    place = truncation * (len(table) - 1)
    if math.isclose(place, round(place), rel_tol=1e-9):
        return table[round(place)]
    below = math.floor(place)
    return torch.lerp(table[below], table[below + 1], place - below)
