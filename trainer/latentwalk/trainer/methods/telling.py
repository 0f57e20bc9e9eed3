"""What all methods have in common that find directions by having a predictor tell them apart.

Voynov and Babenko, "Unsupervised discovery of interpretable directions in the GAN latent space" (ICML 2020), section 3:
of a latent and the latent shifted by a random amount along a random one of the directions, the generator draws two
pictures; the predictor sees both and says which direction it was, and how far. Directions and predictor minimise
together the cross entropy of the one and, with a weight, the mean absolute error of the other.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from latentwalk.gan.directions import Direction, Slider
from latentwalk.trainer import seeds
from latentwalk.trainer.methods.method import Method, Outcome, Phase
from latentwalk.trainer.methods.schedule import half_cosine
from latentwalk.trainer.networks.precision import reduced
from latentwalk.trainer.networks.shift_predictors import Guess
from latentwalk.trainer.reports import Sample
from latentwalk.trainer.seat import Dice, Seat
from latentwalk.trainer.sheets import Strip, amounts_shown, sheet, small
from latentwalk.trainer.specs import JobSpec, TellingSettings
from latentwalk.trainer.starts import Source, Starts

LIMIT_FACTOR = 2.0
"""How much further than it was trained a slider may be walked."""
SAMPLE_EVERY = 1_000
"""Steps between two sheets of samples."""
_SHOWN_ROWS, _SHOWN_COLUMNS = 16, 7
_MEASURED_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pictures before and after, and what lies between them."""

    plain: Tensor
    """[M, C, H, W]."""
    shifted: Tensor
    """[M, C, H, W]."""
    slots: Tensor
    """Which direction, int64 [M]: direction k of bank b of K is b K + k."""
    amounts: Tensor
    """How far [M], of either sign."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a predictor made of pairs that it was not trained on; on the CPU."""

    slots: Tensor
    """Which direction it was, int64 [M]."""
    guessed: Tensor
    """Which it was said to be, of all, int64 [M]."""
    guessed_in_bank: Tensor
    """Which it was said to be of its own bank's, int64 [M]."""
    errors: Tensor
    """By how much the amount was missed [M]."""

    def accuracies(self, names: Sequence[str]) -> dict[str, float]:
        """The share of each slot's pairs that was told rightly, as "accuracy.<name>"; no slot without pairs."""
        right = (self.guessed == self.slots).double()
        counts = self.slots.bincount(minlength=len(names)).tolist()
        sums = self.slots.bincount(right, minlength=len(names)).tolist()
        named = zip(names, sums, counts, strict=True)
        return {f"accuracy.{name}": total / count for name, total, count in named if count}


class Telling(Method):
    """Adam on directions and predictor, with fresh latents, directions and amounts at each step."""

    def __init__(self, spec: JobSpec[TellingSettings], source: Source, seat: Seat, *, banks: int) -> None:
        settings = spec.settings
        self.steps = settings.steps
        self._name, self._seed = spec.direction, spec.seed
        self._batch_size, self._evaluation_size = settings.batch_size, settings.evaluation_size
        self._source, self._seat, self._device = source, seat, source.generator.device
        self._axes = settings.directions
        self._banks = banks
        self._scale, self._least = settings.shift_scale or 0.0, settings.shift_min or 0.0
        self._weight = settings.shift_weight
        with seeds.fresh_weights(spec.seed):
            directions, predictor = self._networks()
        self._directions, self._predictor = (one.to(self._device) for one in (directions, predictor))
        self.trained = nn.ModuleDict({"directions": self._directions, "predictor": self._predictor})
        rates = settings.learning_rate, settings.predictor_learning_rate or settings.learning_rate
        parts = (self._directions, self._predictor)
        groups = [
            {"params": list(part.parameters()), "lr": rate, "initial_lr": rate}
            for part, rate in zip(parts, rates, strict=True)
        ]
        self._optimiser = torch.optim.Adam(groups, fused=True)
        self.phases = (Phase("directions", self._optimiser, self.losses),)

    # -- what a method says ----------------------------------------------------------------------------------------

    @abstractmethod
    def _networks(self) -> tuple[nn.Module, nn.Module]:
        """The directions and the predictor, with fresh weights."""

    @abstractmethod
    def _pairs(self, starts: Starts, dice: Dice) -> Pairs:
        """The pairs that a batch of starts gives."""

    @abstractmethod
    def direction(self) -> Direction:
        """What was found."""

    @abstractmethod
    def measures(self, told: Told) -> Mapping[str, float]:
        """How good it is."""

    def _penalties(self) -> Mapping[str, Tensor]:
        """Further terms of the objective."""
        return {}

    # -- training --------------------------------------------------------------------------------------------------

    def before_step(self, step: int) -> None:
        """The spec's learning rates fall along half a cosine."""
        self.trained.train()
        share = half_cosine(step, self.steps)
        for group in self._optimiser.param_groups:
            group["lr"] = share * group["initial_lr"]

    def losses(self, step: int) -> Mapping[str, Tensor]:
        """The cross entropy of which and the weighted error of how far; each summed over the pairs of one latent."""
        dice = Dice(seeds.draw_generator(self._seed, step), self._seat)
        own = self._seat.own_rows(self._batch_size)
        starts = self._source.starts(seeds.training_seeds(self._seed, step, own), dice)
        pairs = self._pairs(starts, dice)
        which, amounts = self._guess(pairs)
        share = len(pairs.slots) / len(own)
        return {
            "direction": share * F.cross_entropy(which, pairs.slots),
            "shift": share * self._weight * (amounts - pairs.amounts).abs().mean(),
            **self._penalties(),
        }

    def _draw_shifts(self, rows: int, dice: Dice, times: int = 1) -> tuple[Tensor, Tensor]:
        """Axes, int64 [T N], uniformly; and amounts [T N], by the law of `_amounts`.

        All rows have their first, then all their second.
        """
        axes = dice.roll(rows, lambda whole, random: torch.randint(self._axes, (times, whole), generator=random).T)
        uniform = dice.roll(rows, lambda whole, random: torch.rand(times, whole, generator=random).T)
        amounts = self._amounts(2 * uniform.T.flatten() - 1)
        return axes.T.flatten().to(self._device), amounts.to(self._device)

    def _amounts(self, uniform: Tensor) -> Tensor:
        """Amounts [M] for numbers [M] uniform in -1 to 1: uniform within +-scale, short ones drawn out."""
        amounts = self._scale * uniform
        return amounts.abs().clamp(min=self._least).copysign(amounts)

    def _guess(self, pairs: Pairs) -> tuple[Tensor, Tensor]:
        """Logits of all slots [M, B K], and the amount [M] that the head of each pair's own bank says."""
        with reduced(self._device):
            guess: Guess = self._predictor(pairs.plain, pairs.shifted)
        which, how_far = (one.float() for one in guess)
        return which, how_far.gather(1, pairs.slots[:, None] // self._axes)[:, 0]

    @torch.no_grad()
    def sample(self, step: int) -> Sample | None:
        """What the first sliders do to one held-out latent, a slider a row, every so many steps and at the end."""
        if step % SAMPLE_EVERY and step != self.steps:
            return None
        start = self._source.starts([0], Dice(seeds.held_out_generator("sample")))
        class_id = None if start.classes is None else int(start.classes)
        direction = self.direction()
        shown = [place for place, one in enumerate(direction.sliders) if one.class_id in (None, class_id)][:_SHOWN_ROWS]
        strips = [self._strip(direction, place, start) for place in shown]
        names = ", ".join(strip.name for strip in strips)
        return Sample(step, f"sliders {names}", sheet(strips))

    def _strip(self, direction: Direction, place: int, start: Starts) -> Strip:
        """What one slider does to a single start."""
        alphas = torch.linspace(*direction.sliders[place].trained, _SHOWN_COLUMNS).tolist()
        codes = torch.cat([direction.walk(start.code, place, alpha) for alpha in alphas])
        condition = None if start.condition is None else start.condition.expand(len(codes), -1)
        pictures = small(self._source.draw(codes, condition))
        return Strip(pictures, direction.sliders[place].name, amounts_shown(alphas))

    # -- measuring -------------------------------------------------------------------------------------------------

    def outcome(self, pause: Callable[[], None]) -> Outcome:
        """The direction, and what held-out pairs say of it."""
        told = self.tell(pause)
        return Outcome((self.direction(),), measures=self.measures(told))

    @torch.no_grad()
    def tell(self, pause: Callable[[], None]) -> Told:
        """The predictor's answers for all held-out latents."""
        self.trained.eval()
        dice, parts = Dice(seeds.held_out_generator("shifts")), list[Told]()
        for first in range(0, self._evaluation_size, _MEASURED_AT_ONCE):
            pause()
            rows = range(first, min(first + _MEASURED_AT_ONCE, self._evaluation_size))
            pairs = self._pairs(self._source.starts(rows, dice), dice)
            which, amounts = self._guess(pairs)
            banks = pairs.slots // self._axes
            places = torch.arange(len(banks), device=self._device)
            own = which.unflatten(1, (self._banks, self._axes))[places, banks].argmax(dim=1)
            said = which.argmax(dim=1), banks * self._axes + own, (amounts - pairs.amounts).abs()
            parts.append(Told(*(one.cpu() for one in (pairs.slots, *said))))
        return _joined(parts)


def slider(name: str, reach: float, class_id: int | None = None) -> Slider:
    """A slider that imitates no edit; alpha is the length of the shift, or of the path, trained up to ``reach``."""
    far = LIMIT_FACTOR * reach
    return Slider(name, edit="", unit="", scale=1.0, trained=(-reach, reach), limit=(-far, far), class_id=class_id)


def _joined(parts: Sequence[Told]) -> Told:
    return Told(*(torch.cat([getattr(part, one.name) for part in parts]) for one in fields(Told)))
