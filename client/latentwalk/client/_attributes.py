"""Plain measures of pictures. Shapes: pictures [N, H, W, C] in the range 0 to 1 -> [N]."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[np.float64]


def _luminance(pictures: Numbers) -> Numbers:
    return pictures.mean(axis=(1, 2, 3))


def _contrast(pictures: Numbers) -> Numbers:
    return pictures.mean(axis=3).std(axis=(1, 2))


def _saturation(pictures: Numbers) -> Numbers:
    return (pictures.max(axis=3) - pictures.min(axis=3)).mean(axis=(1, 2))


def _warmth(pictures: Numbers) -> Numbers:
    """Red against blue."""
    return (pictures[..., 0] - pictures[..., -1]).mean(axis=(1, 2))


def _sharpness(pictures: Numbers) -> Numbers:
    """The mean step between neighbouring pixels."""
    grey = pictures.mean(axis=3)
    return np.abs(np.diff(grey, axis=1)).mean(axis=(1, 2)) + np.abs(np.diff(grey, axis=2)).mean(axis=(1, 2))


def _masses(pictures: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """What each pixel weighs [N, H, W], by how far it is from the median of its picture; and coordinates, -1 to 1."""
    grey = pictures.mean(axis=3)
    weights = np.abs(grey - np.median(grey, axis=(1, 2), keepdims=True)) + 1e-9
    weights /= weights.sum(axis=(1, 2), keepdims=True)
    y, x = np.meshgrid(*(np.linspace(-1, 1, size) for size in grey.shape[1:]), indexing="ij")
    return weights, x, y


def _centre_x(pictures: Numbers) -> Numbers:
    weights, x, _ = _masses(pictures)
    return (weights * x).sum(axis=(1, 2))


def _centre_y(pictures: Numbers) -> Numbers:
    weights, _, y = _masses(pictures)
    return (weights * y).sum(axis=(1, 2))


def _spread(pictures: Numbers) -> Numbers:
    """The mean distance from the middle of what stands out: larger for larger things."""
    weights, x, y = _masses(pictures)
    return (weights * np.hypot(x, y)).sum(axis=(1, 2))


def _slant(pictures: Numbers) -> Numbers:
    """The covariance of x and y of what stands out: it changes as things turn."""
    weights, x, y = _masses(pictures)
    return (weights * x * y).sum(axis=(1, 2))


ATTRIBUTES: Mapping[str, Callable[[Numbers], Numbers]] = {
    "luminance": _luminance,
    "contrast": _contrast,
    "saturation": _saturation,
    "warmth": _warmth,
    "sharpness": _sharpness,
    "centre_x": _centre_x,
    "centre_y": _centre_y,
    "spread": _spread,
    "slant": _slant,
}
"""By name. Those of colour do not move in grey pictures."""
