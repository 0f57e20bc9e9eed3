"""The one contract of all forms of directions."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from latentwalk.gan.directions.slider import Slider
from latentwalk.gan.errors import (
    ClassMismatch,
    GanError,
    GeneratorMismatch,
    InvalidLatent,
    InvalidLayers,
    UnknownSlider,
)
from latentwalk.gan.spec import GeneratorSpec, JsonObject
from latentwalk.gan.steps import Steps, finish


@dataclass(frozen=True, eq=False)
class Path:
    """From alpha to the shift of the start: a tensor that can be added to it."""

    shift: Callable[[float], Steps[Tensor]]
    """The shift at this alpha, in as many steps as it takes."""

    @classmethod
    def at_once(cls, shift: Callable[[float], Tensor]) -> Self:
        """One whose shifts are had in a moment."""

        def shifted(alpha: float) -> Steps[Tensor]:
            return shift(alpha)
            yield  # makes it a generator, of no steps

        return cls(shifted)

    def __call__(self, alpha: float) -> Tensor:
        """The shift of the start at this alpha."""
        return finish(self.in_steps(alpha))

    def in_steps(self, alpha: float) -> Steps[Tensor]:
        """As a call, in steps."""
        shift = yield from self.shift(alpha)
        yield
        return shift

    def then(self, change: Callable[[Tensor], Tensor]) -> "Path":
        """The same path, with every shift changed."""

        def changed(alpha: float) -> Steps[Tensor]:
            return change((yield from self.shift(alpha)))

        return Path(changed)


@dataclass(frozen=True, eq=False)
class Direction(ABC):
    """Where to go in the latent space of one generator so that understandable things happen to the picture.

    A code is z [R, Z], w [R, W] or w+ [R, L, W]. Whatever the form of a direction, it sees the ``size`` numbers
    that it moves as one row [D]: in w+ those of its layers, one after the other. A row is moved to the same
    bits alone and in any batch (law 1).

    Raises GanError for sliders that are none or share a name, or for layers outside of w+, InvalidLatent for
    tensors that do not fit.
    """

    name: str
    generator_digest: str
    """The digest of the generator that it belongs to (law 2)."""
    sliders: tuple[Slider, ...]
    _: KW_ONLY
    space: str = "z"
    """The space that it moves codes of: "z", "w" or "w+"."""
    layers: tuple[int, ...] = ()
    """The layers of w+ that it moves; empty for all, and in the other spaces."""

    form: ClassVar[str]
    """Its name in FORMS."""
    is_dear: ClassVar[bool] = False
    """Whether a shift takes a network or many steps, and so more than a moment."""

    def __post_init__(self) -> None:
        names = [slider.name for slider in self.sliders]
        if not names:
            raise GanError(f"direction {self.name!r} has no sliders: it must have at least one")
        if len(set(names)) != len(names):
            raise GanError(f"sliders of direction {self.name!r} are {names}: two share a name")
        if self.layers and self.space != "w+":
            raise GanError(f"direction {self.name!r} in space {self.space} has layers {self.layers}: only w+ has them")
        if list(self.layers) != sorted({layer for layer in self.layers if type(layer) is int and layer >= 0}):
            raise GanError(f"layers of direction {self.name!r} are {self.layers}: they must rise from 0 or more")

    # -- what a form says -----------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def size(self) -> int:
        """D: how many numbers of a code it moves."""

    @property
    @abstractmethod
    def tensors(self) -> Mapping[str, Tensor]:
        """The tensors that an artifact of it holds; with ``config``, all that build needs."""

    @property
    def config(self) -> JsonObject:
        """What only the form understands, as JSON."""
        return {}

    @classmethod
    def build(cls, *, config: JsonObject, tensors: Mapping[str, Tensor], **common: Any) -> Self:
        """Builds the direction of an artifact; ``common`` are the fields of every form.

        Raises GanError, KeyError, TypeError or ValueError for what cannot be one.
        """
        fields: dict[str, Any] = {**config, **tensors, **common}
        return cls(**fields)

    @property
    @abstractmethod
    def rows(self) -> Mapping[str, Tensor]:
        """Those of the tensors of which row s is of slider s; all others, and ``config``, are of all sliders."""

    @abstractmethod
    def turned_rows(self) -> Mapping[str, Tensor]:
        """The rows of the sliders whose alphas are the opposite of these."""

    @abstractmethod
    def _flat_path(self, start: Tensor, slider: int) -> Path:
        """The path of rows [R, D]: from alpha to their shift, [R, D] or, if it is the same for all, [D]."""

    # -- walking --------------------------------------------------------------------------------------------------

    def path(self, start: Tensor, slider: int) -> Path:
        """The path on which a slider leads from a start, [R, Z] or [R, L, W].

        A direction in w moves the w of each layer of a w+, each as if it were alone. It remembers the steps that it has
        taken, so that the alphas of one walk are cheap in any order.
        """
        if self.space == "w" and start.ndim == 3:
            each = self._flat_path(start.flatten(0, 1), slider)
            # One for all, or one for each w.
            return each.then(lambda shift: shift if shift.ndim == 1 else shift.view(start.shape))
        if self.space != "w+":
            return self._flat_path(start, slider)
        layers = list(self.layers) or list(range(start.shape[1]))

        def in_its_layers(shift: Tensor) -> Tensor:
            moved = torch.zeros_like(start)
            moved[:, layers] = shift.unflatten(-1, (len(layers), start.shape[2]))
            return moved

        return self._flat_path(start[:, layers].flatten(1), slider).then(in_its_layers)

    def walk(self, code: Tensor, slider: int, alpha: float | Tensor) -> Tensor:
        """Moves a code, [R, Z] or [R, L, W], along one slider: by one alpha, or row by row by alphas [R]."""
        if not isinstance(alpha, Tensor):
            return code + self.path(code, slider)(alpha)
        rows = zip(code.split(1), alpha.tolist(), strict=True)
        return torch.cat([self.walk(row, slider, one) for row, one in rows])

    # -- checks ---------------------------------------------------------------------------------------------------

    def chosen_layers(self, layers: Sequence[int], spec: GeneratorSpec) -> tuple[int, ...]:
        """The layers of w+ that are moved when only these are to be, rising; empty for all that it moves.

        Raises InvalidLayers for a direction in z, which has no layers, and for a layer that the generator has not, that
        the direction does not move, or that is named twice.
        """
        if layers and self.space == "z":
            raise InvalidLayers(f"direction {self.name!r} moves z, which has no layers; leave them out")
        own, chosen = self.layers or range(spec.layers), set[int]()
        for layer in layers:
            if not 0 <= layer < spec.layers:
                raise InvalidLayers(f"{layer} must be from 0 to {spec.layers - 1}")
            if layer not in own:
                moves = f"only layers {', '.join(map(str, own))}"
                raise InvalidLayers(f"direction {self.name!r} moves {moves}, not {layer}; choose among them")
            if layer in chosen:
                raise InvalidLayers(f"{layer} is named twice; name it once")
            chosen.add(layer)
        return () if len(chosen) == len(own) else tuple(sorted(chosen))

    def slider_index(self, name: str) -> int:
        """Which slider has this name; "" means the first. Raises UnknownSlider."""
        names = tuple(slider.name for slider in self.sliders)
        if name and name not in names:
            raise UnknownSlider(name, names)
        return names.index(name) if name else 0

    def check_generator(self, digest: str) -> None:
        """Raises GeneratorMismatch unless the digest is that of the direction's own generator."""
        if digest != self.generator_digest:
            raise GeneratorMismatch(self.name, self.generator_digest, digest)

    def check_spec(self, spec: GeneratorSpec) -> None:
        """Raises InvalidLatent if the generator has not the space, the size or the classes that it needs."""
        what = f"direction {self.name!r}"
        needs = f"it moves {self.size} numbers in space {self.space}"
        if self.space not in spec.spaces:
            raise InvalidLatent(what, f"{needs}, its generator has {', '.join(spec.spaces)}")
        if self.size != (size := spec.size_of(self.space, len(self.layers))):
            raise InvalidLatent(what, f"{needs}, its generator has {size}")
        if self.layers and self.layers[-1] >= spec.layers:
            raise InvalidLatent(what, f"it moves layer {self.layers[-1]}, its generator has {spec.layers} layers")
        for slider in self.sliders:
            if slider.class_id is not None and slider.class_id >= spec.classes:
                needs = f"slider {slider.name!r} was found for class {slider.class_id}"
                raise InvalidLatent(what, f"{needs}, its generator has {spec.classes} classes")

    def check_class(self, slider: Slider, class_id: int | None) -> None:
        """Raises ClassMismatch if the slider was found for another class than this one; None is a mixture."""
        if slider.class_id not in (None, class_id):
            raise ClassMismatch(self.name, slider.name, slider.class_id, class_id)

    def _check_tensor(self, name: str, tensor: Tensor, *shape: int | str) -> None:
        """Raises InvalidLatent unless a tensor is finite float32 of this shape; a name stands for any length."""
        what, actual = f"{name} of direction {self.name!r}", list(tensor.shape)
        lengths = zip(actual, shape, strict=False)
        if len(actual) != len(shape) or not all(
            got == wanted or (isinstance(wanted, str) and got) for got, wanted in lengths
        ):
            raise InvalidLatent(what, f"the shape is {actual}, it must be [{', '.join(map(str, shape))}]")
        if tensor.dtype != torch.float32:
            raise InvalidLatent(what, f"the type is {tensor.dtype}, it must be torch.float32")
        if not tensor.isfinite().all():
            raise InvalidLatent(what, "there is NaN or infinity in it, it must be finite")
