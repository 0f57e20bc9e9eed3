"""Networks that tell from two pictures along which direction the one was moved to become the other, and how far."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Guess: TypeAlias = tuple[Tensor, Tensor]
"""(logits [N, B K], shifts [N, B]) for B banks of K directions; the slot of direction k of bank b is b K + k."""
Head: TypeAlias = Callable[[int], nn.Module]
"""From the number of outputs to a network on the features of a trunk."""

LENET_SIDE = 32
"""The least side of pictures, in pixels, that LeNet can see."""
_LENET_WIDTH = 4


class ShiftPredictor(nn.Module):
    """One trunk; on its features, for each bank of directions, a head for which and a head for how far.

    It sees pictures of more than ``size`` pixels a side shrunk to that, unless it is 0: the memory that it takes then
    no longer grows with them.
    """

    def __init__(self, family: str, channels: int, banks: int, directions: int, size: int = 0) -> None:
        super().__init__()
        self.trunk, head = TRUNKS[family](2 * channels)
        self.which, self.how_far = head(banks * directions), head(banks)
        self._size = size

    def forward(self, plain: Tensor, shifted: Tensor) -> Guess:
        """Guesses from two pictures of each pair, [N, C, H, W] each.

        The trunk sees the first picture and the difference: what the papers' pair of pictures says, but already in the
        words of the question; only the first weights differ, by a fixed linear map.
        """
        plain, shifted = self._shrunk(plain), self._shrunk(shifted)
        both = torch.cat([plain, shifted - plain], dim=1)
        # Not the weights: a checkpoint brings the optimiser's state back in its plain layout, and they must agree.
        features = self.trunk(both.contiguous(memory_format=torch.channels_last))
        return self.which(features), self.how_far(features)

    def _shrunk(self, pictures: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(pictures, self._size) if 0 < self._size < pictures.shape[-1] else pictures


class SeparatePredictors(nn.Module):
    """A whole predictor for each bank, as in Kim and Lee; their guesses side by side are those of one."""

    def __init__(self, family: str, channels: int, banks: int, directions: int, size: int = 0) -> None:
        super().__init__()
        self.banks = nn.ModuleList(ShiftPredictor(family, channels, 1, directions, size) for _ in range(banks))

    def forward(self, plain: Tensor, shifted: Tensor) -> Guess:
        """As ShiftPredictor."""
        guesses: Sequence[Guess] = [predictor(plain, shifted) for predictor in self.banks]
        which, how_far = zip(*guesses, strict=True)
        return torch.cat(which, dim=1), torch.cat(how_far, dim=1)


def lenet(channels: int, width: int = _LENET_WIDTH) -> tuple[nn.Module, Head]:
    """LeNet with batch normalisation, as in the code of Voynov and Babenko but twice as wide; side 32 ends in 1x1.

    ``width`` 1 is LeNet itself. Each layer is pooled before it is normalised and rectified, not after: a fourth of the
    numbers to go through.
    """
    first, second, third = 6 * width, 16 * width, 120 * width
    trunk = nn.Sequential(
        _AtLeast(LENET_SIDE),
        *_convolution(channels, first, nn.MaxPool2d(2)),
        *_convolution(first, second, nn.MaxPool2d(2)),
        *_convolution(second, third, nn.AdaptiveAvgPool2d(1)),
        nn.Flatten(),
    )
    return trunk, partial(_two_layers, third, 84 * width)


def _resnet18(channels: int) -> tuple[nn.Module, Head]:
    """ResNet-18 (He et al. 2016) with as many input channels as two pictures have."""
    from torchvision.models import resnet18  # takes seconds to import

    network = resnet18()
    network.conv1 = nn.Conv2d(channels, 64, 7, 2, 3, bias=False)
    nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
    trunk = nn.Sequential(*list(network.children())[:-1], nn.Flatten())
    return trunk, partial(nn.Linear, network.fc.in_features)


class _AtLeast(nn.Module):
    """Repeats the pixels of pictures that are smaller than this side."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self._side = side

    def forward(self, pictures: Tensor) -> Tensor:
        return F.interpolate(pictures, self._side) if pictures.shape[-1] < self._side else pictures


def _convolution(inputs: int, outputs: int, pooling: nn.Module) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 5, bias=False), pooling, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


def _two_layers(inputs: int, hidden: int, outputs: int) -> nn.Module:
    return nn.Sequential(
        nn.Linear(inputs, hidden, bias=False), nn.BatchNorm1d(hidden), nn.ReLU(inplace=True), nn.Linear(hidden, outputs)
    )


TRUNKS: Mapping[str, Callable[[int], tuple[nn.Module, Head]]] = {"lenet": lenet, "resnet18": _resnet18}
"""By the name of the predictor in the spec of a job: from the channels of two pictures to a trunk and its heads."""
