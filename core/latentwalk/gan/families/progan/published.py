"""What published layouts have in common: how far they have grown, a first layer that convolves, biases of channels."""

from collections.abc import Mapping

from torch import Tensor

from latentwalk.gan.errors import GanError

GROWTH = "lod"
"""How many steps it is away from the full resolution, as a fraction while new layers fade in."""


def check_grown(checkpoint: Mapping[str, Tensor]) -> None:
    """Raises GanError for the weights of a network that does not draw at its full resolution yet."""
    steps = checkpoint.get(GROWTH)
    if steps is not None and bool((steps != 0).any()):
        left = ", ".join(f"{step:g}" for step in steps.flatten()[:3].tolist())
        raise GanError(f"not a progan that has grown: its {GROWTH} is {left}, at its full resolution it is 0")


def spread(bias: Tensor, index: int) -> Tensor:
    """The bias [C] of the channels of a layer in the form of ours: [C, 1, 1], and of the first one [C, 4, 4]."""
    if bias.ndim != 1:
        return bias
    return bias[:, None, None].expand(-1, 4, 4) if index == 0 else bias[:, None, None]


def dense(kernel: Tensor) -> Tensor:
    """[C, Z, 4, 4] -> [16 C, Z], of a convolution with one pixel in a border of 3: the kernel comes out upside down."""
    return kernel.flip(2, 3).permute(0, 2, 3, 1).flatten(0, 2) if kernel.ndim == 4 else kernel
