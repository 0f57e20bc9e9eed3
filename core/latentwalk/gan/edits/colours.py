"""Edits of the colour of pixels; all pixels stay valid, and nothing is clipped."""

from collections.abc import Callable

import torch
from torch import Tensor

from latentwalk.gan.edits.edit import Transform
from latentwalk.gan.errors import GanError

# Pictures are in (-1, 1): the full range from black to white.
_FULL_RANGE = 2.0

# sRGB (IEC 61966-2-1): linear light of red, green and blue to XYZ, white being that of D65.
_XYZ = torch.tensor(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]],
    dtype=torch.float64,
)
_WHITE = torch.tensor([0.950456, 1.0, 1.088754], dtype=torch.float64)
# CIE 1976: where the cube root gives way to a straight line.
_KNEE = 6 / 29


def brighten(channels: slice) -> Transform:
    """Adds the amount, in parts of the full range, to these channels."""

    def transform(pictures: Tensor, amounts: Tensor) -> tuple[Tensor, Tensor]:
        if channels != slice(None):
            check_colour(pictures)
        target = pictures.clone()
        target[:, channels] += _FULL_RANGE * amounts[:, None, None, None]
        return target, torch.ones_like(pictures[:, :1])

    return transform


def shift_lab(channel: int, full_range: float) -> Transform:
    """Adds the amount, in parts of the full range, to a channel of CIE L*a*b*, as the edit "colorlab" in the code of
    the paper.
    """

    def transform(pictures: Tensor, amounts: Tensor) -> tuple[Tensor, Tensor]:
        check_colour(pictures)
        lab = lab_of_rgb((pictures.double() + 1) / _FULL_RANGE)
        lab[:, channel] += full_range * amounts.double()[:, None, None]
        target = rgb_of_lab(lab) * _FULL_RANGE - 1
        return target.to(pictures), torch.ones_like(pictures[:, :1])

    return transform


def check_colour(pictures: Tensor) -> None:
    """Raises GanError unless the pictures [N, C, H, W] have red, green and blue."""
    if pictures.shape[1] != 3:
        raise GanError(f"pictures have {pictures.shape[1]} channels: red, green and blue need 3")


def mix(colours: Tensor, matrix: Tensor) -> Tensor:
    """Multiplies the channels of colours [N, 3, H, W] by a matrix, [3, 3] or [N, 3, 3]."""
    return (matrix.to(colours) @ colours.flatten(2)).view_as(colours)


def lab_of_rgb(rgb: Tensor) -> Tensor:
    """From sRGB [N, 3, H, W] in 0 to 1 to L* in 0 to 100, a* and b* about -128 to 127."""
    light = _joined(rgb > 0.04045, rgb, lambda x: ((x + 0.055) / 1.055) ** 2.4, lambda x: x / 12.92)
    xyz = mix(light, _XYZ / _WHITE[:, None])
    root = _joined(xyz > _KNEE**3, xyz, lambda x: x ** (1 / 3), lambda x: x / (3 * _KNEE**2) + 4 / 29)
    x, y, z = root.unbind(dim=1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=1)


def rgb_of_lab(lab: Tensor) -> Tensor:
    """The inverse of lab_of_rgb. Colours that sRGB has not lie outside 0 to 1, continued by the same curves."""
    lightness, a, b = lab.unbind(dim=1)
    y = (lightness + 16) / 116
    root = torch.stack([y + a / 500, y, y - b / 200], dim=1)
    xyz = _joined(root > _KNEE, root, lambda x: x**3, lambda x: 3 * _KNEE**2 * (x - 4 / 29))
    light = mix(xyz, torch.linalg.inv(_XYZ / _WHITE[:, None]))
    return _joined(light > 0.0031308, light, lambda x: 1.055 * x ** (1 / 2.4) - 0.055, lambda x: 12.92 * x)


def _joined(
    is_curved: Tensor, values: Tensor, curve: Callable[[Tensor], Tensor], line: Callable[[Tensor], Tensor]
) -> Tensor:
    """The curve where it is asked for, else the line; where it is not, the curve is not even defined."""
    return torch.where(is_curved, curve(values.where(is_curved, 1.0)), line(values))
