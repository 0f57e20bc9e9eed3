"""Weights that learn at one rate in all layers, as the papers of Progressive GAN and of StyleGAN have them."""

import math
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from latentwalk.gan.generator import Generator


class Scaled(nn.Module):
    """A weight that is multiplied by a constant when it is used, so that Adam learns at one rate in all layers.

    Karras et al. 2018 (arXiv:1710.10196), section 4.1. A frozen layer keeps the product.
    """

    folded: Tensor | None

    def __init__(self, shape: tuple[int, ...], fan_in: int, gain: float = math.sqrt(2), rate: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(shape) / rate)
        self._scale = gain * rate / math.sqrt(fan_in)
        self.register_buffer("folded", None, persistent=False)

    @property
    def product(self) -> Tensor:
        """The weight as it is used."""
        return self.weight * self._scale if self.folded is None else self.folded

    def fold(self) -> None:
        """Keeps the product."""
        self.unfold()
        self.folded = self.product.detach()

    def unfold(self) -> None:
        """Computes the product at each use, as when the weight may change."""
        self.folded = None


class Linear(Scaled):
    """A dense layer; `rate` is how fast it learns beside the others."""

    def __init__(self, inputs: int, outputs: int, gain: float = math.sqrt(2), rate: float = 1.0) -> None:
        super().__init__((outputs, inputs), inputs, gain, rate)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self._rate = rate

    def forward(self, code: Tensor) -> Tensor:
        """[N, inputs] -> [N, outputs]."""
        return F.linear(code, self.product, self.bias * self._rate)


class Convolution(Scaled):
    """3x3, of the same resolution."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__((outputs, inputs, 3, 3), inputs * 9)

    def forward(self, features: Tensor) -> Tensor:
        """[N, inputs, H, W] -> [N, outputs, H, W]."""
        return F.conv2d(features, self.product, padding=1)


class UpConvolution(Scaled):
    """Twice as large by repeating pixels, then 3x3.

    Both are one transposed convolution of 4x4, the sum of the 3x3 kernel at the four places to which a pixel is
    repeated: the same numbers for less than half the work.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__((outputs, inputs, 3, 3), inputs * 9)

    @property
    def product(self) -> Tensor:
        """[inputs, outputs, 4, 4]."""
        if self.folded is not None:
            return self.folded
        turned = F.pad((self.weight * self._scale).flip(2, 3).transpose(0, 1), (1, 1, 1, 1))
        return turned[:, :, 1:, 1:] + turned[:, :, :-1, 1:] + turned[:, :, 1:, :-1] + turned[:, :, :-1, :-1]

    def forward(self, features: Tensor) -> Tensor:
        """[N, inputs, H, W] -> [N, outputs, 2 H, 2 W]."""
        return F.conv_transpose2d(features, self.product, stride=2, padding=1)


class Colours(Scaled):
    """1x1, from features to a picture."""

    def __init__(self, inputs: int, channels: int) -> None:
        super().__init__((channels, inputs, 1, 1), inputs, gain=1)
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, features: Tensor) -> Tensor:
        """[N, inputs, H, W] -> [N, channels, H, W]."""
        return F.conv2d(features, self.product, self.bias)


class ScaledGenerator(Generator):
    """A generator of such weights. Frozen, it keeps the products."""

    def freeze(self) -> Self:
        """As Generator.freeze."""
        for layer in self._scaled():
            layer.fold()
        return super().freeze()

    def thaw(self) -> None:
        """As Generator.thaw."""
        for layer in self._scaled():
            layer.unfold()
        super().thaw()

    def _scaled(self) -> list[Scaled]:
        return [module for module in self.modules() if isinstance(module, Scaled)]
