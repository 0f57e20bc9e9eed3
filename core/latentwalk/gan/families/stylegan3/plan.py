"""What each layer of a StyleGAN3 is made for: bands of frequencies that widen from layer to layer.

Karras et al. 2021, "Alias-free generative adversarial networks" (arXiv:2106.12423), section 3.2 and appendix D; the
constants are those of its configs T and R. Frequencies are in cycles per side of the picture.
"""

import math
from dataclasses import dataclass

from latentwalk.gan.errors import GanError
from latentwalk.gan.families.widths import config_of
from latentwalk.gan.spec import GeneratorSpec

# So many layers before the one that makes a picture have its full band, and no margin to filter in.
_CRITICAL = 2
_FIRST_CUTOFF, _FIRST_STOPBAND = 2.0, 2**2.1
_LAST_STOPBAND = 2**0.3
"""By the last cutoff."""
_MARGIN = 10
"""Pixels beyond each border of the picture, so that what is there does not depend on where the border is."""
_OVERSAMPLING = 2
"""How much finer the grid is on which the rectifier works."""
_TAPS = 6
"""Of a filter, for each place of the coarser grid."""
LEAST_LAYERS = 4


@dataclass(frozen=True, slots=True)
class Band:
    """What features hold: frequencies up to the cutoff, on a grid of this rate; half the width of what is between."""

    cutoff: float
    half_width: float
    rate: int
    """Places per side of the picture."""
    side: int
    """Places, with the margins."""
    channels: int


@dataclass(frozen=True, slots=True)
class Step:
    """One layer, from a band to the next."""

    before: Band
    after: Band
    is_critical: bool
    """Whether its band is as wide as its grid can hold."""

    @property
    def rate(self) -> int:
        """That of the grid on which the rectifier works."""
        return _OVERSAMPLING * max(self.before.rate, self.after.rate)

    @property
    def up(self) -> int:
        """How much finer that grid is than the one before."""
        return self.rate // self.before.rate

    @property
    def down(self) -> int:
        """How much finer it is than the one after."""
        return self.rate // self.after.rate

    @property
    def up_taps(self) -> int:
        """Of the filter before the rectifier."""
        return _TAPS * self.up

    @property
    def down_taps(self) -> int:
        """Of the filter after it."""
        return _TAPS * self.down


def steps_of(spec: GeneratorSpec) -> list[Step]:
    """All layers but the first, of the Fourier features, and the last, of the picture. Raises GanError, OutOfRange."""
    bands = _bands(spec)
    count = len(bands)
    befores = [bands[0], *bands[:-1]]
    return [
        Step(before, after, is_critical=index >= count - _CRITICAL)
        for index, (before, after) in enumerate(zip(befores, bands, strict=True))
    ]


def _bands(spec: GeneratorSpec) -> list[Band]:
    layers, resolution = spec.layers - 2, spec.resolution
    if layers < LEAST_LAYERS:
        raise GanError(f"layers of a {spec.family} are {spec.layers}: they must be at least {LEAST_LAYERS + 2}")
    width, most = config_of(spec, "width"), config_of(spec, "max_width")
    last_cutoff = resolution / 2
    last_stopband = last_cutoff * _LAST_STOPBAND
    bands: list[Band] = []
    for index in range(layers):
        share = min(index / (layers - _CRITICAL), 1)
        cutoff = _FIRST_CUTOFF * (last_cutoff / _FIRST_CUTOFF) ** share
        stopband = _FIRST_STOPBAND * (last_stopband / _FIRST_STOPBAND) ** share
        rate = 2 ** math.ceil(math.log2(min(2 * stopband, resolution)))
        side = resolution if index == layers - 1 else rate + 2 * _MARGIN
        channels = round(min(width * last_cutoff / cutoff, most))
        bands.append(Band(cutoff, max(stopband, rate / 2) - cutoff, rate, side, channels))
    return bands
