"""Plain attributes of pictures: numbers that need no network to read them off."""

from collections.abc import Callable, Mapping

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
    return ATTRIBUTES[name](pictures)


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


ATTRIBUTES: Mapping[str, Callable[[Tensor], Tensor]] = {
    "luminance": lambda pictures: _luma(pictures).mean(dim=(1, 2)),
    "contrast": lambda pictures: _luma(pictures).flatten(1).std(dim=1),
    "red": _channel(0),
    "green": _channel(1),
    "blue": _channel(2),
    "saturation": _saturation,
}
COLOURED = frozenset({"red", "green", "blue", "saturation"})
"""Those that need three channels."""
