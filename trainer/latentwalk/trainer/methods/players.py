"""How a generator of each family is trained: of what shape it is, and what it draws with.

StyleGAN as in Karras, Laine and Aila, "A style-based generator architecture for generative adversarial networks" (CVPR
2019): fresh noise for every picture, and mixing regularisation (section 3.1): some of the rows take the w of another
latent from a random layer on, so that no layer learns to rely on the others. Nothing grows while it is trained.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from latentwalk.gan.generator import Generator
from latentwalk.gan.spec import SPACES
from latentwalk.trainer.seat import Dice
from latentwalk.trainer.specs import GanFamily, GanSettings

MEAN_DECAY = 0.995
"""Of the moving average of w, at each step (appendix B: the code's w_avg_beta)."""


class Player(ABC):
    """A generator in training: how it draws in one step after the other."""

    betas: ClassVar[tuple[float, float]]
    """Of Adam, for this generator and its discriminator."""

    def __init__(self, generator: Generator, settings: GanSettings) -> None:
        self._generator = generator
        self._settings = settings

    @staticmethod
    @abstractmethod
    def shape(settings: GanSettings) -> Mapping[str, Any]:
        """What the spec of its generator says beside what all of them say."""

    def begin(self, z: Tensor, dice: Dice) -> None:  # noqa: B027 - a player may have nothing to draw
        """Draws what it needs besides the latents of a step; z [N, Z] are those at the seat of the dice."""

    @abstractmethod
    def draw(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """Pictures [R N, C, H, W] of latents [R N, Z]: those of the step, and R - 1 times the same ones moved."""

    def end(self, z: Tensor, condition: Tensor | None) -> None:  # noqa: B027 - a player may have nothing to follow
        """Follows what is to be known of the whole batch, z [M, Z] and its condition, of all seats."""


class DcganPlayer(Player):
    """A latent is all that it draws with."""

    betas = (0.5, 0.99)  # a mean of gradients over few steps: Radford et al. 2016, section 4

    @staticmethod
    def shape(settings: GanSettings) -> Mapping[str, Any]:
        """As Player."""
        return {"config": {"width": settings.width}}

    def draw(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """As Player."""
        return self._generator(z, condition)


class StyleGanPlayer(Player):
    """Noise, and styles of one latent or two. What is moved keeps its noise; its second latent is moved as far."""

    betas = (0.0, 0.99)  # no mean of gradients: Karras et al. 2018, appendix A.1

    @staticmethod
    def shape(settings: GanSettings) -> Mapping[str, Any]:
        """As Player."""
        config = {name: getattr(settings, name) for name in ("width", "max_width", "mapping_layers")}
        layers = 2 * settings.resolution.bit_length() - 4
        return {"config": config, "spaces": SPACES, "layers": layers, "w_size": settings.w_size}

    def begin(self, z: Tensor, dice: Dice) -> None:
        """Draws noise, second latents, and from which layer on each has a say; in a share of the rows."""
        spec, share = self._generator.spec, self._settings.style_mixing or 0.0
        second, noise = (_normal(len(z), size, dice) for size in (spec.latent_size, len(self._generator.noise)))
        first = dice.roll(len(z), lambda rows, random: torch.randint(1, spec.layers, (rows, 1), generator=random))
        mixed = dice.roll(len(z), lambda rows, random: torch.rand(rows, 1, generator=random)) < share
        given = mixed & (torch.arange(spec.layers) >= first)  # [N, L]
        self._z, self._second, self._given, self._noise = z, *(one.to(z.device) for one in (second, given, noise))

    def draw(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """As Player."""
        times = len(z) // len(self._z)
        w_plus = self._generator.map(z, condition)
        if self._settings.style_mixing:
            second = self._second.repeat(times, 1) + (z - self._z.repeat(times, 1))
            given = self._given.repeat(times, 1)[:, :, None]
            w_plus = torch.where(given, self._generator.map(second, condition), w_plus)
        return self._generator.synthesise(w_plus, self._noise.repeat(times, 1))

    @torch.no_grad()
    def end(self, z: Tensor, condition: Tensor | None) -> None:
        """Moves the average w."""
        mean = self._generator.map(z, condition)[:, 0].mean(dim=0)
        self._generator.mean_w.lerp_(mean, 1 - MEAN_DECAY)


PLAYERS: Mapping[GanFamily, type[Player]] = {GanFamily.DCGAN: DcganPlayer, GanFamily.STYLEGAN: StyleGanPlayer}
"""By the family in the spec of a job."""


def _normal(rows: int, size: int, dice: Dice) -> Tensor:
    return dice.roll(rows, lambda whole, random: torch.randn(whole, size, generator=random))
