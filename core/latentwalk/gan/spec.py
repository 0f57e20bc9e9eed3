"""What a generator is, apart from its weights."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, cast

from latentwalk.gan.errors import GanError, InvalidLatent, OutOfRange

JsonScalar: TypeAlias = str | int | float | bool | None
JsonObject: TypeAlias = Mapping[str, Any]

# Wide enough for every published generator, narrow enough that a spec from outside cannot ask for all memory.
LIMITS = {
    "latent_size": (1, 65_536),
    "classes": (0, 65_536),
    "resolution": (8, 4_096),
    "channels": (1, 64),
    "layers": (0, 64),
    "w_size": (0, 65_536),
}

# Which latent spaces a generator may have: all of them if it has a mapping network, else only the first.
SPACES = ("z", "w", "w+")


@dataclass(frozen=True, slots=True)
class GeneratorSpec:
    """The shape of a generator: enough, together with the weights, to build it again.

    Raises OutOfRange for a number outside LIMITS, and GanError for a picture range that is not low < high, for a
    truncation that is not in (0, 1], or for spaces that do not go with layers and w_size.
    """

    family: str
    """A name that families.family_of knows."""
    latent_size: int
    """Z, the length of a sampled latent."""
    classes: int
    """K, the number of classes; 0 for an unconditional generator."""
    resolution: int
    """H and W of a picture, in pixels."""
    channels: int
    """C: 1 for grey, 3 for colour."""
    config: Mapping[str, JsonScalar] = field(hash=False)
    """What only the family understands, such as {"width": 64}."""
    range: tuple[float, float] = (-1.0, 1.0)
    """The values of black and of white."""
    spaces: tuple[str, ...] = ("z",)
    """The latent spaces that the generator has: ("z",), or ("z", "w", "w+") with a mapping network."""
    layers: int = 0
    """L, how many w the synthesis takes; 0 without a mapping network."""
    w_size: int = 0
    """W, the length of a w; 0 without a mapping network."""
    truncation: float | None = None
    """t in (0, 1] of a family that is normalised for one: its latents are t times standard normal ones cut off at
    +-2. None for a family that knows none: its latents are standard normal."""

    def __post_init__(self) -> None:
        for name, (low, high) in LIMITS.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise OutOfRange(f"{name} of the generator", value, low, high)
        if not self.range[0] < self.range[1]:
            raise GanError(f"range of the generator is {self.range}: black must be less than white")
        if self.truncation is not None and not 0 < self.truncation <= 1:
            raise GanError(f"truncation of the generator is {self.truncation}: it must be above 0 and at most 1")
        has_mapping = self.layers > 0 and self.w_size > 0
        if self.spaces != (SPACES if has_mapping else SPACES[:1]) or (self.layers > 0) != (self.w_size > 0):
            has = f"{self.layers} layers of w of size {self.w_size}"
            raise GanError(f"spaces of the generator are {self.spaces}, with {has}: they do not go together")

    @property
    def space(self) -> str:
        """The space of what is drawn from in the end: "w+" with a mapping network, else "z"."""
        return self.spaces[-1]

    def truncated(self, truncation: float) -> "GeneratorSpec":
        """The same with another truncation. Raises GanError if its family knows none, or for one not in (0, 1]."""
        if self.truncation is None:
            raise GanError(f"truncation of the generator is {truncation}: the family {self.family} knows none, omit it")
        return replace(self, truncation=truncation)

    def size_of(self, space: str, layers: int = 0) -> int:
        """How many numbers a code of this space has; in w+, of so many layers, by default of all.

        Raises InvalidLatent for a space that the generator has not.
        """
        if space not in self.spaces:
            raise InvalidLatent("space", f"it is {space}, the generator has {', '.join(self.spaces)}")
        return {"z": self.latent_size, "w": self.w_size, "w+": (layers or self.layers) * self.w_size}[space]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, the inverse of from_json.

        Nothing is said of a mapping network or a truncation that it has not: digests stay.
        """
        mapping = {"layers": self.layers, "w_size": self.w_size} if self.layers else {}
        truncation = {} if self.truncation is None else {"truncation": self.truncation}
        return {
            "family": self.family,
            "latent_size": self.latent_size,
            "classes": self.classes,
            "resolution": self.resolution,
            "channels": self.channels,
            "config": dict(self.config),
            "range": list(self.range),
            "spaces": list(self.spaces),
            **mapping,
            **truncation,
        }

    @classmethod
    def from_json(cls, document: JsonObject) -> "GeneratorSpec":
        """Builds the spec that to_json wrote. Raises GanError naming what is malformed."""
        if not _is_object(document) or document.keys() - _OPTIONAL != _FORMS.keys() - _OPTIONAL:
            raise GanError(f"a generator spec must be an object of {', '.join(_FORMS)}, not {document!r}")
        for name in document:
            if not _FORMS[name](document[name]):
                raise GanError(f"{name} of the generator spec is malformed: {document[name]!r}")
        black, white = document["range"]
        fields: dict[str, Any] = {**document}
        fields["range"], fields["spaces"] = (float(black), float(white)), tuple(document["spaces"])
        if "truncation" in document:
            fields["truncation"] = float(document["truncation"])
        return cls(**fields)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_count(value: object) -> bool:
    return type(value) is int


def _is_number(value: object) -> bool:
    return type(value) in (int, float)


def _is_object(value: object) -> bool:
    return isinstance(value, Mapping)


def _is_config(value: object) -> bool:
    return isinstance(value, Mapping) and all(isinstance(one, JsonScalar) for one in cast("JsonObject", value).values())


def _is_range(value: object) -> bool:
    return isinstance(value, list) and [_is_number(one) for one in cast("list[Any]", value)] == [True] * 2


def _is_names(value: object) -> bool:
    return isinstance(value, list) and len(names := cast("list[Any]", value)) > 0 and all(map(_is_text, names))


_FORMS: dict[str, Callable[[object], bool]] = {
    "family": _is_text,
    "latent_size": _is_count,
    "classes": _is_count,
    "resolution": _is_count,
    "channels": _is_count,
    "config": _is_config,
    "range": _is_range,
    "spaces": _is_names,
    "layers": _is_count,
    "w_size": _is_count,
    "truncation": _is_number,
}
# What a spec says only if there is a mapping network, or a truncation.
_OPTIONAL = {"layers", "w_size", "truncation"}
