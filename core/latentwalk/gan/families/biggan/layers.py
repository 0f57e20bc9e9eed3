"""What the networks of BigGAN are built of."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from latentwalk.gan.errors import GanError


class Attention(nn.Module):
    """Adds to each place what it looks for among all places of half the resolution.

    Self-attention as of Zhang et al. 2019 (SAGAN, arXiv:1805.08318), with keys and values pooled as in their code.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        if channels < 8:
            raise GanError(f"an attention of a biggan has {channels} channels: it needs at least 8, make it wider")
        self.theta = nn.Conv2d(channels, channels // 8, 1, bias=False)
        self.phi = nn.Conv2d(channels, channels // 8, 1, bias=False)
        self.g = nn.Conv2d(channels, channels // 2, 1, bias=False)
        self.o = nn.Conv2d(channels // 2, channels, 1, bias=False)
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, features: Tensor) -> Tensor:
        """[N, C, H, W] to the same."""
        queries = _places(self.theta(features))
        keys, values = (_places(F.max_pool2d(layer(features), 2)) for layer in (self.phi, self.g))
        # One head, and said so: of fewer dimensions than four, CUDA has no kernel without the [N, H W, H W / 4].
        queries, keys, values = queries[:, None], keys[:, None], values[:, None]
        found = F.scaled_dot_product_attention(queries, keys, values, scale=1.0)[:, 0]  # [N, H W, C / 2]
        return features + self.gamma * self.o(found.mT.unflatten(2, features.shape[2:]))


def normalised(
    features: Tensor, mean: Tensor, variance: Tensor, gain: Tensor, offset: Tensor, epsilon: float
) -> Tensor:
    """(features - mean) / sqrt(variance + epsilon) * gain + offset, in one pass over the features [N, C, H, W].

    Mean and variance are [C], gain and offset [C] or, where they follow from a condition, [N, C]. Scale and shift of a
    channel are computed in float32, also for features in bfloat16, and rounded once.
    """
    scale = gain.float() * (variance.float() + epsilon).rsqrt()
    shift = offset.float() - mean.float() * scale
    shift, scale = (one[..., None, None].to(features.dtype) for one in (shift, scale))
    return torch.addcmul(shift, features, scale)


def doubled(features: Tensor) -> Tensor:
    """Each place four times: [N, C, H, W] to [N, C, 2 H, 2 W]."""
    return F.interpolate(features, scale_factor=2, mode="nearest")


def _places(features: Tensor) -> Tensor:
    """[N, C, H, W] to [N, H W, C]."""
    return features.flatten(2).mT
