"""What tells the two sides of a boundary apart."""

from base64 import b64decode
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ClassifierScore:
    """A classifier's probability of one class."""

    classifier: str = ""
    class_id: int = 0


class DataType(StrEnum):
    """Of the numbers of Codes."""

    FLOAT32 = "float32"
    FLOAT16 = "float16"


@dataclass(frozen=True, slots=True)
class Codes:
    """A tensor of codes, as it came."""

    dtype: DataType | None = None
    """Never None when it is complete."""
    shape: tuple[int, ...] = ()
    data: str = field(default="", repr=False)
    """The numbers, row-major and little-endian, in base64."""

    @property
    def bytes(self) -> bytes:
        """Those of the numbers."""
        return b64decode(self.data)

    def array(self) -> NDArray[np.float32]:
        """The codes [N, D] of a complete spec."""
        return np.frombuffer(self.bytes, np.dtype(self.dtype).newbyteorder("<")).reshape(self.shape).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Labels:
    """Scores that were given elsewhere: to seeds, or to codes in z or in w."""

    seeds: tuple[int, ...] = field(default=(), repr=False)
    z: Codes | None = None
    w: Codes | None = None
    scores: tuple[float, ...] = field(default=(), repr=False)
    """One for each latent, in their order."""


@dataclass(frozen=True, slots=True)
class Score:
    """What latents are scored by: one of the three."""

    attribute: str = ""
    """A name in latentwalk.gan.attributes.ATTRIBUTES."""
    classifier: ClassifierScore | None = None
    labels: Labels | None = None

    def name(self, direction: str) -> str:
        """The name of the slider, of a direction of that name."""
        if self.labels:
            return direction
        return f"class.{self.classifier.class_id}" if self.classifier else self.attribute
