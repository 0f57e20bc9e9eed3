"""What the clients saw."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """One picture that came back: of a latent alone, or of one frame of a walk that starts from it."""

    seed: int
    frame: int
    seconds: float
    """From asking for it, or for the walk that it belongs to, until it was there."""
    picture: bytes


@dataclass(frozen=True, slots=True)
class Measured:
    """The pictures that came back in the time that counts, and how long that was."""

    answers: Sequence[Answer]
    seconds: float
    busy: float
    """The seconds of CPU that the clients' process spent on it."""

    @property
    def cost(self) -> float:
        """The seconds of CPU that a picture cost the clients."""
        return self.busy / len(self.answers) if self.answers else math.inf

    @property
    def rate(self) -> float:
        """Pictures per second."""
        return len(self.answers) / self.seconds

    def latency(self, percent: float) -> float:
        """A percentile of the seconds until the first picture of an answer."""
        return percentile([answer.seconds for answer in self.answers if answer.frame == 0], percent)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request of an open loop."""

    seed: int
    status: str
    """The name of its gRPC status."""
    due: float
    """When it was to leave, in seconds from the start."""
    seconds: float
    """From when it was due, not from when it left, until its answer was there."""
    late: float
    """How many of these seconds the client itself was late."""
    pictures: Sequence[bytes]


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that so many percent of the values do not exceed; infinity if there are none."""
    if not values:
        return math.inf
    return sorted(values)[max(0, math.ceil(percent / 100 * len(values)) - 1)]
