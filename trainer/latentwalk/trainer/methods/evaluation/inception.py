"""How real the pictures of a generator look, by the distances that papers give.

Fréchet Inception distance (Heusel et al. 2017) and kernel Inception distance (Binkowski et al. 2018), between drawn
pictures and all of those that generators are trained on; and, in the same features, the precision and the recall of
Kynkäänniemi et al. (2019), who take those of VGG-16. Both sets are looked at step by step, so that a job that is
interrupted knows what it has seen.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from latentwalk.gan.inception import FEATURES, Inception
from latentwalk.gan.likeness import Moments, frechet_distance, kernel_distance
from latentwalk.gan.manifolds import Manifold, precision_and_recall
from latentwalk.trainer import seeds
from latentwalk.trainer.data import Pictures
from latentwalk.trainer.methods.evaluation.drawing import Drawing
from latentwalk.trainer.methods.evaluation.measure import Measure
from latentwalk.trainer.methods.samples import DRAWN_AT_ONCE
from latentwalk.trainer.specs import EvaluationSpec

KEPT_ROWS = 10_000
"""Pictures of either set, the first, for the kernel distance, which has no bias, and for precision and recall, which
compare each with each: checkpoints hold their features."""


class Seen(nn.Module):
    """What is kept of the features of so many pictures: the moments of all, and the first ones."""

    def __init__(self, pictures: int) -> None:
        super().__init__()
        self.rows: Tensor
        self.moments = Moments(FEATURES)
        self.register_buffer("rows", torch.zeros(min(pictures, KEPT_ROWS), FEATURES))

    def add(self, features: Tensor) -> None:
        """Takes the features [N, F] of more pictures in."""
        first = int(self.moments.count)
        self.moments.add(features)
        kept = self.rows[first : first + len(features)]
        kept.copy_(features[: len(kept)])


class Gallery:
    """What Inception has seen of real pictures, and of those that are drawn now: one drawing after the other."""

    def __init__(self, settings: EvaluationSpec, inception: Inception, real: Pictures) -> None:
        """``real`` is the train part, of at least 2 pictures."""
        self.samples, self.steps = settings.samples, settings.steps_of_a_pass
        self.inception, self._pictures = inception, real
        self._order = torch.randperm(len(real), generator=seeds.held_out_generator("inception"))
        self.real, self.drawn = Seen(len(real)), Seen(settings.samples)
        self._manifold: Manifold | None = None
        self.gathered = nn.ModuleDict({"real": self.real, "drawn": self.drawn})

    def see_real(self, step: int) -> None:
        """Sees a share of the real pictures."""
        share = self._order.tensor_split(self.steps)[step]
        for rows in share.split(DRAWN_AT_ONCE) if len(share) else ():  # of few pictures there is not one for each step
            self.real.add(self.inception(self._pictures.pictures(rows)))

    def compared(self) -> tuple[float, float, float, float]:
        """The Frechet and the kernel distance, the precision and the recall."""
        one, other = self.drawn, self.real
        distances = frechet_distance(one.moments, other.moments), kernel_distance(one.rows, other.rows)
        return *distances, *self._shares(min(len(one.rows), len(other.rows)))

    def _shares(self, rows: int) -> tuple[float, float]:
        """Precision and recall of so many pictures of either set; what the real ones stand for is told but once."""
        if self._manifold is None:
            self._manifold = Manifold(self.real.rows[:rows])
        return precision_and_recall(Manifold(self.drawn.rows[:rows]), self._manifold)


class InceptionLikeness(Measure):
    """Measures "fid", "kid", "precision.inception" and "recall.inception", by other weights under names of their own.

    The first of a job, of what is not truncated, sees the real pictures, too.
    """

    def __init__(self, drawing: Drawing, gallery: Gallery) -> None:
        self._drawing, self._gallery = drawing, gallery
        self._found = torch.zeros(len(self.names), dtype=torch.float64)
        self.gathered = nn.Module()
        self.gathered.register_buffer("found", self._found)

    def take(self, step: int) -> None:
        """Sees what is drawn; after the last step, tells how far it is from the real ones."""
        gallery = self._gallery
        if step == 0:
            gallery.drawn.moments.reset()
        for pictures in self._drawing.pictures(step, gallery.samples):
            gallery.drawn.add(gallery.inception(pictures))
        if self._drawing.truncation is None:
            gallery.see_real(step)
        if step == gallery.steps - 1:
            self._found.copy_(torch.tensor(gallery.compared(), dtype=torch.float64))

    def measures(self, pause: Callable[[], None]) -> Mapping[str, float]:
        """All four."""
        return self._drawing.named(dict(zip(self.names, self._found.tolist(), strict=True)))

    @property
    def names(self) -> tuple[str, str, str, str]:
        """Of all four: those of papers' distances are theirs alone."""
        if self._gallery.inception.is_published:
            return "fid", "kid", "precision.inception", "recall.inception"
        return "fid.torchvision", "kid.torchvision", "precision.torchvision", "recall.torchvision"
