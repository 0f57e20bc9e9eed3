"""How well a walk imitates its edit."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from latentwalk.gan.directions import Slider
from latentwalk.gan.edits import Edit, masked_squared_error


class Imitation(nn.Module):
    """Gathers, at every alpha of a slider, the errors against edited pictures: of walked, and of untouched ones."""

    errors: Tensor
    baselines: Tensor

    def __init__(self, slider: Slider, edit: Edit, alphas: Sequence[float]) -> None:
        super().__init__()
        self._edit, self._amounts = edit, [slider.amount_of(alpha) for alpha in alphas]
        for name in ("errors", "baselines"):
            self.register_buffer(name, torch.zeros(len(alphas), dtype=torch.float64))

    def add(self, place: int, untouched: Tensor, walked: Tensor) -> None:
        """Compares pictures [N, C, H, W], walked by one of the alphas, with the edits of untouched ones."""
        target, mask = self._edit(untouched, torch.full((len(walked),), self._amounts[place]))
        for sums, pictures in ((self.errors, walked), (self.baselines, untouched)):
            sums[place] += masked_squared_error(pictures, target, mask).double().sum().cpu()

    def measures(self, place: int, samples: int) -> Mapping[str, float]:
        """What the edit asks for at that alpha, and how near the walk comes; no errors where nothing is left."""
        error, baseline = self.errors[place].item() / samples, self.baselines[place].item() / samples
        near = {"error": error, "baseline": baseline, "gain": 1 - error / baseline} if baseline else {}
        return {"amount": self._amounts[place], **near}
