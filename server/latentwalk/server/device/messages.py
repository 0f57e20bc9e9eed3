"""What the server asks of the device's process. Each request gets one reply: what it asks for, or an exception."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from latentwalk.gan.generator import Generator
from latentwalk.server.engine import Choice, Row
from latentwalk.server.engine.rows import stack

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Make:
    """Put a generator on the device, under a number of its own; the reply is the Choice by which it serves."""

    engine: int
    generator: Generator
    choice: Choice | None
    """How it served before; None to choose."""


@dataclass(frozen=True, slots=True)
class Draw:
    """Draw with the engine of that number; the reply is a list with a Picture for each row."""

    engine: int
    z: Array
    """float32 [N, Z]."""
    conditions: Array | None
    """float32 [N, K]; None for an unconditional generator."""
    strict: Sequence[bool]

    @classmethod
    def of(cls, engine: int, rows: Sequence[Row]) -> "Draw":
        """The request that draws these rows."""
        z, conditions = stack(rows)
        return cls(engine, z.numpy(), None if conditions is None else conditions.numpy(), [row.strict for row in rows])

    def rows(self) -> list[Row]:
        """The inverse of `of`."""
        z = torch.from_numpy(self.z)
        conditions = [None] * len(z) if self.conditions is None else torch.from_numpy(self.conditions)
        return [Row(*row) for row in zip(z, conditions, self.strict, strict=True)]


Request = Make | Draw

Sent = tuple[Sequence[int], Request]
"""On the wire, with the numbers of the engines that nobody will ask for any more."""
