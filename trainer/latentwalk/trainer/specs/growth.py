"""When a generator and its discriminator grow: both begin with small pictures, and layers that double them fade in.

Karras, Aila, Laine and Lehtinen, "Progressive growing of GANs for improved quality, stability, and variation" (ICLR
2018), section 2; how they grow is in networks.growth.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stage:
    """How far both players have grown."""

    resolution: int
    """Pixels a side of the pictures that they play with."""
    share: float = 1.0
    """The alpha of the paper: that of the newest layers, above 0; the rest is that of pictures half as large, doubled.
    1 once they have faded in."""


@dataclass(frozen=True, slots=True)
class Growth:
    """When they grow: each resolution is held for so many steps, and then the next fades in. The last is never left."""

    start: int
    """Pixels a side at first; as many as at the end for players that do not grow."""
    resolution: int
    """Pixels a side at the end; both are powers of two."""
    fade_steps: int
    stable_steps: int

    @property
    def doublings(self) -> int:
        """How many resolutions come after the first."""
        return (self.resolution // self.start).bit_length() - 1

    @property
    def grown_at(self) -> int:
        """The first step at which all layers have faded in."""
        return self.doublings * (self.stable_steps + self.fade_steps)

    def stage(self, step: int) -> Stage:
        """That of a step, counted from 0; the share rises along a line, and nears 0 and 1 by the same at its ends."""
        if step >= self.grown_at:
            return Stage(self.resolution)
        doubled, into = divmod(step, self.stable_steps + self.fade_steps)
        held = self.start << doubled
        if into < self.stable_steps:
            return Stage(held)
        return Stage(2 * held, (into - self.stable_steps + 1) / (self.fade_steps + 1))
