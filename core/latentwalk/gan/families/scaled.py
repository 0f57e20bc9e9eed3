"""Weights that learn at one rate in all layers, as the StyleGAN papers have them."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


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
