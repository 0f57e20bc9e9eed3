"""Less varied pictures of more even quality: of w where there is a mapping network, and else of z.

Shapes: N latents, L layers, W length of a w.
"""

from dataclasses import dataclass, fields
from typing import Self

import torch
from torch import Tensor

from latentwalk.gan.errors import InvalidTruncation
from latentwalk.gan.families import family_of
from latentwalk.gan.generator import Generator
from latentwalk.gan.spec import GeneratorSpec

_MOST_PSI = 2.0
_MOST_THRESHOLD = 100.0


@dataclass(frozen=True, slots=True)
class Truncation:
    """Of w by psi (Karras et al. 2019, appendix B), or of z by a threshold (Brock et al. 2019, section 3.1)."""

    psi: float | None = None
    """How much of the distance of w from the mean w is left, -2 to 2: 1 is all, 0 is the mean."""
    layers: int | None = None
    """Only the first so many layers are pulled; None for all."""
    threshold: float | None = None
    """The numbers of z are cut off at +- this, above 0, up to 100."""

    @property
    def name(self) -> str:
        """As in the names of measures: "psi=0.7", "psi=0.7,layers=8", "threshold=0.5"."""
        said = ((one.name, getattr(self, one.name)) for one in fields(self))
        return ",".join(f"{part}={value:g}" for part, value in said if value is not None)

    def of(self, spec: GeneratorSpec) -> Self:
        """The same, if a generator takes it.

        Raises InvalidTruncation for what it does not take, and without the psi or the threshold that it needs.
        """
        if spec.space == "z":
            self._check_threshold(spec)
            return self
        if self.threshold is not None:
            problem = "is for a generator that draws z itself; this one has a mapping network, give a psi"
            raise InvalidTruncation("threshold", problem)
        if self.psi is None:
            raise InvalidTruncation("psi", "is needed; leave the truncation out for w as it comes")
        if not -_MOST_PSI <= self.psi <= _MOST_PSI:
            raise InvalidTruncation("psi", f"{self.psi:g} must be from {-_MOST_PSI:g} to {_MOST_PSI:g}")
        if self.layers is not None and not 1 <= self.layers <= spec.layers:
            raise InvalidTruncation("layers", f"{self.layers} must be from 1 to {spec.layers}")
        return self

    def psis(self, layers: int) -> Tensor:
        """Psi in each of so many layers: [L]."""
        psis = torch.ones(layers)
        if self.psi is not None:
            psis[: self.layers] = self.psi
        return psis

    def encode(self, generator: Generator, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """The w+ [N, L, W] of z [N, Z] and a condition [N, K] or None, pulled by psi; as a generator has taken it."""
        w_plus = generator.map(z, condition)
        return pulled(w_plus, generator.mean_w, self.psis(generator.spec.layers).to(w_plus))

    def _check_threshold(self, spec: GeneratorSpec) -> None:
        for part in ("psi", "layers"):
            if getattr(self, part) is not None:
                problem = (
                    "is a matter of w, and the generator has no mapping network; give a threshold, which cuts off z"
                )
                raise InvalidTruncation(part, problem)
        if self.threshold is None:
            raise InvalidTruncation("threshold", "is needed; leave the truncation out for z as it comes")
        if problem := why_no_threshold(spec):
            raise InvalidTruncation("threshold", problem)
        if not 0 < self.threshold <= _MOST_THRESHOLD:
            problem = f"{self.threshold:g} must be above 0 and at most {_MOST_THRESHOLD:g}"
            raise InvalidTruncation("threshold", problem)


def why_no_threshold(spec: GeneratorSpec) -> str | None:
    """Why the latents of a generator that draws z itself are not cut off at will; None if they may be."""
    if spec.truncation is not None:
        keeps = f"the generator is normalised for truncation {spec.truncation:g}, to which its seeds keep"
        return f"{keeps}; leave it out, or import the generator for another one"
    if family_of(spec.family).normalises_z:
        return f"has no use: a {spec.family} brings every z to one length; leave it out"
    return None


def pulled(w_plus: Tensor, mean_w: Tensor, psis: Tensor) -> Tensor:
    """w+ [..., L, W] pulled towards the mean w [W], by a psi in each layer [..., L]."""
    psi = psis[..., None]
    if (psi == 1).all():
        return w_plus
    # Not a lerp throughout: a psi of 1 leaves every bit as it is.
    return torch.where(psi == 1, w_plus, mean_w + psi * (w_plus - mean_w))
