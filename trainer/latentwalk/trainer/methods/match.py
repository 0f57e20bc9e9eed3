"""One generator against one discriminator: all that methods which train a generator have in common."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from latentwalk.gan.families import build_generator
from latentwalk.gan.generator import Generator
from latentwalk.gan.latents import latents_from_seeds, one_hot
from latentwalk.gan.spec import GeneratorSpec
from latentwalk.trainer import seeds
from latentwalk.trainer.augment import Augmentation, mirrored
from latentwalk.trainer.data import Pictures
from latentwalk.trainer.materials import Parent
from latentwalk.trainer.methods.method import Phase
from latentwalk.trainer.methods.players import PLAYERS, Player
from latentwalk.trainer.networks.average import moving_average
from latentwalk.trainer.networks.discriminator import Discriminator
from latentwalk.trainer.networks.games import GAMES
from latentwalk.trainer.networks.growth import shown_at
from latentwalk.trainer.networks.precision import reduced
from latentwalk.trainer.order import Order
from latentwalk.trainer.reports import Sample
from latentwalk.trainer.seat import ONLY_SEAT, Dice, Seat
from latentwalk.trainer.sheets import Strip, sheet
from latentwalk.trainer.specs import GanSettings
from latentwalk.trainer.specs.growth import Stage

_SHEET_PIXELS = 448
"""A side of a sheet: even noise in colour then fits into one line of a job's report."""
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Round:
    """What a step is played with, drawn before either player has its turn."""

    dice: Dice
    stage: Stage
    """To which the players have grown."""
    real: Tensor
    """Pictures [N, C, H, W] at this seat, augmented, of the size of the stage."""
    z: Tensor
    """[N, Z] at this seat."""
    condition: Tensor | None
    """[N, K] of z, and of the real pictures; None without classes."""
    whole: tuple[Tensor, Tensor | None]
    """z and condition of the whole batch, of all seats."""


class Match(nn.Module):
    """Both players, the moving average of the generator, and the pictures they play for.

    In each step the generator has the first turn, and then the discriminator, on the same drawn pictures. The classes
    of drawn pictures are those of the real ones beside them. Both step sizes stay for the first half of the steps, and
    then fall to nothing along a line: a game does not settle by itself. It is played where the pictures are wanted.
    Players that grow play with pictures of the size to which they have grown. With a parent, the generator and its
    average begin with the parent's weights, and the discriminator with fresh ones: none is published.
    """

    round: Round
    """Of the step that was begun last."""

    def __init__(
        self,
        settings: GanSettings,
        pictures: Pictures,
        job_seed: int,
        seat: Seat = ONLY_SEAT,
        parent: Parent | None = None,
    ) -> None:
        super().__init__()
        self.settings, self.parent = settings, parent
        assert settings.family is not None  # noqa: S101 - completed by validation
        play = PLAYERS[settings.family]
        channels, classes = pictures.images.shape[1], len(pictures.classes)
        spec = parent.generator.spec if parent else _generator_spec(settings, channels, classes)
        with seeds.fresh_weights(job_seed):
            generator = build_generator(spec)
            discriminator = Discriminator(
                spec,
                settings.discriminator_width,
                normalised=settings.spectral_norm,
                start=settings.progressive_from,
                group=settings.group,
            )
            player = play(generator, settings)
        if parent:
            generator.load_state_dict(parent.generator.state_dict())
        self.player, self.discriminator = player.to(pictures.device), discriminator.to(pictures.device)
        self.average = moving_average(
            self.player, settings.batch_size, settings.ema_half_life, learned=parent is not None
        )
        self._growth = settings.growth
        self._game, self._weight = GAMES[settings.loss], settings.penalty or 0.0
        self.pictures, self._order = pictures, Order(len(pictures), job_seed)
        self._augmentations = [Augmentation(target, spec) for target in settings.augmentation]
        self._job_seed, self._seat = job_seed, seat
        self._drawn: tuple[Tensor, Tensor | None] | None = None

    @property
    def averaged(self) -> Generator:
        """The generator that is shown and published, in evaluation mode."""
        return self._shown.generator

    @property
    def _shown(self) -> Player:
        assert isinstance(self.average.module, Player)  # noqa: S101 - a copy of one
        return self.average.module

    def phases(self, losses: Callable[[int], Mapping[str, Tensor]], *also: Mapping[str, object]) -> tuple[Phase, Phase]:
        """The turns of a step. The generator's minimises ``losses``; ``also`` are more parameters that it moves."""
        own, other = self.settings.learning_rate, self.settings.discriminator_learning_rate
        assert own is not None  # noqa: S101 - completed by validation
        generator, discriminator = ({"params": list(one.parameters())} for one in (self.player, self.discriminator))
        betas = self.player.betas
        return (
            Phase("generator", _adam(own, betas, generator, *also), losses),
            Phase("discriminator", _adam(other or own, betas, discriminator), self._tell),
        )

    def begin(self, step: int, phases: Sequence[Phase]) -> None:
        """Draws what the step is played with, and sets the step sizes."""
        self.round = self._deal(step)
        self.player.begin(self.round.z, self.round.dice, self.round.stage)
        share = min(1.0, 2 * (1 - step / self.settings.steps))
        for group in (group for phase in phases for group in phase.optimiser.param_groups):
            group["lr"] = share * group["initial_lr"]

    def _deal(self, step: int) -> Round:
        dice, stage = Dice(seeds.draw_generator(self._job_seed, step), self._seat), self._growth.stage(step)
        rows, classes = self._order.rows(step, self.settings.batch_size), self.averaged.spec.classes
        real = shown_at(stage, self._real(self._seat.take(rows), dice))
        condition = F.one_hot(self.pictures.classes_of(rows), classes).float() if classes else None
        z = torch.randn(len(rows), self.settings.latent_size, generator=dice.random).to(self.pictures.device)
        own = None if condition is None else self._seat.take(condition)
        return Round(dice, stage, real, self._seat.take(z), own, whole=(z, condition))

    def _real(self, rows: Tensor, dice: Dice) -> Tensor:
        """These of the pictures [N, C, H, W], augmented."""
        real = self.pictures.pictures(rows)
        if self.settings.mirror:
            real = mirrored(real, dice)
        for augment in self._augmentations:
            real = augment(real, dice)
        return real

    def draw(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """Pictures [R N, C, H, W] of the generator in training: of the z [N, Z] of the step, and of the same moved."""
        with reduced(z.device):
            return self.player.draw(z, condition).float()

    def persuade(self, drawn: Tensor, condition: Tensor | None) -> Tensor:
        """The generator's loss in the game; the discriminator is shown the same pictures next."""
        self._drawn = drawn.detach(), condition
        return self._game.generator(self._scores(drawn, condition))

    def plain_losses(self) -> dict[str, Tensor]:
        """The generator's loss in the game, on the latents of the step as they are."""
        drawn = self.draw(self.round.z, self.round.condition)
        return {"generator": self.persuade(drawn, self.round.condition)}

    def end(self) -> None:
        """Moves the averages at the end of the step."""
        self.player.end(*self.round.whole)
        self.average.update_parameters(self.player)

    def _tell(self, step: int) -> dict[str, Tensor]:
        """The discriminator's loss, and the penalty on it."""
        if self._drawn is None:  # the generator sat this step out
            return {}
        (drawn, condition), self._drawn = self._drawn, None
        given = self.round
        both = None if condition is None or given.condition is None else torch.cat([given.condition, condition])
        real, fake = self._scores(torch.cat([given.real, drawn]), both).tensor_split([len(given.real)])
        losses = {"discriminator": self._game.discriminator(real, fake)}
        if self._weight and step % self._game.penalty_every == 0:
            score = partial(self.discriminator, condition=given.condition, share=given.stage.share)
            penalty = self._game.penalty(score, given.real, drawn[: len(given.real)], given.dice)
            losses["penalty"] = self._weight * self._game.penalty_every * penalty
        return losses

    def _scores(self, pictures: Tensor, condition: Tensor | None) -> Tensor:
        with reduced(pictures.device):
            return self.discriminator(pictures, condition, self.round.stage.share).float()

    def sample(self, step: int, walked: Callable[[], Sequence[Strip]] = tuple) -> Sample | None:
        """A sheet of what the average draws for held-out seeds, one class a row, every so many steps and at the end.

        Below stands what is walked, if anything is; samples have the room that it leaves.
        """
        every, steps = self.settings.sample_every, self.settings.steps
        if step > steps or (step % every and step != steps):
            return None
        below, stage, spec = walked(), self._growth.stage(step - 1), self.averaged.spec
        grown = "" if stage.resolution == spec.resolution else f" of {stage.resolution} px"
        captions = [f"samples{grown}" + (", one class a row" if spec.classes else "")]
        captions += ["sliders " + ", ".join(strip.name for strip in below)] if below else []
        strips = [*self._strips(stage, sum(_area(strip.pictures) for strip in below)), *below]
        return Sample(step, "; ".join(captions), sheet(strips))

    @torch.no_grad()
    def _strips(self, stage: Stage, taken: int) -> list[Strip]:
        """Rows of samples, enlarged to the full resolution, on a sheet of which so many pixels are taken."""
        spec = self.averaged.spec
        columns = min(_SHOWN, _SHEET_PIXELS // spec.resolution)
        room = (_SHEET_PIXELS**2 - taken) // (columns * spec.resolution**2)
        rows = max(1, min(columns, spec.classes or columns, room))
        z = latents_from_seeds(seeds.held_out_seeds(rows * columns), spec).to(self.averaged.device)
        classes = [number // columns for number in range(len(z))]
        condition = one_hot(classes, spec.classes).to(z.device) if spec.classes else None
        drawn = F.interpolate(self._shown.show(z, condition, stage), (spec.resolution, spec.resolution))
        return [Strip(some, str(row) if spec.classes else "") for row, some in enumerate(drawn.split(columns))]


def _area(pictures: Tensor) -> int:
    return len(pictures) * pictures[0, 0].numel()


def count_weights(settings: GanSettings, channels: int, classes: int) -> int:
    """How many numbers both players of complete settings would learn, for pictures of so many channels and classes."""
    with torch.device("meta"):
        spec = _generator_spec(settings, channels, classes)
        players = build_generator(spec), Discriminator(spec, settings.discriminator_width)
    return sum(weight.numel() for player in players for weight in player.parameters())


def _generator_spec(settings: GanSettings, channels: int, classes: int) -> GeneratorSpec:
    assert settings.family is not None  # noqa: S101 - completed by validation
    return GeneratorSpec(
        family=settings.family,
        latent_size=settings.latent_size,
        classes=classes if settings.conditional else 0,
        resolution=settings.resolution,
        channels=channels,
        **PLAYERS[settings.family].shape(settings),
    )


def _adam(learning_rate: float, betas: tuple[float, float], *groups: Mapping[str, object]) -> torch.optim.Adam:
    initial = [{"lr": learning_rate, **group} for group in groups]
    return torch.optim.Adam([{**group, "initial_lr": group["lr"]} for group in initial], betas=betas)
