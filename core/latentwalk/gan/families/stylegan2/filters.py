"""The filters that published layouts keep beside the weights."""

import torch
from torch import Tensor

from latentwalk.gan.errors import GanError
from latentwalk.gan.families.stylegan2.layers import low_pass


def check_filter(name: str, kernel: Tensor) -> None:
    """Raises GanError for another filter than [1, 3, 3, 1] either way, whatever its gain."""
    whole = kernel.sum()
    if kernel.shape != (4, 4) or not torch.allclose(kernel / whole, low_pass(1).to(kernel), atol=1e-6):
        raise GanError(f"not a stylegan2: {name} is another filter than [1, 3, 3, 1], the only one that is drawn with")
