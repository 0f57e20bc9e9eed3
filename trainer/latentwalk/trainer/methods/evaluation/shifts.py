"""How far a walk shifts plain attributes of pictures."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn


class Shifts(nn.Module):
    """Gathers the attributes at every alpha of a slider, the first of which, place 0, is that of untouched pictures."""

    sums: Tensor
    squares: Tensor

    def __init__(self, names: Sequence[str], alphas: int) -> None:
        super().__init__()
        self.names = names
        for name in ("sums", "squares"):
            self.register_buffer(name, torch.zeros(len(names), alphas, dtype=torch.float64))

    def add(self, place: int, seen: Mapping[str, Tensor]) -> None:
        """Adds the attributes [N] of some pictures at an alpha."""
        for row, name in enumerate(self.names):
            values = seen[name].double()
            self.sums[row, place] += values.sum().cpu()
            self.squares[row, place] += values.square().sum().cpu()

    def measures(self, place: int, samples: int) -> Mapping[str, float]:
        """How far they shift in the mean, in their deviations among untouched pictures, if they have any."""
        shifts: dict[str, float] = {}
        for row, name in enumerate(self.names):
            mean = self.sums[row, 0].item() / samples
            variance = self.squares[row, 0].item() / samples - mean**2
            if variance > 0:
                shifts[f"{name}_shift"] = (self.sums[row, place].item() / samples - mean) / variance**0.5
        return shifts
