"""One bank of directions for all classes, and one for each (Kim and Lee)."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from latentwalk.trainer.networks.deformators import apart_from, orthonormal


class Banks(nn.Module):
    """N + 1 matrices with K orthonormal columns each: bank 0 is for all classes, bank 1 + c for class c.

    At first bank 0 are the first K axes of the latent space, and all others the K after them.
    """

    def __init__(self, size: int, classes: int, directions: int, orthogonality: str) -> None:
        super().__init__()
        axes = torch.eye(size, 2 * directions)
        self.common = nn.Parameter(axes[:, :directions].clone())
        self.own = nn.Parameter(axes[:, directions:].repeat(classes, 1, 1))
        self._settle = _OWN_BANKS[orthogonality]

    def forward(self) -> Tensor:
        """The matrices [N + 1, Z, K]."""
        common = orthonormal(self.common)
        return torch.cat([common[None], self._settle(common, self.own)])


def overlaps(banks: Tensor) -> Tensor:
    """W_G^T W_c [N, K, K] of banks [N + 1, Z, K]."""
    return banks[0].T @ banks[1:]


_OWN_BANKS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "hard": apart_from,
    "soft": lambda _, own: orthonormal(own),
    "none": lambda _, own: orthonormal(own),
}
"""How the banks of the classes come about, by the name of the orthogonality in the spec of a job."""
