"""The layers of StyleGAN's two networks. Shapes: N batch, C channels, W size of a w."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from latentwalk.gan.families.scaled import Linear, UpConvolution

_SLOPE = 0.2
# As in the code of the paper.
NORM_EPSILON = 1e-8


class Constant(nn.Module):
    """Where every picture begins: the same [1, C, 4, 4]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.constant = nn.Parameter(torch.ones(1, channels, 4, 4))

    def forward(self, features: Tensor) -> Tensor:
        """The constant, once for each row of the features."""
        return self.constant.expand(len(features), -1, -1, -1)


class BlurredUpConvolution(UpConvolution):
    """As UpConvolution, then a blur of [1, 2, 1] either way; if it is `biased`, with a bias before the blur."""

    def __init__(self, inputs: int, outputs: int, *, biased: bool) -> None:
        super().__init__(inputs, outputs)
        self.bias = nn.Parameter(torch.zeros(outputs)) if biased else None

    def forward(self, features: Tensor) -> Tensor:
        """[N, inputs, H, W] -> [N, outputs, 2 H, 2 W]."""
        grown = super().forward(features)
        return _blur(grown if self.bias is None else grown + self.bias[:, None, None])


def _blur(features: Tensor) -> Tensor:
    """Each pixel a mean of its 3x3 neighbours, weighted [1, 2, 1] either way; black beyond the border."""
    channels = features.shape[1]
    kernel = features.new_full((channels, 1, 3, 3), 1 / 16)
    kernel[:, :, 1] *= 2
    kernel[:, :, :, 1] *= 2
    return F.conv2d(features, kernel, padding=1, groups=channels)


class StyledLayer(nn.Module):
    """Features, then noise, bias and rectifier, then AdaIN: normalised, and given the scale and shift of a style.

    Karras et al. 2019 (arXiv:1812.04948), section 2 and figure 1b.
    """

    noise: Tensor

    def __init__(
        self, source: nn.Module, channels: int, resolution: int, w_size: int, epsilon: float = NORM_EPSILON
    ) -> None:
        super().__init__()
        self._epsilon = epsilon
        self.source = source
        self.bias = nn.Parameter(torch.zeros(channels))
        self.noise_strength = nn.Parameter(torch.zeros(channels))
        self.register_buffer("noise", torch.randn(1, 1, resolution, resolution))
        self.style = Linear(w_size, 2 * channels, gain=1)

    def forward(self, features: Tensor, w: Tensor, noise: Tensor | None) -> Tensor:
        """The features, [N, inputs, H, W], of w [N, W] and noise [N, 1, H', W'] or, for None, the layer's own."""
        own = self.noise if noise is None else noise
        disturbance = torch.addcmul(self.bias[:, None, None], own, self.noise_strength[:, None, None])
        rectified = F.leaky_relu(self.source(features) + disturbance, _SLOPE)
        scale, shift = self.style(w)[:, :, None, None].chunk(2, dim=1)
        return _adain(rectified, scale + 1, shift, self._epsilon)


def _adain(features: Tensor, scale: Tensor, shift: Tensor, epsilon: float) -> Tensor:
    """Features [N, C, H, W], brought to mean 0 and deviation 1 in each channel, times scale, plus shift [N, C, 1, 1].

    Not by torch's instance_norm, which is slower on a CPU, above all where the channels lie last in memory.
    """
    centred = features - _mean(features).to(features.dtype)
    deviation = (_mean(centred.square()) + epsilon).sqrt().to(features.dtype)
    return torch.addcmul(shift, centred, scale / deviation)


def _mean(features: Tensor) -> Tensor:
    """Of each channel, [N, C, 1, 1] float32, whatever the precision of the features."""
    return features.mean(dim=(2, 3), keepdim=True, dtype=torch.float32)


class Mapping(nn.Module):
    """From z, and what is said of a class, to w: dense layers that learn a hundredth as fast as the others."""

    def __init__(self, latent_size: int, classes: int, w_size: int, layers: int) -> None:
        super().__init__()
        self.embedding = nn.Parameter(torch.randn(classes, latent_size)) if classes else None
        inputs = [latent_size * (2 if classes else 1)] + [w_size] * (layers - 1)
        self.layers = nn.ModuleList(Linear(size, w_size, rate=0.01) for size in inputs)

    def forward(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """Z [N, Z] and a condition [N, K] or None -> w [N, W]."""
        code = z if condition is None or self.embedding is None else torch.cat([z, condition @ self.embedding], dim=1)
        code = code * torch.rsqrt(code.square().mean(dim=1, keepdim=True) + NORM_EPSILON)
        for layer in self.layers:
            code = F.leaky_relu(layer(code), _SLOPE)
        return code
