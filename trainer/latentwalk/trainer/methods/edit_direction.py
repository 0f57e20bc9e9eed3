"""Linear directions supervised by edits.

Jahanian, Chai and Isola, "On the steerability of generative adversarial networks" (ICLR 2020), section 3: one vector w
for each slider minimises the expected error |G(z + alpha w) - edit(G(z), amount)|^2 over the pixels that the edit
leaves valid. The generator stays as it is; the target is data, through which no gradient flows.

Adam's default step size, 0.4 falling along half a cosine, was measured on the demo's face generator: 250 steps of batch
16, one edit a job, the default ranges, 2,048 held-out latents; error below that of doing nothing, in percent:

    learning rate         brightness   zoom   shift_x   rotate
    0.05, half a cosine         74.4   12.2      13.1      3.2
    0.4, half a cosine          74.7   16.5      16.0      4.2    (another seed: 74.6, 16.3, 14.5, 4.1)

Zoom gains a little at 0.8 (17.0). A constant rate needs its iterates averaged to come as far. The four edits in one job
of batch 16 get 4 rows a step each, and less far: 73.6, 13.0, 14.5, 1.4 (of 1,024).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from latentwalk.gan.directions import LinearDirection, Slider
from latentwalk.gan.edits import EDITS, Edit, masked_squared_error
from latentwalk.gan.generator import Generator
from latentwalk.gan.latents import one_hot, z_from_seeds
from latentwalk.trainer import seeds
from latentwalk.trainer.materials import Materials
from latentwalk.trainer.methods.method import Method, Outcome, Phase
from latentwalk.trainer.reports import SliderEvaluation
from latentwalk.trainer.specs import EditDirectionSpec, EditTarget, JobSpec

# The paper looks at walks up to 3 times as long as those it trains (shift: 400 px after 128 px).
LIMIT_FACTOR = 3.0
_EVALUATED_AT_ONCE = 32


@dataclass(frozen=True)
class _Task:
    """One slider, and the edit that it learns."""

    edit: Edit
    low: float
    high: float
    slider: Slider

    def draw(self, rows: int, generator: torch.Generator) -> Tensor:
        return self.edit.draw(rows, self.low, self.high, generator)

    def alphas(self, amounts: Tensor) -> Tensor:
        """Amounts [N] -> alphas [N]; 1 at the far end of the trained range."""
        return self.edit.linear(amounts) / self.slider.scale


@dataclass(frozen=True)
class Hand:
    """The rows of a batch that move one slider."""

    slider: str
    edit: Edit
    rows: list[int]
    amounts: Tensor
    """[n], of the edit, one for each of the rows."""


@dataclass(frozen=True)
class Deal:
    """A batch, dealt to the sliders."""

    alphas: Tensor
    """[N, S]; in each row, that of its own slider, and 0."""
    hands: list[Hand]

    def targets(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """The pictures [N, C, H, W], each edited as its walk is to do it, and their masks [N, 1, H, W]."""
        targets, masks = torch.empty_like(pictures), torch.empty_like(pictures[:, :1])
        for hand in self.hands:
            targets[hand.rows], masks[hand.rows] = hand.edit(pictures[hand.rows], hand.amounts)
        return targets, masks

    def shares(self, errors: Tensor) -> dict[str, Tensor]:
        """The share of each slider in the mean of errors [N]."""
        return {hand.slider: errors[hand.rows].sum() / len(errors) for hand in self.hands}


class Walk(nn.Module):
    """The vectors w [S, Z] of all sliders; at first they lead nowhere."""

    def __init__(self, sliders: int, latent_size: int) -> None:
        super().__init__()
        self.vectors = nn.Parameter(torch.zeros(sliders, latent_size))

    def forward(self, z: Tensor, alphas: Tensor) -> Tensor:
        """Moves z [N, Z] by alphas [N, S], to z + alphas w [N, Z]."""
        return z + alphas @ self.vectors


class EditDirection(Method):
    """Adam on w, with fresh latents, classes and amounts at each step; each row of the batch moves one slider."""

    def __init__(self, spec: JobSpec, generator: Generator) -> None:
        settings = spec.settings
        assert isinstance(settings, EditDirectionSpec)  # noqa: S101 - by the table of methods
        self.steps = settings.steps
        self._name = spec.direction
        self._seed = spec.seed
        self._batch_size = settings.batch_size
        self._evaluation_size = settings.evaluation_size
        self._learning_rate = settings.learning_rate
        self._generator = generator
        self._tasks = [_task(target) for target in settings.edits]
        self.walk = Walk(len(self._tasks), generator.spec.latent_size)
        self.trained = self.walk
        self._optimiser = torch.optim.Adam(self.walk.parameters(), lr=self._learning_rate)
        self.phases = (Phase("walk", self._optimiser, self.losses),)

    @classmethod
    def prepare(cls, spec: JobSpec, materials: Materials) -> Self:
        """On the generator of the spec."""
        return cls(spec, materials.generator(spec))

    def before_step(self, step: int) -> None:
        """Half a cosine from the spec's learning rate down to nothing (Loshchilov and Hutter 2017, no restarts)."""
        self._optimiser.param_groups[0]["lr"] = self._learning_rate * (1 + math.cos(math.pi * step / self.steps)) / 2

    def losses(self, step: int) -> Mapping[str, Tensor]:
        """The masked squared error of each slider, weighted by its share of the rows: the sum is that of the batch."""
        draw = seeds.draw_generator(self._seed, step)
        z = z_from_seeds(seeds.training_seeds(self._seed, step, self._batch_size), self._generator.spec.latent_size)
        condition = self._conditions(len(z), draw)
        with torch.no_grad():
            pictures = self._generator(z, condition)
        deal = self.deal(step, len(z), draw)
        targets, masks = deal.targets(pictures)
        return deal.shares(masked_squared_error(self._generator(self.walk(z, deal.alphas), condition), targets, masks))

    def deal(self, step: int, rows: int, draw: torch.Generator) -> Deal:
        """Gives each row of a step to a slider, beginning where the step before ended, and draws its amount."""
        first, count = step * rows, len(self._tasks)
        alphas, hands = torch.zeros(rows, count), list[Hand]()
        for number, task in enumerate(self._tasks):
            if own := [row for row in range(rows) if (first + row) % count == number]:
                amounts = task.draw(len(own), draw)
                alphas[own, number] = task.alphas(amounts)
                hands.append(Hand(task.slider.name, task.edit, own, amounts))
        return Deal(alphas, hands)

    def outcome(self, pause: Callable[[], None]) -> Outcome:
        """The direction, each slider measured on held-out latents."""
        return Outcome((self.direction(),), self.evaluate(pause))

    @torch.no_grad()
    def evaluate(self, pause: Callable[[], None]) -> tuple[SliderEvaluation, ...]:
        """Each slider on all held-out latents."""
        size, direction = self._evaluation_size, self.direction()
        amounts = [task.draw(size, seeds.held_out_generator(task.edit.name)) for task in self._tasks]
        conditions = self._conditions(size, seeds.held_out_generator("classes"))
        errors, baselines = torch.zeros(len(self._tasks), size), torch.zeros(len(self._tasks), size)
        for first in range(0, size, _EVALUATED_AT_ONCE):
            rows = slice(first, first + _EVALUATED_AT_ONCE)
            z = z_from_seeds(seeds.held_out_seeds(size)[rows], self._generator.spec.latent_size)
            condition = None if conditions is None else conditions[rows]
            pictures = self._generator(z, condition)
            for number, task in enumerate(self._tasks):
                pause()
                target, mask = task.edit(pictures, amounts[number][rows])
                alphas = torch.zeros(len(z), len(self._tasks))
                alphas[:, number] = task.alphas(amounts[number][rows])
                walked = self._generator(direction.move(z, alphas), condition)
                errors[number, rows] = masked_squared_error(walked, target, mask)
                baselines[number, rows] = masked_squared_error(pictures, target, mask)
        means = zip(self._tasks, errors.mean(dim=1).tolist(), baselines.mean(dim=1).tolist(), strict=True)
        return tuple(SliderEvaluation(task.slider.name, error, baseline) for task, error, baseline in means)

    def direction(self) -> LinearDirection:
        """One slider an edit, named after it; alpha is 1 at the far end of the trained range."""
        return LinearDirection(
            name=self._name,
            generator_digest=self._generator.digest,
            sliders=tuple(task.slider for task in self._tasks),
            vectors=self.walk.vectors.detach().clone(),
        )

    def _conditions(self, rows: int, draw: torch.Generator) -> Tensor | None:
        """Classes drawn uniformly [N, K]; None for a generator without classes."""
        classes = self._generator.spec.classes
        return one_hot(torch.randint(classes, (rows,), generator=draw).tolist(), classes) if classes else None


def _task(target: EditTarget) -> _Task:
    edit, amounts = EDITS[target.edit], target.amounts
    scale = max(abs(edit.linear(amount)) for amount in amounts)
    low, high = (edit.linear(amount) / scale for amount in amounts)
    floor, ceiling = edit.linear(edit.domain[0]) / scale, edit.linear(edit.domain[1]) / scale
    slider = Slider(
        name=edit.name,
        edit=edit.name,
        unit=edit.unit,
        scale=scale,
        trained=(low, high),
        limit=(max(LIMIT_FACTOR * min(low, 0.0), floor), min(LIMIT_FACTOR * max(high, 0.0), ceiling)),
    )
    return _Task(edit, *amounts, slider)
