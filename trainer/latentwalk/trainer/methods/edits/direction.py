"""Directions supervised by edits.

Jahanian, Chai and Isola, "On the steerability of generative adversarial networks" (ICLR 2020), section 3: a walk for
each slider minimises the expected loss between G(walk(z, alpha)) and edit(G(z), amount) over the pixels that the edit
leaves valid. The generator stays as it is; the target is data, through which no gradient flows.

Adam's default step size for a linear walk, 0.4 falling along half a cosine, was measured on the demo's face generator:
250 steps of batch 16, one edit a job, the default ranges, 2,048 held-out latents; error below that of doing nothing, in
percent:

    learning rate         brightness   zoom   shift_x   rotate
    0.05, half a cosine         74.4   12.2      13.1      3.2
    0.4, half a cosine          74.7   16.5      16.0      4.2    (another seed: 74.6, 16.3, 14.5, 4.1)

Zoom gains a little at 0.8 (17.0). A constant rate needs its iterates averaged to come as far. The four edits in one job
of batch 16 get 4 rows a step each, and less far: 73.6, 13.0, 14.5, 1.4 (of 1,024).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Self

import torch
from torch import Tensor

from latentwalk.gan.directions import Direction
from latentwalk.gan.edits import masked_squared_error
from latentwalk.gan.generator import Generator
from latentwalk.gan.latents import one_hot
from latentwalk.trainer import seeds
from latentwalk.trainer.losses import Loss
from latentwalk.trainer.materials import Materials
from latentwalk.trainer.methods.edits.codes import Codes
from latentwalk.trainer.methods.edits.deal import Deal, deal, deal_to_all
from latentwalk.trainer.methods.edits.task import Task, tasks_of
from latentwalk.trainer.methods.edits.walks import LinearWalk, NonlinearWalk, TrainedWalk
from latentwalk.trainer.methods.method import Method, Outcome, Phase
from latentwalk.trainer.methods.schedule import half_cosine
from latentwalk.trainer.quick import Draw, quick_form
from latentwalk.trainer.reports import Sample, SliderEvaluation
from latentwalk.trainer.seat import ONLY_SEAT, Dice, Seat
from latentwalk.trainer.sheets import Strip, amounts_shown, sheet, small
from latentwalk.trainer.specs import EditDirectionSpec, JobSpec, WalkForm

SAMPLE_EVERY = 100
"""Steps between two sheets of samples."""
SHOWN_SLIDERS, _SHOWN_AMOUNTS = 7, 7
_EVALUATED_AT_ONCE = 32


class EditDirection(Method):
    """Adam on the walk, with fresh latents, classes and amounts at each step.

    Each row of a batch moves one slider; or all of them, as the colours in the paper's code: z + the sum of alpha w.
    """

    def __init__(
        self,
        spec: JobSpec[EditDirectionSpec],
        generator: Generator,
        loss: Loss = masked_squared_error,
        walk: TrainedWalk | None = None,
        seat: Seat = ONLY_SEAT,
    ) -> None:
        """``walk`` is one that is trained elsewhere; None for a fresh one."""
        settings = spec.settings
        assert settings.learning_rate is not None  # noqa: S101 - completed by validation
        self.steps = settings.steps
        self._name, self._seed = spec.direction, spec.seed
        self._settings = settings
        self._learning_rate = settings.learning_rate
        self._generator = generator
        self._loss, self._seat = loss, seat
        self._tasks = tasks_of(settings.edits, settings.class_ids(generator.spec.classes))
        self._codes = Codes(settings.space, settings.truncation)
        self._layers = list(settings.layers or range(generator.spec.layers))
        self.walk = self.trained = walk or _walk(spec.seed, settings, len(self._tasks), generator)
        self._optimiser = torch.optim.Adam(self.walk.parameters(), lr=self._learning_rate)
        self.phases = (Phase("walk", self._optimiser, self.losses),)

    @classmethod
    def prepare(cls, spec: JobSpec[EditDirectionSpec], materials: Materials) -> Self:
        """On the generator of the spec."""
        return cls(spec, materials.generator(spec), materials.edit_loss(spec.settings.loss), seat=materials.seat)

    def before_step(self, step: int) -> None:
        """The spec's learning rate falls along half a cosine."""
        self._optimiser.param_groups[0]["lr"] = self._learning_rate * half_cosine(step, self.steps)

    def losses(self, step: int) -> Mapping[str, Tensor]:
        """The loss of each slider, weighted by its share of the rows: the sum is that of the batch."""
        dice = Dice(seeds.draw_generator(self._seed, step), self._seat)
        own = self._seat.own_rows(self._settings.batch_size)
        dealt = self.deal(step, len(own), dice)
        condition = self._conditions(len(own), dice, [(hand.task, hand.rows) for hand in dealt.hands])
        code = self._code(seeds.training_seeds(self._seed, step, own), condition)
        with torch.no_grad():
            targets, masks = dealt.targets(self._quick(code, condition))
        walked = self._quick(self.walked(code, dealt), condition)
        return dealt.shares(self._loss(walked, targets, masks))

    def deal(self, step: int, rows: int, dice: Dice) -> Deal:
        """The rows of a step, dealt to the sliders."""
        if self._settings.together:
            return deal_to_all(self._tasks, rows, dice)
        return deal(self._tasks, step, rows, dice)

    def walked(self, codes: Tensor, dealt: Deal) -> Tensor:
        """The codes [N, ...], each moved along its own slider."""
        return dealt.walked(codes, self._move)

    def sample(self, step: int) -> Sample | None:
        """What the first sliders do to one held-out latent, a slider a row, every so many steps and at the end."""
        if step % SAMPLE_EVERY and step != self.steps:
            return None
        strips = self.strips()
        names = ", ".join(strip.name for strip in strips)
        return Sample(step, f"sliders {names}", sheet(strips))

    @torch.no_grad()
    def strips(self, most: int = SHOWN_SLIDERS) -> list[Strip]:
        """What the first sliders do to one held-out latent, from end to end of what they are trained on."""
        return [self._strip(number, task) for number, task in enumerate(self._tasks[:most])]

    def outcome(self, pause: Callable[[], None]) -> Outcome:
        """The direction, each slider measured on held-out latents."""
        return Outcome((self.direction(),), self.evaluate(pause))

    @torch.no_grad()
    def evaluate(self, pause: Callable[[], None]) -> tuple[SliderEvaluation, ...]:
        """Each slider on all held-out latents, in full precision; always by the masked squared error."""
        return tuple(self._evaluation(number, task, pause) for number, task in enumerate(self._tasks))

    def direction(self) -> Direction:
        """One slider for each task; alpha is 1 at the far end of the trained range."""
        return self.walk.direction(
            name=self._name,
            generator_digest=self._generator.digest,
            sliders=tuple(task.slider for task in self._tasks),
            space=self._settings.space,
            layers=self._settings.layers,
        )

    # -- inside a step -----------------------------------------------------------------------------------------------

    @cached_property
    def _quick(self) -> Draw:
        """Made at the first step, and not before: until then the weights may come from somewhere else."""
        return quick_form(self._generator, self._codes.draw)

    @torch.no_grad()
    def _code(self, of_seeds: Sequence[int], condition: Tensor | None) -> Tensor:
        return self._codes.of_seeds(self._generator, of_seeds, condition)

    def _move(self, code: Tensor, slider: int, alphas: Tensor) -> Tensor:
        """Moves codes along one slider: z and w [N, D], of w+ [N, L, W] the chosen layers, or in w each by itself."""
        if code.ndim == 2:
            return self.walk(code, slider, alphas)
        if self._settings.space == "w":
            moved = self.walk(code.flatten(0, 1), slider, alphas.repeat_interleave(code.shape[1]))
            return moved.unflatten(0, code.shape[:2])
        moved = code.clone()
        flat = self.walk(code[:, self._layers].flatten(1), slider, alphas)
        moved[:, self._layers] = flat.unflatten(1, (len(self._layers), code.shape[2]))
        return moved

    def _conditions(self, rows: int, dice: Dice, tasks: Sequence[tuple[Task, Sequence[int]]]) -> Tensor | None:
        """The class of each task and its rows, or else one drawn uniformly [N, K]; None without classes."""
        classes = self._generator.spec.classes
        if not classes:
            return None
        drawn = dice.roll(rows, lambda whole, random: torch.randint(classes, (whole,), generator=random))
        for task, chosen in tasks:
            if (class_id := task.slider.class_id) is not None:
                drawn[list(chosen)] = class_id
        return one_hot(drawn.tolist(), classes).to(self._generator.device)

    def _strip(self, number: int, task: Task) -> Strip:
        condition = self._conditions(1, Dice(seeds.held_out_generator("sample")), [(task, [0])])
        code = self._code(seeds.held_out_seeds(1), condition)
        alphas = torch.linspace(*task.slider.trained, _SHOWN_AMOUNTS)
        moved = self._move(code.repeat_interleave(len(alphas), 0), number, alphas)
        repeated = None if condition is None else condition.expand(len(alphas), -1)
        pictures = self._codes.draw(self._generator, moved, repeated)
        amounts = [task.slider.amount_of(alpha) for alpha in alphas.tolist()]
        return Strip(small(pictures), task.slider.name, amounts_shown(amounts))

    def _evaluation(self, number: int, task: Task, pause: Callable[[], None]) -> SliderEvaluation:
        size = self._settings.evaluation_size
        amounts = task.draw(size, seeds.held_out_generator(task.edit.name))
        conditions = self._conditions(size, Dice(seeds.held_out_generator("classes")), [(task, range(size))])
        errors, baselines = torch.zeros(size), torch.zeros(size)
        for first in range(0, size, _EVALUATED_AT_ONCE):
            pause()
            rows = slice(first, first + _EVALUATED_AT_ONCE)
            condition = None if conditions is None else conditions[rows]
            code = self._code(seeds.held_out_seeds(size)[rows], condition)
            pictures = self._codes.draw(self._generator, code, condition)
            target, mask = task.edit(pictures, amounts[rows])
            moved = self._move(code, number, task.alphas(amounts[rows]))
            walked = self._codes.draw(self._generator, moved, condition)
            errors[rows] = masked_squared_error(walked, target, mask).cpu()
            baselines[rows] = masked_squared_error(pictures, target, mask).cpu()
        return SliderEvaluation(task.slider.name, errors.mean().item(), baselines.mean().item())


def _walk(job_seed: int, settings: EditDirectionSpec, sliders: int, generator: Generator) -> TrainedWalk:
    """A fresh walk, where the generator is."""
    size = generator.spec.size_of(settings.space, len(settings.layers))
    if settings.form is WalkForm.LINEAR:
        return LinearWalk(sliders, size).to(generator.device)
    centre = _centre(settings, generator)
    return NonlinearWalk(sliders, size, settings.walk_steps, centre, job_seed).to(generator.device)


def _centre(settings: EditDirectionSpec, generator: Generator) -> Tensor | None:
    """The mean w of the moved numbers [D]; None in z."""
    if settings.space == "z":
        return None
    if settings.space == "w":
        return generator.mean_w.clone()
    return generator.mean_w.repeat(len(settings.layers) or generator.spec.layers)
