"""Everything that can be wrong with what this package is given.

    GanError
    ├── UnknownName
    │   ├── UnknownFamily
    │   ├── UnknownEdit
    │   ├── UnknownForm
    │   └── UnknownSlider
    ├── UnknownArtifact
    ├── CorruptArtifact
    ├── CheckpointRefused
    ├── MissingBackbone
    ├── GeneratorMismatch
    ├── ClassMismatch
    ├── InvalidLatent
    ├── InvalidLayers
    ├── InvalidTruncation
    └── OutOfRange

Every message says what was wrong, where, the value and the limit, and what to do about it.
"""

from dataclasses import dataclass
from typing import ClassVar


class GanError(Exception):
    """The root: whatever is raised on purpose by latentwalk.gan."""


@dataclass(eq=False)
class UnknownName(GanError):
    """A name that stands in no table; ``existing`` are the names that do."""

    name: str
    existing: tuple[str, ...]
    what: ClassVar[str] = "name"

    def __str__(self) -> str:
        return f"unknown {self.what} {self.name!r}: use one of {', '.join(self.existing)}"


class UnknownFamily(UnknownName):
    """No generator family of this name."""

    what = "generator family"


class UnknownEdit(UnknownName):
    """No edit of this name."""

    what = "edit"


class UnknownForm(UnknownName):
    """No form of directions of this name."""

    what = "form of direction"


class UnknownSlider(UnknownName):
    """The direction has no slider of this name."""

    what = "slider"


@dataclass(eq=False)
class UnknownArtifact(GanError):
    """The store holds no such artifact; ``version`` is None when any version would have done.

    ``existing`` are the names of this kind (of directions those of the same generator, without its own), or, if the
    name exists, its versions.
    """

    kind: str
    name: str
    version: int | None
    existing: tuple[str, ...]

    def __str__(self) -> str:
        version = "" if self.version is None else f" version {self.version}"
        remedy = "train or pull one" if self.kind == "generators" else "train one"
        there = f"use one of {', '.join(self.existing)}" if self.existing else f"none is published yet, {remedy}"
        return f"no {self.name!r}{version} in {self.kind}: {there}"


@dataclass(eq=False)
class CorruptArtifact(GanError):
    """A file of an artifact is not what its manifest promised; restore it or publish the artifact again."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"corrupt artifact: {self.path}: {self.reason}; restore the file or publish the artifact again"


@dataclass(eq=False)
class CheckpointRefused(GanError):
    """A foreign checkpoint that cannot be read safely, or at all."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"refused checkpoint {self.path}: {self.reason}"


class MissingBackbone(GanError):
    """A measure without the weights, or the package, that it is taken with."""


@dataclass(eq=False)
class GeneratorMismatch(GanError):
    """A direction that was made for another generator (law 2): ``expected`` is the digest it is bound to."""

    direction: str
    expected: str
    actual: str
    version: int | None = None
    """Which version of the model the expected one is, where that is known."""

    def __str__(self) -> str:
        found = "" if self.version is None else f" (version {self.version} of the model)"
        return (
            f"direction {self.direction!r} belongs to the generator {self.expected}, not to {self.actual}: "
            f"serve that generator{found}, or train the direction for this one"
        )


@dataclass(eq=False)
class ClassMismatch(GanError):
    """A latent of another class than the ``expected`` one that the slider was found for; None is a mixture."""

    direction: str
    slider: str
    expected: int
    actual: int | None

    def __str__(self) -> str:
        actual = "a mixture of classes" if self.actual is None else f"class {self.actual}"
        return (
            f"slider {self.slider!r} of direction {self.direction!r} was found for class {self.expected}, "
            f"the latent is of {actual}"
        )


@dataclass(eq=False)
class InvalidLatent(GanError):
    """A tensor of the latent space that has a wrong shape or type, or is not finite."""

    what: str
    reason: str

    def __str__(self) -> str:
        return f"invalid {self.what}: {self.reason}"


@dataclass(eq=False)
class InvalidLayers(GanError):
    """Layers that a direction cannot be walked in."""

    reason: str

    def __str__(self) -> str:
        return f"invalid layers: {self.reason}"


@dataclass(eq=False)
class InvalidTruncation(GanError):
    """A truncation that a generator does not take."""

    part: str
    """Which part of it: psi, layers or threshold."""
    reason: str

    def __str__(self) -> str:
        return f"invalid truncation: {self.part} {self.reason}"


@dataclass(eq=False)
class OutOfRange(GanError):
    """A number outside its closed range [low, high]."""

    what: str
    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.what} is {self.value}: it must lie from {self.low} to {self.high}"
