"""How a generator of each family is trained: of what shape it is, and what it draws with.

Progressive GAN as in Karras, Aila, Laine and Lehtinen, "Progressive growing of GANs for improved quality, stability,
and variation" (ICLR 2018). StyleGAN as in Karras, Laine and Aila, "A style-based generator architecture for generative
adversarial networks" (CVPR 2019): fresh noise for every picture, and mixing regularisation (section 3.1): some of the
rows take the w of another latent from a random layer on, so that no layer learns to rely on the others. Both may grow
while they are trained, see networks.growth; the layers that draw smaller pictures are the player's alone.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor, nn

from latentwalk.gan.families.progan import ProGAN
from latentwalk.gan.families.scaled import Colours
from latentwalk.gan.families.stylegan import StyleGAN
from latentwalk.gan.families.stylegan.family import Synthesis
from latentwalk.gan.generator import Generator
from latentwalk.gan.spec import SPACES
from latentwalk.trainer.networks.growth import blended
from latentwalk.trainer.seat import Dice
from latentwalk.trainer.specs import GanFamily, GanSettings
from latentwalk.trainer.specs.growth import Stage

MEAN_DECAY = 0.995
"""Of the moving average of w, at each step (appendix B: the code's w_avg_beta)."""


class Player(nn.Module, ABC):
    """A generator in training: how it draws in one step after the other. Its average shows what has been learned."""

    betas: ClassVar[tuple[float, float]]
    """Of Adam, for this generator and its discriminator."""

    def __init__(self, generator: Generator, settings: GanSettings) -> None:
        super().__init__()
        self.generator = generator
        self._settings = settings

    @staticmethod
    @abstractmethod
    def shape(settings: GanSettings) -> Mapping[str, Any]:
        """What the spec of its generator says beside what all of them say."""

    def begin(self, z: Tensor, dice: Dice, stage: Stage) -> None:
        """Draws what it needs besides the latents of a step; z [N, Z] are those at the seat of the dice."""

    @abstractmethod
    def draw(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """Pictures [R N, C, H, W] of latents [R N, Z]: those of the step, and R - 1 times the same ones moved."""

    @abstractmethod
    def show(self, z: Tensor, condition: Tensor | None, stage: Stage) -> Tensor:
        """Pictures [N, C, H, W] of latents [N, Z] at a stage, drawn as the generator draws that is published."""

    def end(self, z: Tensor, condition: Tensor | None) -> None:
        """Follows what is to be known of the whole batch, z [M, Z] and its condition, of all seats."""


class DcganPlayer(Player):
    """A latent is all that it draws with. It does not grow."""

    betas = (0.5, 0.99)  # a mean of gradients over few steps: Radford et al. 2016, section 4

    @staticmethod
    def shape(settings: GanSettings) -> Mapping[str, Any]:
        """As Player."""
        return {"config": {"width": settings.width}}

    def draw(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """As Player."""
        return self.generator(z, condition)

    def show(self, z: Tensor, condition: Tensor | None, stage: Stage) -> Tensor:
        """As Player."""
        return self.generator(z, condition)


class Ladder(Protocol):
    """Layers of which two at a time double the resolution."""

    colours: Colours
    """What draws the pictures of the last."""

    @property
    def widths(self) -> list[int]:
        """The channels at 4x4, 8x8, ..., resolution."""
        ...


class GrowingPlayer(Player):
    """Layers that may come one resolution after the other."""

    betas = (0.0, 0.99)  # no mean of gradients: Karras et al. 2018, appendix A.1

    def __init__(self, generator: Generator, settings: GanSettings) -> None:
        super().__init__(generator, settings)
        channels, widths = generator.spec.channels, self._ladder.widths
        smaller = {4 << rung: width for rung, width in enumerate(widths) if 4 << rung >= settings.growth.start}
        smaller.pop(settings.resolution)  # these pictures the generator draws itself
        self.colours = nn.ModuleDict({str(size): Colours(width, channels) for size, width in smaller.items()})

    @property
    @abstractmethod
    def _ladder(self) -> Ladder:
        """The layers of its generator."""

    def _grown(self, features: Iterator[Tensor], share: float) -> Tensor:
        """Pictures [N, C, H, W] of the features of the layers that are there, of which the last have that share."""
        newest = deque(features, maxlen=3)
        fine = self._coloured(newest[-1])
        return fine if share == 1 else blended(self._coloured(newest[0]), fine, share)

    def _coloured(self, features: Tensor) -> Tensor:
        """The picture of the features of the last layer of a resolution."""
        resolution = features.shape[-1]
        if resolution == self.generator.spec.resolution:
            return self._ladder.colours(features)
        return self.colours[str(resolution)](features)


class ProGanPlayer(GrowingPlayer):
    """A latent is all that it draws with."""

    @staticmethod
    def shape(settings: GanSettings) -> Mapping[str, Any]:
        """As Player."""
        return {"config": {name: getattr(settings, name) for name in ("width", "max_width")}}

    def begin(self, z: Tensor, dice: Dice, stage: Stage) -> None:
        """As Player."""
        self._stage = stage

    def draw(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """As Player."""
        return self.show(z, condition, self._stage)

    def show(self, z: Tensor, condition: Tensor | None, stage: Stage) -> Tensor:
        """As Player."""
        return self._grown(self._ladder.features(z, condition, _layers(stage.resolution)), stage.share)

    @property
    def _ladder(self) -> ProGAN:
        assert isinstance(self.generator, ProGAN)  # noqa: S101 - by the table of players
        return self.generator


class StyleGanPlayer(GrowingPlayer):
    """Noise, and styles of one latent or two. What is moved keeps its noise; its second latent is moved as far."""

    @staticmethod
    def shape(settings: GanSettings) -> Mapping[str, Any]:
        """As Player."""
        config = {name: getattr(settings, name) for name in ("width", "max_width", "mapping_layers")}
        return {"config": config, "spaces": SPACES, "layers": _layers(settings.resolution), "w_size": settings.w_size}

    def begin(self, z: Tensor, dice: Dice, stage: Stage) -> None:
        """Draws noise, second latents, and from which layer on each has a say; in a share of the rows."""
        share, layers = self._settings.style_mixing or 0.0, _layers(stage.resolution)
        pixels = sum(layer.noise.numel() for layer in self._ladder.styled_layers[:layers])
        second, noise = (_normal(len(z), size, dice) for size in (self.generator.spec.latent_size, pixels))
        first = dice.roll(len(z), lambda rows, random: torch.randint(1, layers, (rows, 1), generator=random))
        mixed = dice.roll(len(z), lambda rows, random: torch.rand(rows, 1, generator=random)) < share
        given = mixed & (torch.arange(layers) >= first)  # [N, L], of the layers that are there
        self._stage, self._z = stage, z
        self._second, self._given, self._noise = (one.to(z.device) for one in (second, given, noise))

    def draw(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """As Player."""
        times = len(z) // len(self._z)
        w_plus = self._map(z, condition, self._stage)
        if self._settings.style_mixing:
            second = self._second.repeat(times, 1) + (z - self._z.repeat(times, 1))
            given = self._given.repeat(times, 1)[:, :, None]
            w_plus = torch.where(given, self._map(second, condition, self._stage), w_plus)
        return self._synthesise(w_plus, self._noise.repeat(times, 1), self._stage)

    def show(self, z: Tensor, condition: Tensor | None, stage: Stage) -> Tensor:
        """As Player."""
        return self._synthesise(self._map(z, condition, stage), None, stage)

    @torch.no_grad()
    def end(self, z: Tensor, condition: Tensor | None) -> None:
        """Moves the average w."""
        mean = self.generator.map(z, condition)[:, 0].mean(dim=0)
        self.generator.mean_w.lerp_(mean, 1 - MEAN_DECAY)

    @property
    def _ladder(self) -> Synthesis:
        assert isinstance(self.generator, StyleGAN)  # noqa: S101 - by the table of players
        return self.generator.synthesis

    def _map(self, z: Tensor, condition: Tensor | None, stage: Stage) -> Tensor:
        """w+ [N, L, W] of the layers that are there."""
        return self.generator.map(z, condition)[:, : _layers(stage.resolution)]

    def _synthesise(self, w_plus: Tensor, noise: Tensor | None, stage: Stage) -> Tensor:
        """Pictures [N, C, H, W] of w+ [N, L, W] and noise [N, P], both of the layers that are there."""
        return self._grown(self._ladder.features(w_plus, noise), stage.share)


PLAYERS: Mapping[GanFamily, type[Player]] = {
    GanFamily.DCGAN: DcganPlayer,
    GanFamily.PROGAN: ProGanPlayer,
    GanFamily.STYLEGAN: StyleGanPlayer,
}
"""By the family in the spec of a job."""


def _normal(rows: int, size: int, dice: Dice) -> Tensor:
    return dice.roll(rows, lambda whole, random: torch.randn(whole, size, generator=random))


def _layers(resolution: int) -> int:
    """How many there are up to that resolution, two at each from 4 on."""
    return 2 * resolution.bit_length() - 4
