"""The other player: tells real pictures from drawn ones."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from latentwalk.gan.spec import GeneratorSpec
from latentwalk.trainer.networks.growth import halved

_SLOPE = 0.2
"""Of the leaky rectifier below zero (Radford et al. 2016, section 3)."""


class Discriminator(nn.Module):
    """The ladder of a DCGAN turned round: resolution -> ... -> 8x8 -> 4x4, then one score a picture.

    The finest layer has ``width`` channels and each coarser one twice as many. There is no batch normalisation: a
    penalty on the gradient at a picture needs a score that depends on that picture alone (Gulrajani et al. 2017,
    section 4). A condition is met by projection (Miyato and Koyama 2018, equation 3): the score of a picture with
    features f is a f + b + c V f. With ``normalised`` every layer has a spectral norm of 1 (Miyato et al. 2018).

    With a ``group`` of more than one picture their deviation is one more channel at 4x4, followed by a convolution
    (Karras et al. 2018, section 3 and table 2): a score then depends on the other pictures of its group, as in that
    paper's own games with a penalty.

    One that grows (see networks.growth) knows pictures from ``start`` pixels a side on: smaller ones enter the ladder
    where features have their size, through a layer of 1x1 of their own.
    """

    def __init__(
        self, spec: GeneratorSpec, width: int, *, normalised: bool = False, start: int = 0, group: int = 1
    ) -> None:
        super().__init__()
        rungs = spec.resolution.bit_length() - 3
        channels = [spec.channels, *(width * 2**rung for rung in range(rungs))]
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(channels):
            layers += [nn.Conv2d(inputs, outputs, 4, 2, 1), nn.LeakyReLU(_SLOPE, inplace=True)]
        self.ladder = nn.Sequential(*layers, nn.Flatten())
        features = channels[-1] * 4 * 4
        self.score = nn.Linear(features, 1)
        self.projection = nn.Linear(spec.classes, features, bias=False) if spec.classes else None
        smaller = (spec.resolution // start).bit_length() - 1 if start else 0
        self.entries = nn.ModuleList(
            nn.Sequential(nn.Conv2d(spec.channels, inputs, 1), nn.LeakyReLU(_SLOPE, inplace=True))
            for inputs in channels[1 : 1 + smaller]
        )
        self.compared = _compared(channels[-1], group) if group > 1 else None
        self._resolution = spec.resolution
        self.apply(_initialise)
        if normalised:
            self.apply(_normalise)

    def forward(self, pictures: Tensor, condition: Tensor | None = None, share: float = 1.0) -> Tensor:
        """Scores [N] of pictures [N, C, H, W] under a condition [N, K], or None without classes; high means real.

        With groups, N is a multiple of their size, and the pictures of each follow one another: real or drawn ones.
        ``share`` is that of the layer by which the pictures enter, which fades in: the rest is that of the layer by
        which pictures half as large do.
        """
        features = self._features(pictures, share)
        score = self.score(features).squeeze(1)
        if self.projection is None or condition is None:
            return score
        return score + (self.projection(condition) * features).sum(dim=1)

    def _features(self, pictures: Tensor, share: float) -> Tensor:
        rung = (self._resolution // pictures.shape[-1]).bit_length() - 1
        features = self._entered(pictures, rung)
        if share < 1:
            features = self.ladder[2 * rung : 2 * rung + 2](features)
            rung += 1
            features = torch.lerp(self._entered(halved(pictures), rung), features, share)
        features = self.ladder[2 * rung :](features)
        return self.compared(features) if self.compared else features

    def _entered(self, pictures: Tensor, rung: int) -> Tensor:
        """What the ladder sees at one of its rungs, from fine to coarse: the whole pictures, or features."""
        return self.entries[rung - 1](pictures) if rung else pictures


class _Deviation(nn.Module):
    """One more channel: how much features differ within a group, the mean over all of them."""

    def __init__(self, group: int) -> None:
        super().__init__()
        self._group = group

    def forward(self, features: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, C + 1, H, W]."""
        groups = features.float().unflatten(0, (-1, self._group))
        deviation = (groups.var(dim=1, correction=0) + 1e-8).sqrt().mean(dim=(1, 2, 3))
        channel = deviation.repeat_interleave(self._group)[:, None, None, None].expand_as(features[:, :1])
        return torch.cat([features, channel.to(features)], dim=1)


def _compared(channels: int, group: int) -> nn.Module:
    """From the features of the ladder [N, C 4 4] to as many that know of the others of their group."""
    convolution = nn.Conv2d(channels + 1, channels, 3, 1, 1)
    layers = nn.Unflatten(1, (channels, 4, 4)), _Deviation(group), convolution, nn.LeakyReLU(_SLOPE, inplace=True)
    return nn.Sequential(*layers, nn.Flatten())


def _initialise(layer: nn.Module) -> None:
    """He et al. 2015, for the leaky rectifier; the two that end in the score keep its size near 1."""
    if isinstance(layer, nn.Conv2d):
        nn.init.kaiming_normal_(layer.weight, _SLOPE)
    elif isinstance(layer, nn.Linear):
        nn.init.normal_(layer.weight, 0.0, max(layer.weight.shape) ** -0.5)


def _normalise(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d | nn.Linear):
        spectral_norm(layer)
