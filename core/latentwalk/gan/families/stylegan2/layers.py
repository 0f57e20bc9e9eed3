"""The layers of StyleGAN2's two networks. Shapes: N batch, C channels, W size of a w."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from latentwalk.gan.families.scaled import Linear, Scaled

_SLOPE = 0.2
# So that the rectifier keeps the variance.
_GAIN = math.sqrt(2)
# As in the code of the paper.
_EPSILON = 1e-8


def low_pass(gain: float) -> Tensor:
    """The filter [1, 3, 3, 1] either way, [4, 4], whose numbers sum to the gain.

    On the CPU even where weights are yet to come, for it is not among them. It moves with them: a tensor that is made
    while a picture is drawn has a GPU wait for the CPU, and cannot be part of a recorded graph.
    """
    line = torch.tensor([1.0, 3.0, 3.0, 1.0], device="cpu")
    return line.outer(line) * (gain / 64)


class StyledConvolution(Scaled):
    """3x3 of features that the style has scaled, brought to the deviation that they had; then noise, bias, rectifier.

    Karras et al. 2020 (arXiv:1912.04958), section 2.2. The scales are put on what goes in and what comes out instead of
    on the weights, which is the same function, and one convolution for rows of different styles. If `doubles`, the
    convolution is a transposed one to twice the resolution, and then a blur.
    """

    noise: Tensor
    blur: Tensor
    folded_energies: Tensor | None

    def __init__(self, inputs: int, outputs: int, resolution: int, w_size: int, *, doubles: bool) -> None:
        super().__init__((outputs, inputs, 3, 3), inputs * 9, gain=1)
        self.doubles = doubles
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.noise_strength = nn.Parameter(torch.zeros(()))
        self.register_buffer("noise", torch.randn(1, 1, resolution, resolution))
        self.register_buffer("blur", low_pass(4), persistent=False)
        self.style = Linear(w_size, inputs, gain=1)
        nn.init.ones_(self.style.bias)
        self.register_buffer("folded_energies", None, persistent=False)

    def fold(self) -> None:
        """Keeps the product, and its energies."""
        super().fold()
        self.folded_energies = self._energies().detach()

    def unfold(self) -> None:
        """As Scaled.unfold."""
        super().unfold()
        self.folded_energies = None

    def forward(self, features: Tensor, w: Tensor, noise: Tensor | None) -> Tensor:
        """The features, [N, inputs, H, W], of w [N, W] and noise [N, 1, H', W'] or, for None, the layer's own."""
        style = self.style(w)
        energies = self._energies() if self.folded_energies is None else self.folded_energies
        # In float32: the squares of a style may be beyond the range of a shorter number.
        kept = torch.rsqrt(F.linear(style.float().square(), energies.float()) + _EPSILON) * _GAIN
        convolved = self._convolve(features * style[:, :, None, None], self.product)
        own = self.noise if noise is None else noise
        disturbance = torch.addcmul(self.bias[:, None, None], own, self.noise_strength) * _GAIN
        return F.leaky_relu(torch.addcmul(disturbance, convolved, kept.to(convolved.dtype)[:, :, None, None]), _SLOPE)

    def _energies(self) -> Tensor:
        """What a deviation of 1 of each input adds to the variance of each output, [outputs, inputs]."""
        return self.product.square().sum(dim=(2, 3))

    def _convolve(self, features: Tensor, kernel: Tensor) -> Tensor:
        if not self.doubles:
            return F.conv2d(features, kernel, padding=1)
        grown = F.conv_transpose2d(features, kernel.transpose(0, 1), stride=2)
        return F.conv2d(grown, self.blur.expand(len(kernel), 1, 4, 4), padding=1, groups=len(kernel))


class StyledColours(Scaled):
    """1x1 of features that the style has scaled, to a picture, which is added to the smaller one before it."""

    doubling: Tensor

    def __init__(self, inputs: int, channels: int, w_size: int) -> None:
        super().__init__((channels, inputs, 1, 1), inputs, gain=1)
        self.bias = nn.Parameter(torch.zeros(channels))
        self.style = Linear(w_size, inputs, gain=1)
        nn.init.ones_(self.style.bias)
        self.register_buffer("doubling", low_pass(4), persistent=False)

    def forward(self, features: Tensor, w: Tensor, smaller: Tensor | None) -> Tensor:
        """[N, inputs, H, W], w [N, W] and a picture [N, channels, H/2, W/2] or None -> [N, channels, H, W]."""
        picture = F.conv2d(features * self.style(w)[:, :, None, None], self.product, self.bias)
        if smaller is None:
            return picture
        channels = smaller.shape[1]
        kernel = self.doubling.expand(channels, 1, 4, 4)
        return picture + F.conv_transpose2d(smaller, kernel, stride=2, padding=1, groups=channels)


class Mapping(nn.Module):
    """From z, and what is said of a class, to w: dense layers that learn a hundredth as fast as the others.

    A class is embedded, and brought to length sqrt(W) as z is to sqrt(Z), apart from it: the conditional mapping of
    Karras et al. 2020, "Training generative adversarial networks with limited data" (arXiv:2006.06676).
    """

    def __init__(self, latent_size: int, classes: int, w_size: int, layers: int) -> None:
        super().__init__()
        self.embedding = Linear(classes, w_size, gain=1) if classes else None
        inputs = [latent_size + (w_size if classes else 0)] + [w_size] * (layers - 1)
        self.layers = nn.ModuleList(Linear(size, w_size, gain=1, rate=0.01) for size in inputs)

    def forward(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """Z [N, Z] and a condition [N, K] or None -> w [N, W]."""
        code = _normalised(z)
        if condition is not None and self.embedding is not None:
            code = torch.cat([code, _normalised(self.embedding(condition))], dim=1)
        for layer in self.layers:
            code = F.leaky_relu(layer(code) * _GAIN, _SLOPE)
        return code


def _normalised(code: Tensor) -> Tensor:
    return code * torch.rsqrt(code.square().mean(dim=1, keepdim=True) + _EPSILON)
