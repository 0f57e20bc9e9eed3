"""Low-pass filters of windows after Kaiser.

J. F. Kaiser 1974, "Nonrecursive digital filter design using the I0-sinh window function"; how they are used is in
Karras et al. 2021 (arXiv:2106.12423), appendix C.
"""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def low_pass(taps: int, cutoff: float, width: float, rate: float) -> Tensor:
    """A filter [taps] on a grid of that rate that keeps frequencies below the cutoff; it sums to 1.

    ``width`` is that of the band between what is kept and what is not, in which the cutoff is in the middle.
    """
    places = np.arange(taps) - (taps - 1) / 2
    kernel = np.sinc(2 * cutoff / rate * places) * _window(taps, width, rate)
    return torch.from_numpy((kernel / kernel.sum()).astype(np.float32))


def radial_low_pass(taps: int, cutoff: float, width: float, rate: float) -> Tensor:
    """The same in all directions [taps, taps], so that it may be turned; taps must be even."""
    places = (np.arange(taps) - (taps - 1) / 2) / rate
    radius = np.hypot(places[:, None], places)
    waves = torch.special.bessel_j1(torch.from_numpy(2 * math.pi * cutoff * radius)).numpy()
    window = _window(taps, width, rate)
    kernel = waves / radius * np.outer(window, window)
    return torch.from_numpy((kernel / kernel.sum()).astype(np.float32))


def _window(taps: int, width: float, rate: float) -> NDArray[np.float64]:
    """As wide as the band between allows, by Kaiser's formulas for the attenuation in dB, and for beta."""
    attenuation = 2.285 * (taps - 1) * math.pi * width / (rate / 2) + 7.95
    if attenuation > 50:
        beta = 0.1102 * (attenuation - 8.7)
    elif attenuation > 21:
        beta = 0.5842 * (attenuation - 21) ** 0.4 + 0.07886 * (attenuation - 21)
    else:
        beta = 0.0
    return np.kaiser(taps, beta)
