"""The one contract of all generator families."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from latentwalk.gan.errors import GanError, InvalidLatent
from latentwalk.gan.spec import GeneratorSpec


class Generator(nn.Module, ABC):
    """A function from a latent, and a condition if it has classes, to a picture."""

    normalises_z: ClassVar[bool] = False
    """Whether every z is brought to one length, so that only its direction has a say."""

    def __init__(self, spec: GeneratorSpec) -> None:
        super().__init__()
        self.spec = spec
        self._frozen_digest: str | None = None

    @abstractmethod
    def forward(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """Draws pictures [N, C, H, W] in spec.range from z [N, Z] and a condition [N, K] whose rows sum to 1.

        The condition is None exactly when spec.classes is 0; else InvalidLatent is raised.
        """

    def map(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """The w+ [N, L, W] of z [N, Z] and a condition [N, K] or None.

        Raises InvalidLatent if the generator has no mapping network.
        """
        raise InvalidLatent("space", f"it is w+, the generator has {', '.join(self.spec.spaces)}")

    def synthesise(self, w_plus: Tensor, noise: Tensor | None = None) -> Tensor:
        """Draws pictures [N, C, H, W] from w+ [N, L, W]; all that is said of a class is in it.

        The noise is [N, P], as `noise`, for which None stands. Raises InvalidLatent if the generator has no mapping
        network.
        """
        raise InvalidLatent("space", f"it is w+, the generator has {', '.join(self.spec.spaces)}")

    @property
    def noise(self) -> Tensor:
        """The noise that belongs to the weights, [P] standard normal numbers; of a generator without noise, [0]."""
        return torch.empty(0, device=self.device)

    @property
    def noise_sizes(self) -> Sequence[int]:
        """How many numbers of `noise` each layer takes, from coarse to fine, as far as layers take any."""
        return ()

    @property
    def mean_w(self) -> Tensor:
        """The average w [W] over all z. Raises InvalidLatent if the generator has no mapping network."""
        raise InvalidLatent("space", f"it is w, the generator has {', '.join(self.spec.spaces)}")

    def encode(self, z: Tensor, space: str, condition: Tensor | None = None) -> Tensor:
        """The codes in a space, z [N, Z], w [N, W] or w+ [N, L, W], that z stands for. Raises InvalidLatent."""
        self.spec.size_of(space)
        if space == "z":
            return z
        w_plus = self.map(z, condition)
        return w_plus if space == "w+" else w_plus[:, 0]

    def draw(self, code: Tensor, space: str, condition: Tensor | None = None, noise: Tensor | None = None) -> Tensor:
        """Draws pictures [N, C, H, W] from codes z [N, Z], w [N, W] or w+ [N, L, W].

        The condition is for z only; in the others it has done its work. The noise is as for `synthesise`, for w and w+
        only. Raises InvalidLatent for a space that the generator has not.
        """
        self.spec.size_of(space)
        if space == "z":
            return self(code, condition)
        return self.synthesise(code[:, None].expand(-1, self.spec.layers, -1) if space == "w" else code, noise)

    @classmethod
    def from_checkpoint(
        cls, checkpoint: Mapping[str, Tensor], classes: int = 0, truncation: float | None = None
    ) -> Self:
        """The generator of a published checkpoint.

        Raises GanError if that is not of this family, or has weights that are integers or not finite.

        ``classes`` is how many of the inputs are a condition, where the shapes do not show it. ``truncation`` is the
        one that the generator is to stand for, by default the family's own; GanError if the family knows none.
        """
        weights = cls.translate(checkpoint)
        spec = cls.infer_spec(weights, classes)
        generator = cls(spec if truncation is None else spec.truncated(truncation))
        _check_numbers(generator, weights)
        generator.load_state_dict(weights)
        return generator

    @classmethod
    def translate(cls, checkpoint: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """A checkpoint in the names and the form of this family; by default it is so already. Raises GanError."""
        return checkpoint

    @classmethod
    @abstractmethod
    def infer_spec(cls, state_dict: Mapping[str, Tensor], classes: int = 0) -> GeneratorSpec:
        """Reads the spec off the tensors of a state dict. Raises GanError if they are not of this family."""

    @classmethod
    def check_layout(cls, spec: GeneratorSpec, state_dict: Mapping[str, Tensor]) -> None:
        """Raises GanError naming the first tensor that is missing, unknown or of another shape than the spec's."""
        with torch.device("meta"):
            expected = {name: tuple(tensor.shape) for name, tensor in cls(spec).state_dict().items()}
        actual = {name: tuple(tensor.shape) for name, tensor in state_dict.items()}
        for name in sorted(expected.keys() | actual.keys()):
            # Checkpoints older than torch 0.4.1 do not count batches; torch then starts from 0.
            optional = name.endswith("num_batches_tracked") and name not in actual
            if expected.get(name) != actual.get(name) and not optional:
                found, wanted = actual.get(name, "missing"), expected.get(name, "nothing")
                raise GanError(f"not a {spec.family} of {spec.classes} classes: {name} is {found}, expected {wanted}")

    def check_condition(self, condition: Tensor | None) -> None:
        """Raises InvalidLatent for a condition without classes, or for classes without one."""
        if (condition is None) != (self.spec.classes == 0):
            given = "none" if condition is None else "one"
            raise InvalidLatent("condition", f"{given} was given to a generator of {self.spec.classes} classes")

    def first_weights(self) -> Tensor:
        """How the latent first meets the network: the weights [F, Z] of its first layer, one row a feature.

        Raises GanError for a family that has no such layer.
        """
        raise GanError(f"a generator of family {self.spec.family} has no first layer of which the weights tell")

    def style_weights(self, layers: Sequence[int] = ()) -> Tensor:
        """How w meets the synthesis: the weights [F, W] of the styles of some layers, by default all, a row a feature.

        Raises InvalidLatent if the generator has no mapping network.
        """
        raise InvalidLatent("space", f"it is w, the generator has {', '.join(self.spec.spaces)}")

    def first_features(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """What the generator computes first: activations [N, F] of its first layer, of one with a mapping network w.

        Raises GanError for a family that has no such layer.
        """
        raise GanError(f"a generator of family {self.spec.family} has no first layer to look into")

    @property
    def device(self) -> torch.device:
        """Where its weights are: codes and conditions must be there, too."""
        return next(self.parameters()).device

    @property
    def digest(self) -> str:
        """The sha256 of spec and weights, as digest_of gives it.

        It is computed at each call while the weights may still change, and once by freeze(). A frozen
        generator keeps it when it is moved to another device, dtype or memory format: it is the same
        generator still.
        """
        return self._frozen_digest or digest_of(self.spec, self.state_dict())

    def freeze(self) -> Self:
        """Makes the generator ready to be used, not trained: evaluation mode, no gradients to the weights."""
        self.eval().requires_grad_(requires_grad=False)
        self._frozen_digest = digest_of(self.spec, self.state_dict())
        return self

    def thaw(self) -> None:
        """Forgets what was true only of weights that do not change."""
        self._frozen_digest = None

    def train(self, mode: bool = True) -> Self:
        """As nn.Module.train; training thaws a frozen generator."""
        if mode:
            self.thaw()
        return super().train(mode)

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """As nn.Module.load_state_dict; new weights thaw a frozen generator."""
        self.thaw()
        return super().load_state_dict(state_dict, strict, assign)


def _check_numbers(generator: Generator, weights: Mapping[str, Tensor]) -> None:
    """Raises GanError naming the first tensor of integers for numbers, or of numbers that are not finite."""
    for name, own in generator.state_dict().items():
        given = weights.get(name, own)
        if given.dtype != own.dtype and not given.is_floating_point():
            raise GanError(f"{name} of the checkpoint is of {given.dtype}: it must be of {own.dtype}")
        if not (finite := given.to(own.dtype).isfinite()).all():
            count = f"{int((~finite).sum())} of {finite.numel()} numbers"
            raise GanError(f"{name} of the checkpoint has {count} that are not finite: take one that can be drawn with")


def digest_of(spec: GeneratorSpec, tensors: Mapping[str, Tensor]) -> str:
    """The digest "sha256:<hex>" of a generator.

    It is taken over the canonical JSON of the spec and of the name, dtype and shape of each tensor, then over
    the bytes of the tensors: by name, row-major and little-endian, however they lie in memory.
    """
    ordered = sorted(tensors.items())
    forms = [[name, str(tensor.dtype).removeprefix("torch."), list(tensor.shape)] for name, tensor in ordered]
    header = json.dumps({"spec": spec.to_json(), "tensors": forms}, sort_keys=True, separators=(",", ":"))
    hasher = hashlib.sha256(header.encode())
    for _, tensor in ordered:
        hasher.update(tensor.detach().cpu().flatten().view(torch.uint8).numpy().data)
    return f"sha256:{hasher.hexdigest()}"
