"""Where shifts begin: latents, their classes and their pictures."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from latentwalk.gan.classifiers import Classifier
from latentwalk.gan.generator import Generator
from latentwalk.gan.latents import latents_from_seeds
from latentwalk.trainer import seeds
from latentwalk.trainer.networks.precision import reduced
from latentwalk.trainer.seat import Dice

ATTEMPTS = 8
"""The most latents that are tried for one row whose class is not sure."""


@dataclass(frozen=True, slots=True)
class Starts:
    """A batch of latents and what the generator draws for them, all where the generator is."""

    z: Tensor
    """[N, Z]."""
    condition: Tensor | None
    """[N, C]; None for a generator without classes."""
    classes: Tensor | None
    """int64 [N]; None where nobody knows them."""
    pictures: Tensor
    """[N, C, H, W]."""


class Source(ABC):
    """Draws starts for a frozen generator."""

    def __init__(self, generator: Generator) -> None:
        self.generator = generator

    def draw(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """Pictures float32 [N, C, H, W], about as fine as the eight bits in which they are served."""
        with reduced(z.device):
            return self.generator(z, condition).float()

    @abstractmethod
    def starts(self, row_seeds: Sequence[int], dice: Dice) -> Starts:
        """One start a seed; without gradients."""

    def _latents(self, row_seeds: Sequence[int]) -> Tensor:
        return latents_from_seeds(row_seeds, self.generator.spec).to(self.generator.device)


class Drawn(Source):
    """Of a conditional generator, classes are drawn uniformly from these, by default from all."""

    def __init__(self, generator: Generator, class_ids: Sequence[int] = ()) -> None:
        super().__init__(generator)
        self._class_ids = torch.tensor(list(class_ids) or list(range(generator.spec.classes)))

    @torch.no_grad()
    def starts(self, row_seeds: Sequence[int], dice: Dice) -> Starts:
        """As Source."""
        z, total = self._latents(row_seeds), self.generator.spec.classes
        if not total:
            return Starts(z, None, None, self.draw(z, None))
        count = len(self._class_ids)
        places = dice.roll(len(z), lambda whole, random: torch.randint(count, (whole,), generator=random))
        classes = self._class_ids[places].to(z.device)
        condition = F.one_hot(classes, total).float()
        return Starts(z, condition, classes, self.draw(z, condition))


class Classified(Source):
    """Of an unconditional generator, a classifier says which class a picture is.

    A latent of which it is less sure than ``confidence`` is drawn again, up to ATTEMPTS times; then the surest stays.
    """

    def __init__(self, generator: Generator, classifier: Classifier, confidence: float) -> None:
        super().__init__(generator)
        self._classifier = classifier
        self._confidence = confidence

    @torch.no_grad()
    def starts(self, row_seeds: Sequence[int], dice: Dice) -> Starts:
        """As Source."""
        z = self._latents(row_seeds)
        pictures = self.draw(z, None)
        sureness, classes = self._told(pictures)
        for attempt in range(1, ATTEMPTS):
            unsure = (sureness < self._confidence).nonzero()[:, 0]
            if not len(unsure):
                break
            others = self._latents([seeds.redrawn(row_seeds[row], attempt) for row in unsure.tolist()])
            drawn = self.draw(others, None)
            surer, told = self._told(drawn)
            better = surer > sureness[unsure]
            rows = unsure[better]
            z[rows], pictures[rows] = others[better], drawn[better]
            sureness[rows], classes[rows] = surer[better], told[better]
        return Starts(z, None, classes, pictures)

    def _told(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """How sure the classifier is of the likeliest class [N], and which that is, int64 [N]."""
        probabilities = self._classifier(pictures).softmax(dim=1)
        return probabilities.max(dim=1)
