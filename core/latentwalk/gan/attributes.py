"""Plain attributes of pictures: numbers that need no network to read them off."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from latentwalk.gan.errors import GanError

# ITU-R BT.601: how much each channel counts for the eye.
_LUMA = (0.299, 0.587, 0.114)


def attribute(name: str, pictures: Tensor) -> Tensor:
    """The attribute of each of the pictures [N, C, H, W] in (-1, 1): a score [N] that rises with it.

    Raises GanError for a name that is not in ATTRIBUTES, and for a colour that grey has not.
    """
    if name not in ATTRIBUTES:
        raise GanError(f"attribute is {name!r}: use one of {', '.join(ATTRIBUTES)}")
    if name in COLOURED and pictures.shape[1] != 3:
        raise GanError(f"attribute {name!r} needs pictures of 3 channels, these have {pictures.shape[1]}")
    return attributes((name,), pictures)[name]


def attributes(names: Sequence[str], pictures: Tensor) -> dict[str, Tensor]:
    """Several at once, by name, of those that the pictures have: what stands out in them is looked for only once."""
    found = {name: _PLAIN[name](pictures) for name in names if name in _PLAIN}
    if moments := [name for name in names if name in _MOMENTS]:
        weights, x, y = _masses(pictures)
        found |= {name: (weights * _MOMENTS[name](x, y)).sum(dim=(1, 2)) for name in moments}
    return found


def _luma(pictures: Tensor) -> Tensor:
    """[N, H, W]."""
    if pictures.shape[1] != 3:
        return pictures.mean(dim=1)
    return (pictures * pictures.new_tensor(_LUMA)[:, None, None]).sum(dim=1)


def _channel(index: int) -> Callable[[Tensor], Tensor]:
    """How far a channel outshines the mean of all."""
    return lambda pictures: (pictures[:, index] - pictures.mean(dim=1)).mean(dim=(1, 2))


def _saturation(pictures: Tensor) -> Tensor:
    return (pictures.amax(dim=1) - pictures.amin(dim=1)).mean(dim=(1, 2))


def _masses(pictures: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """How much each pixel stands out [N, H, W], by how far it is from the median of its picture; 1 in each picture.

    And the coordinates of pixels, -1 to 1: x [W], to the right, and y [H, 1], down.
    """
    grey = pictures.mean(dim=1)
    away = (grey - _median(grey.flatten(1))[:, None, None]).abs() + 1e-9
    y, x = (torch.linspace(-1, 1, size, dtype=grey.dtype, device=grey.device) for size in grey.shape[1:])
    return away / away.sum(dim=(1, 2), keepdim=True), x, y[:, None]


def _median(rows: Tensor) -> Tensor:
    """Of rows [N, M]: [N]; between the two in the middle, of which torch's own takes the lower."""
    return (rows.median(dim=1).values - (-rows).median(dim=1).values) / 2


_PLAIN: Mapping[str, Callable[[Tensor], Tensor]] = {
    "luminance": lambda pictures: _luma(pictures).mean(dim=(1, 2)),
    "contrast": lambda pictures: _luma(pictures).flatten(1).std(dim=1),
    "red": _channel(0),
    "green": _channel(1),
    "blue": _channel(2),
    "saturation": _saturation,
}
_MOMENTS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "centre_x": lambda x, y: x,
    "centre_y": lambda x, y: y,
    "spread": torch.hypot,
    "slant": torch.mul,
}
"""Of x and y, the means over what stands out: where it is, how large, how turned. As the SDK compares directions by."""

ATTRIBUTES = (*_PLAIN, *_MOMENTS)
COLOURED = frozenset({"red", "green", "blue", "saturation"})
"""Those that need three channels."""


def attributes_of(channels: int) -> tuple[str, ...]:
    """The names of those that pictures of so many channels have."""
    return tuple(name for name in ATTRIBUTES if channels == 3 or name not in COLOURED)
