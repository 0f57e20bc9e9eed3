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

    code: Tensor
    """z [N, Z], or w [N, W]."""
    condition: Tensor | None
    """[N, C]; None for a generator without classes."""
    classes: Tensor | None
    """int64 [N]; None where nobody knows them."""
    pictures: Tensor
    """[N, C, H, W]."""


class Source(ABC):
    """Draws starts in one space of a frozen generator."""

    def __init__(self, generator: Generator, space: str = "z") -> None:
        self.generator, self.space = generator, space

    def draw(self, code: Tensor, condition: Tensor | None) -> Tensor:
        """Pictures float32 [N, C, H, W], about as fine as the eight bits in which they are served."""
        with reduced(code.device):
            return self.generator.draw(code, self.space, condition).float()

    @abstractmethod
    def starts(self, row_seeds: Sequence[int], dice: Dice) -> Starts:
        """One start a seed; without gradients."""

    def _codes(self, row_seeds: Sequence[int], condition: Tensor | None = None) -> Tensor:
        z = latents_from_seeds(row_seeds, self.generator.spec).to(self.generator.device)
        return self.generator.encode(z, self.space, condition)


class Drawn(Source):
    """Of a conditional generator, classes are drawn uniformly from these, by default from all."""

    def __init__(self, generator: Generator, class_ids: Sequence[int] = (), space: str = "z") -> None:
        super().__init__(generator, space)
        self._class_ids = torch.tensor(list(class_ids) or list(range(generator.spec.classes)))

    @torch.no_grad()
    def starts(self, row_seeds: Sequence[int], dice: Dice) -> Starts:
        """As Source."""
        total = self.generator.spec.classes
        if not total:
            code = self._codes(row_seeds)
            return Starts(code, None, None, self.draw(code, None))
        count = len(self._class_ids)
        places = dice.roll(len(row_seeds), lambda whole, random: torch.randint(count, (whole,), generator=random))
        classes = self._class_ids[places].to(self.generator.device)
        condition = F.one_hot(classes, total).float()
        code = self._codes(row_seeds, condition)
        return Starts(code, condition, classes, self.draw(code, condition))


class Classified(Source):
    """Of an unconditional generator, a classifier says which class a picture is.

    A latent of which it is less sure than ``confidence`` is drawn again, up to ATTEMPTS times; then the surest stays.
    """

    def __init__(self, generator: Generator, classifier: Classifier, confidence: float, space: str = "z") -> None:
        super().__init__(generator, space)
        self._classifier = classifier
        self._confidence = confidence

    @torch.no_grad()
    def starts(self, row_seeds: Sequence[int], dice: Dice) -> Starts:
        """As Source."""
        code = self._codes(row_seeds)
        pictures = self.draw(code, None)
        sureness, classes = self._told(pictures)
        for attempt in range(1, ATTEMPTS):
            unsure = (sureness < self._confidence).nonzero()[:, 0]
            if not len(unsure):
                break
            others = self._codes([seeds.redrawn(row_seeds[row], attempt) for row in unsure.tolist()])
            drawn = self.draw(others, None)
            surer, told = self._told(drawn)
            better = surer > sureness[unsure]
            rows = unsure[better]
            code[rows], pictures[rows] = others[better], drawn[better]
            sureness[rows], classes[rows] = surer[better], told[better]
        return Starts(code, None, classes, pictures)

    def _told(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """How sure the classifier is of the likeliest class [N], and which that is, int64 [N]."""
        probabilities = self._classifier(pictures).softmax(dim=1)
        return probabilities.max(dim=1)
