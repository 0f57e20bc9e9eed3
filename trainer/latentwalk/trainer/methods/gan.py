"""Generators, trained as one of two players, from nothing or on from a published one.

Goodfellow et al., "Generative adversarial nets" (2014); the networks of Radford et al., "Unsupervised representation
learning with deep convolutional generative adversarial networks" (DCGAN, 2016), or those of Karras et al. (StyleGAN,
2019), see methods.players; the games are in networks.games.
"""

from collections.abc import Callable, Mapping
from typing import Self

from torch import Tensor

from latentwalk.trainer.data import Pictures
from latentwalk.trainer.materials import Materials, Parent
from latentwalk.trainer.methods.match import Match
from latentwalk.trainer.methods.method import Method, Outcome
from latentwalk.trainer.reports import Sample
from latentwalk.trainer.seat import ONLY_SEAT, Seat
from latentwalk.trainer.specs import GanSpec, JobSpec


class Gan(Method):
    """The game alone; the moving average of the generator is published."""

    def __init__(
        self, spec: JobSpec[GanSpec], pictures: Pictures, seat: Seat = ONLY_SEAT, parent: Parent | None = None
    ) -> None:
        gan = spec.settings.gan
        self._match = Match(gan, pictures, spec.seed, seat, parent)
        self.steps, self.pictures = gan.steps, {"train": pictures}
        self.trained = self._match
        self.phases = self._match.phases(self.losses)

    @classmethod
    def prepare(cls, spec: JobSpec[GanSpec], materials: Materials) -> Self:
        """On the pictures of the spec, from the generator that it starts from."""
        gan = spec.settings.gan
        pictures = materials.pictures(gan.data, "train", gan.resolution)
        return cls(spec, pictures, materials.seat, materials.parent(gan))

    def before_step(self, step: int) -> None:
        """Draws the pictures and latents of the step."""
        self._match.begin(step, self.phases)

    def losses(self, step: int) -> Mapping[str, Tensor]:
        """The generator's loss in the game."""
        return self._match.plain_losses()

    def after_step(self, step: int) -> None:
        """Moves the averages."""
        self._match.end()

    def sample(self, step: int) -> Sample | None:
        """Sheets of what the average draws."""
        return self._match.sample(step)

    def outcome(self, pause: Callable[[], None]) -> Outcome:
        """The average."""
        return Outcome((self._match.averaged.freeze(),), data=self.data, parent=self._match.parent)
