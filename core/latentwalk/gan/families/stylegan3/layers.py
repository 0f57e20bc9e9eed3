"""The layers of StyleGAN3's synthesis. Shapes: N batch, C channels, W size of a w."""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from latentwalk.gan.families.scaled import Linear, Scaled
from latentwalk.gan.families.stylegan3.filters import low_pass, radial_low_pass
from latentwalk.gan.families.stylegan3.plan import Band, Step

_SLOPE = 0.2
# So that the rectifier keeps the variance.
_GAIN = math.sqrt(2)
# As in the code of the paper.
_EPSILON = 1e-8


class FourierFeatures(Scaled):
    """Where every picture begins: waves of fixed frequencies, turned and moved by w, and mixed.

    Karras et al. 2021, section 3.1 and appendix D.3; config T only moves them as far as it has learned to.
    """

    frequencies: Tensor
    phases: Tensor
    grid: Tensor

    def __init__(self, band: Band, w_size: int) -> None:
        super().__init__((band.channels, band.channels), band.channels, gain=1)
        self.style = Linear(w_size, 4, gain=1)
        with torch.no_grad():
            self.style.weight.zero_()
            self.style.bias.copy_(torch.tensor([1.0, 0, 0, 0]))
        directions = torch.randn(band.channels, 2)
        radii = directions.norm(dim=1, keepdim=True)
        self.register_buffer("frequencies", directions / radii * torch.exp(-radii.square() / 4) * band.cutoff)
        self.register_buffer("phases", torch.rand(band.channels) - 0.5)
        # On the CPU even where weights are yet to come, for it is not among them; so are the filters below.
        places = (torch.arange(band.side, device="cpu") + 0.5 - band.side / 2) / band.rate
        self.register_buffer("grid", places, persistent=False)

    def forward(self, w: Tensor) -> Tensor:
        """W [N, W] -> features [N, C, H, W]."""
        style = self.style(w)
        cos, sin, right, down = (style / style[:, :2].norm(dim=1, keepdim=True))[:, :, None].unbind(dim=1)
        x, y = self.frequencies.unbind(dim=1)
        turned_x, turned_y = x * cos + y * sin, y * cos - x * sin
        phases = self.phases - turned_x * right - turned_y * down
        angles = turned_x[:, :, None, None] * self.grid + (turned_y[:, :, None] * self.grid)[:, :, :, None]
        waves = torch.sin(2 * math.pi * (angles + phases[:, :, None, None]))
        return F.conv2d(waves, self.product[:, :, None, None])


class FilteredLayer(nn.Module):
    """A convolution of features that the style has scaled, and a rectifier on a finer grid, between two filters.

    Karras et al. 2021, section 3.2. Only what the band after it may hold comes out.
    """

    magnitude: Tensor
    """The mean square of what comes in, [], as training has met it."""
    up_filter: Tensor
    down_filter: Tensor

    def __init__(self, step: Step, kernel: int, w_size: int) -> None:
        super().__init__()
        inputs, outputs = step.before.channels, step.after.channels
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.style = Linear(w_size, inputs, gain=1)
        nn.init.ones_(self.style.bias)
        self.register_buffer("magnitude", torch.ones(()))
        self._step = step
        finer = step.before.cutoff, 2 * step.before.half_width, step.rate
        self.register_buffer("up_filter", low_pass(step.up_taps, *finer), persistent=False)
        coarser = step.down_taps, step.after.cutoff, 2 * step.after.half_width, step.rate
        # Config R, whose kernels look at one place only, treats all directions alike.
        design = radial_low_pass if kernel == 1 and not step.is_critical else low_pass
        self.register_buffer("down_filter", design(*coarser), persistent=False)

    def forward(self, features: Tensor, w: Tensor) -> Tensor:
        """The features, [N, inputs, H, W], of w [N, W]: [N, outputs, H', W']."""
        # In float32: the squares of a style may be beyond the range of a shorter number.
        style = self.style(w).float()
        style = style * torch.rsqrt(style.square().mean(dim=1, keepdim=True))
        kernel = self.weight * torch.rsqrt(self.weight.square().mean(dim=(1, 2, 3), keepdim=True))
        energies = kernel.square().sum(dim=(2, 3))
        kept = torch.rsqrt(F.linear(style.square(), energies.float()) + _EPSILON) * torch.rsqrt(self.magnitude)
        kept, style = kept.to(features.dtype), style.to(features.dtype)
        scaled = features * style[:, :, None, None]
        convolved = F.conv2d(scaled, kernel, padding=kernel.shape[-1] - 1)
        biased = torch.addcmul(self.bias[:, None, None], convolved, kept[:, :, None, None])
        return self._coarser(F.leaky_relu(self._finer(biased) * _GAIN, _SLOPE))

    def _finer(self, features: Tensor) -> Tensor:
        """On the grid of the rectifier, as much of it as the places that come out are filtered of."""
        step = self._step
        before = features.shape[-1] * step.up
        wanted = (step.after.side - 1) * step.down + step.down_taps
        added = wanted + step.up_taps - 1 - before
        # Places before the first; of an odd number one more, or in the middle between two of the finer grid.
        start = step.up_taps - 1 - (added + step.up) // 2
        line = self.up_filter * step.up
        for turn in (line[None], line[:, None]):
            stride = (step.up, 1) if turn.shape[1] == 1 else (1, step.up)
            features = _depthwise(F.conv_transpose2d, features, turn, stride)
        return features[:, :, start : start + wanted, start : start + wanted]

    def _coarser(self, features: Tensor) -> Tensor:
        down = self._step.down
        if self.down_filter.ndim == 2:
            return _depthwise(F.conv2d, features, self.down_filter, (down, down))
        across = _depthwise(F.conv2d, features, self.down_filter[None], (1, down))
        return _depthwise(F.conv2d, across, self.down_filter[:, None], (down, 1))


class FilteredColours(nn.Module):
    """1x1 of features that the style has scaled, to a picture."""

    magnitude: Tensor
    """As of a FilteredLayer."""

    def __init__(self, inputs: int, channels: int, w_size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(channels, inputs, 1, 1))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.style = Linear(w_size, inputs, gain=1)
        nn.init.ones_(self.style.bias)
        self.register_buffer("magnitude", torch.ones(()))

    def forward(self, features: Tensor, w: Tensor) -> Tensor:
        """[N, inputs, H, W] of w [N, W] -> [N, channels, H, W]."""
        style = self.style(w) * (torch.rsqrt(self.magnitude) / math.sqrt(features.shape[1]))
        return F.conv2d(features * style[:, :, None, None], self.weight, self.bias)


def _depthwise(convolve: Callable[..., Tensor], features: Tensor, kernel: Tensor, stride: tuple[int, int]) -> Tensor:
    """Each channel of features [N, C, H, W] by the same kernel [H', W']."""
    channels = features.shape[1]
    return convolve(features, kernel.expand(channels, 1, -1, -1), stride=stride, groups=channels)
