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

_AXES = "axes"


class DeformingNetwork(nn.Module):
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
    """code + A(alpha reach e_s), where e_s is the axis of slider s (Voynov and Babenko 2020): by default the s-th.

    As in the paper, nothing ties A(0) to 0: a slider at alpha = 0 may move the code a little.
    """

    deformator: DeformingNetwork
    """A, in evaluation mode."""
    reach: float = 1.0
    """How far alpha = 1 is along the axis of a slider."""
    axes: Tensor | None = None
    """float32 [S, K], K the inputs of A: row s is e_s of slider s. None if it has a slider for each input."""

    form: ClassVar[str] = "deformed"
    is_dear: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.deformator.training:
            raise GanError(f"deformator of direction {self.name!r} is in training: bring it to evaluation mode")
        inputs = self.deformator.entry.in_features
        if self.axes is not None:
            self._check_tensor("axes", self.axes, len(self.sliders), inputs)
        elif inputs != len(self.sliders):
            has = f"its deformator has {inputs} inputs and it no axes"
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
        """The weights of A, and the axes if there are any. How many batches its normalisation has seen is of no use."""
        state = self.deformator.state_dict()
        weights = {name: tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")}
        return weights if self.axes is None else {**weights, _AXES: self.axes}

    @property
    def rows(self) -> Mapping[str, Tensor]:
        """{"axes"}."""
        weight = self.deformator.entry.weight
        axes = torch.eye(len(self.sliders), device=weight.device) if self.axes is None else self.axes
        return {_AXES: axes}

    def turned_rows(self) -> Mapping[str, Tensor]:
        """The opposite axes."""
        return {name: -axes for name, axes in self.rows.items()}

    @property
    def config(self) -> JsonObject:
        """{"reach"}."""
        return {"reach": self.reach}

    @classmethod
    def build(cls, *, config: JsonObject, tensors: Mapping[str, Tensor], **common: Any) -> Self:
        """Builds the direction of an artifact. Raises GanError or TypeError for what cannot be one."""
        weights = {name: tensor for name, tensor in tensors.items() if name != _AXES}
        fields: dict[str, Any] = {**config, "deformator": DeformingNetwork.from_tensors(weights), **common}
        return cls(**fields, axes=tensors.get(_AXES))

    def _flat_path(self, start: Tensor, slider: int) -> Path:
        # One row whatever the start: the shift is the same for all of them, and the same bits in any batch.
        if self.axes is None:
            axis = torch.zeros(1, len(self.sliders), device=self.deformator.entry.weight.device)
            axis[0, slider] = 1.0
        else:
            axis = self.axes[slider, None]

        def shift(alpha: float) -> Tensor:
            with torch.no_grad():
                return self.deformator(alpha * self.reach * axis)[0].to(start)

        return Path.at_once(shift)
