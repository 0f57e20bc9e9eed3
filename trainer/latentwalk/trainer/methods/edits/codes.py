"""The codes that a walk moves, and the pictures of them.

Shapes: N rows, Z length of a latent, L layers, W length of a w, K classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from latentwalk.gan.generator import Generator
from latentwalk.gan.latents import latents_from_seeds
from latentwalk.gan.truncations import Truncation


@dataclass(frozen=True, slots=True)
class Codes:
    """Those of a space under a truncation, as the server has them: w is truncated before it is moved, and of a z that
    is moved, what it is mapped to.
    """

    space: str
    truncation: Truncation | None = None

    def of_seeds(self, generator: Generator, seeds: Sequence[int], condition: Tensor | None) -> Tensor:
        """Z [N, Z], w [N, W] or w+ [N, L, W], where the generator is.

        They are w+ in w, too, where only some layers are truncated: no longer one w for all.
        """
        threshold = self.truncation and self.truncation.threshold
        z = latents_from_seeds(seeds, generator.spec, threshold).to(generator.device)
        if self.space == "z" or self._pull is None:
            return generator.encode(z, self.space, condition)
        w_plus = self._pull.encode(generator, z, condition)
        return w_plus[:, 0] if self.space == "w" and self._pull.layers is None else w_plus

    def draw(self, generator: Generator, code: Tensor, condition: Tensor | None) -> Tensor:
        """Pictures [N, C, H, W] of such codes."""
        if self.space == "z" and self._pull is not None:
            return generator.draw(self._pull.encode(generator, code, condition), "w+")
        return generator.draw(code, "w+" if code.ndim == 3 else self.space, condition)

    @property
    def _pull(self) -> Truncation | None:
        """The truncation, if it is one of w."""
        return None if self.truncation is None or self.truncation.psi is None else self.truncation
