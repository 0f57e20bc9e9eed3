"""How much of what a direction changes there is among real pictures.

Voynov and Babenko, "Unsupervised discovery of interpretable directions in the GAN latent space" (ICML 2020), section
4, direction variation (DVN): a network learns to tell G(z + h) from G(z - h), and says of real pictures on which side
they are; another learns from these alone, and is asked about G(z + h) and G(z - h). It is right about all of them if
real pictures differ in what h changes, and about half if they do not. The numbers are those of the paper's code.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from latentwalk.gan.directions import Direction
from latentwalk.trainer import seeds
from latentwalk.trainer.data import Pictures
from latentwalk.trainer.networks.shift_predictors import lenet
from latentwalk.trainer.order import Order
from latentwalk.trainer.seat import Dice
from latentwalk.trainer.starts import Source

_ROWS, _LEARNT, _TESTED = 16, 50, 10
"""Pictures in a batch, batches that each network learns from, and batches about which the second is asked."""

Batch: TypeAlias = tuple[Tensor, Tensor]
"""Pictures [N, C, H, W] and on which side each is, int64 [N]."""


class Variation:
    """Asks about one slider after another, on the same latents, the same real pictures and with the same first weights.

    So sliders can be compared, and jobs, too: nothing depends on the job's seed.
    """

    def __init__(self, source: Source, real: Pictures, pause: Callable[[], None]) -> None:
        self._source, self._real, self._pause = source, real, pause
        dice = Dice(seeds.held_out_generator("variation"))
        batches = torch.tensor(seeds.held_out_seeds(_ROWS * (_LEARNT + _TESTED))).split(_ROWS)
        starts = [source.starts(batch.tolist(), dice) for batch in batches]
        self._starts = [(one.code, one.condition) for one in starts]

    def of(self, direction: Direction, slider: int) -> float:
        """The share of pictures at either end of what the slider was trained on that is told rightly; 0.5 is chance."""
        tells_drawn = self._taught(self._drawn(direction, slider, range(_LEARNT)))
        tells_real = self._taught(self._judged(tells_drawn))
        asked = self._drawn(direction, slider, range(_LEARNT, _LEARNT + _TESTED))
        with torch.no_grad():
            right = [tells_real(pictures).argmax(dim=1) == sides for pictures, sides in asked]
        return torch.cat(right).double().mean().item()

    def _drawn(self, direction: Direction, slider: int, batches: range) -> Iterator[Batch]:
        """Half of each batch is walked to the one end, half to the other."""
        for batch in batches:
            self._pause()
            codes, condition = self._starts[batch]
            ends = zip(codes.chunk(2), direction.sliders[slider].trained, strict=True)
            with torch.no_grad():
                walked = torch.cat([direction.walk(half, slider, alpha) for half, alpha in ends])
                pictures = self._source.draw(walked, condition)
            yield pictures, torch.arange(2, device=pictures.device).repeat_interleave(_ROWS // 2)

    def _judged(self, tells_drawn: nn.Module) -> Iterator[Batch]:
        """Real pictures, and what the first network makes of them."""
        order = Order(len(self._real), 0)
        for batch in range(_LEARNT):
            self._pause()
            pictures = self._real.pictures(order.rows(batch, _ROWS))
            with torch.no_grad():
                sides = tells_drawn(pictures).argmax(dim=1)
            yield pictures, sides

    def _taught(self, batches: Iterable[Batch]) -> nn.Module:
        """A network that has seen each batch once."""
        with seeds.fresh_weights(0):
            trunk, head = lenet(self._source.generator.spec.channels, width=1)
            network = nn.Sequential(trunk, head(2)).train()
        network.to(self._source.generator.device)
        optimiser = torch.optim.Adam(network.parameters())
        for pictures, sides in batches:
            optimiser.zero_grad()
            F.cross_entropy(network(pictures), sides).backward()
            optimiser.step()
        return network.eval()
