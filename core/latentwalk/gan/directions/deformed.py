"""The deformed form: a network that bends the axes of the sliders into the latent space."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from latentwalk.gan.directions.direction import Direction, Path
from latentwalk.gan.errors import GanError
from latentwalk.gan.spec import JsonObject


class Deformator(nn.Module):
    """The network A of Voynov and Babenko, "Unsupervised discovery of interpretable directions in the GAN latent
    space" (ICML 2020), as in its code: four layers, batch normalisation, ELU, sums of all layers before, and the
    input added at the end.

    Weights: entry [H, S], hidden.{0, 1} [H, H], exit [D, H], norms.{0, 1, 2}.
    """

    def __init__(self, sliders: int, size: int, width: int = 1_024) -> None:
        super().__init__()
        self.entry = nn.Linear(sliders, width)
        self.hidden = nn.ModuleList(nn.Linear(width, width) for _ in range(2))
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for _ in range(3))
        self.exit = nn.Linear(width, size)

    def forward(self, amounts: Tensor) -> Tensor:
        """Shifts [N, D] for the amounts [N, S] of the sliders; the input is cut, or filled up with zeros, to D."""
        total = self.entry(amounts)
        inner = F.elu(self.norms[0](total))
        for layer, norm in zip(self.hidden, self.norms[1:], strict=True):
            total = total + layer(inner)
            inner = F.elu(norm(total))
        surplus = self.exit.out_features - amounts.shape[1]
        return self.exit(inner) + F.pad(amounts, (0, surplus))

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> Self:
        """The network of these weights, frozen. Raises GanError for weights that are not of one."""
        try:
            (width, sliders), size = tensors["entry.weight"].shape, len(tensors["exit.weight"])
            with torch.device("meta"):
                network = cls(sliders, size, width)
            network.load_state_dict(dict(tensors), assign=True)
        except (KeyError, TypeError, ValueError, RuntimeError) as failure:
            raise GanError(f"the weights are not those of a deformator: {failure}") from failure
        return network.eval().requires_grad_(requires_grad=False)


@dataclass(frozen=True, eq=False)
class DeformedDirection(Direction):
    """code + A(alpha reach e_s), where e_s is the axis of slider s (Voynov and Babenko 2020).

    As in the paper, nothing ties A(0) to 0: a slider at alpha = 0 may move the code a little.
    """

    deformator: Deformator
    """A, in evaluation mode."""
    reach: float = 1.0
    """How far alpha = 1 is along the axis of a slider."""

    form: ClassVar[str] = "deformed"
    is_dear: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.deformator.training:
            raise GanError(f"deformator of direction {self.name!r} is in training: bring it to evaluation mode")
        if self.deformator.entry.in_features != len(self.sliders):
            has = f"its deformator has {self.deformator.entry.in_features} inputs"
            raise GanError(f"direction {self.name!r} has {len(self.sliders)} sliders, {has}: they must be as many")
        for name, tensor in self.tensors.items():
            self._check_tensor(name, tensor, *tensor.shape)
        if any((tensor < 0).any() for name, tensor in self.tensors.items() if name.endswith("running_var")):
            raise GanError(f"deformator of direction {self.name!r} has a variance below 0")
        if not 0 < self.reach < math.inf:
            raise GanError(f"reach of direction {self.name!r} is {self.reach!r}: it must be above 0")

    @property
    def size(self) -> int:
        """D: how many numbers of a code it moves."""
        return self.deformator.exit.out_features

    @property
    def tensors(self) -> Mapping[str, Tensor]:
        """The weights of A. How many batches its normalisation has seen is of no use to anyone."""
        state = self.deformator.state_dict()
        return {name: tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")}

    @property
    def config(self) -> JsonObject:
        """{"reach"}."""
        return {"reach": self.reach}

    @classmethod
    def build(cls, *, config: JsonObject, tensors: Mapping[str, Tensor], **common: Any) -> Self:
        """Builds the direction of an artifact. Raises GanError or TypeError for what cannot be one."""
        fields: dict[str, Any] = {**config, "deformator": Deformator.from_tensors(tensors), **common}
        return cls(**fields)

    def _flat_path(self, start: Tensor, slider: int) -> Path:
        def shift(alpha: float) -> Tensor:
            # One row whatever the start: the shift is the same for all of them, and the same bits in any batch.
            amounts = torch.zeros(1, len(self.sliders), device=self.deformator.entry.weight.device)
            amounts[0, slider] = alpha * self.reach
            with torch.no_grad():
                return self.deformator(amounts)[0].to(start)

        return Path(shift)
