"""What jobs do that train nothing: they look at weights, or at samples."""

from dataclasses import dataclass

from latentwalk.trainer.specs.bounds import count, maybe
from latentwalk.trainer.specs.job import MethodSettings
from latentwalk.trainer.specs.scores import Score

SAMPLES_PER_STEP = 500
"""Latents that are looked at in one step of a job."""


@dataclass(frozen=True, slots=True)
class SefaSpec(MethodSettings):
    """The eigenvectors of the generator's first weights, of one with styles of theirs."""

    directions: int = count(8, most=65_536)
    layers: tuple[int, ...] = ()
    """Of a generator with styles: those whose weights count, and that are moved; empty for all, by w."""

    @property
    def steps(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride] - it follows, nobody sets it
        """It is done at once."""
        return 1


@dataclass(frozen=True, slots=True)
class PcaSpec(MethodSettings):
    """The principal components of the generator's first features, of one with styles of w."""

    directions: int = count(8, most=65_536)
    layers: tuple[int, ...] = ()
    """Of a generator with styles: those that are moved; empty for all, by w."""
    samples: int = count(20_000, most=10_000_000)
    """Latents to look at."""
    class_ids: tuple[int, ...] = ()
    """Of a conditional generator, only these; empty for all."""

    @property
    def steps(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride] - it follows, nobody sets it
        """So many at a time."""
        return -(-self.samples // SAMPLES_PER_STEP)


@dataclass(frozen=True, slots=True)
class SliderReference:
    """One slider of a published direction of the same generator."""

    direction: str = ""
    slider: str = ""
    """May be empty when the direction has only one."""


@dataclass(frozen=True, slots=True)
class BoundarySpec(MethodSettings):
    """The normal of the plane between latents with a high and a low score."""

    score: Score | None = None
    """Never None when it is complete."""
    samples: int = count(0, least=100, most=10_000_000)
    """Latents to score; completed with 20,000, and with labels none."""
    fraction: float | None = maybe(0, 0.5, above=True)
    """Which part of them, at either end, is told apart; completed, but for labels of two scores: there it is all."""
    conditions: tuple[SliderReference, ...] = ()
    """Sliders that must not move with it."""
    space: str = "z"
    """In which the plane is: "z" or "w"."""
    class_ids: tuple[int, ...] = ()
    """Of a conditional generator, only these; empty for all. With labels the one that maps them to w, or empty."""

    @property
    def steps(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride] - it follows, nobody sets it
        """So many at a time; labels are there at once."""
        return -(-self.samples // SAMPLES_PER_STEP) or 1
