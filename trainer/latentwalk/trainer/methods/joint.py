"""A generator and a linear walk for it, trained together or one after the other.

Jahanian, Chai and Isola, "On the steerability of generative adversarial networks" (ICLR 2020), section 4.4: generator
and walk share an objective, so that the generator learns to be steerable. In each step it draws z and z + alpha w; the
discriminator sees both, and the walked picture is to be the edited plain one, which is data: no gradient flows through
it. The real pictures should be augmented by the same edits, or the game forbids what the walk asks for.

Either player's loss is the mean over plain and walked pictures, which the paper's code adds up; and its pictures are
from 0 to 1, so that its squared errors are a fourth of those here. Its weight of 1 for the edit loss is 1/8 here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Self

import torch
from torch import Tensor, nn

from latentwalk.gan.edits import masked_squared_error
from latentwalk.trainer import seeds
from latentwalk.trainer.data import Pictures
from latentwalk.trainer.materials import Materials, Parent
from latentwalk.trainer.methods.edits import EditDirection
from latentwalk.trainer.methods.edits.walks import TrainedWalk
from latentwalk.trainer.methods.match import Match
from latentwalk.trainer.methods.method import Method, Outcome, Phase
from latentwalk.trainer.networks.average import moving_average
from latentwalk.trainer.reports import Sample
from latentwalk.trainer.seat import ONLY_SEAT, Seat
from latentwalk.trainer.sheets import Strip
from latentwalk.trainer.specs import EditDirectionSpec, JobSpec, JointMode, JointSpec

WALK_RATE = 0.01
WALK_BETAS = (0.9, 0.999)
WALK_SCALE = 0.3
"""The standard deviation of w at first: a walk of length 0 is a saddle for a generator that could learn any."""
SEQUENTIAL_RATE = 0.4
"""As of a linear walk in a job of its own, see methods.edits.direction."""
_STRIPS = 3
"""The most sliders on a sheet beside samples."""


class Joint(Method):
    """The game, in which the walk has a part or after which it has its own turn; both are published as averaged."""

    def __init__(
        self, spec: JobSpec[JointSpec], pictures: Pictures, seat: Seat = ONLY_SEAT, parent: Parent | None = None
    ) -> None:
        settings = spec.settings
        self._settings, self._played = settings, settings.gan.steps
        self.steps, self.pictures = settings.steps, {"train": pictures}
        self._match = Match(settings.gan, pictures, spec.seed, seat, parent)
        edits = spec.with_settings(_edits(settings))
        self._edit = self._shown = EditDirection(edits, self._match.averaged, seat=seat)
        self._walk = self._edit.walk
        together = settings.mode is JointMode.JOINT
        if together:
            _stretch(self._walk.get_parameter("vectors"), spec.seed)
        self._average = moving_average(self._walk, settings.gan.batch_size, settings.gan.ema_half_life)
        if together:
            averaged = self._average.module
            assert isinstance(averaged, TrainedWalk)  # noqa: S101 - a copy of one
            self._shown = EditDirection(edits, self._match.averaged, walk=averaged)
        self.trained = nn.ModuleDict({"match": self._match, "walk": self._walk, "average": self._average})
        self.phases = self._together() if together else self._in_turn()

    @classmethod
    def prepare(cls, spec: JobSpec[JointSpec], materials: Materials) -> Self:
        """On the pictures of the spec, from the generator that it starts from."""
        gan = spec.settings.gan
        pictures = materials.pictures(gan.data, "train", gan.resolution)
        return cls(spec, pictures, materials.seat, materials.parent(gan))

    def before_step(self, step: int) -> None:
        """Draws the pictures and latents of the step, or sets the step size of a walk that comes after."""
        if step < self._played:
            self._match.begin(step, self.phases[:2])
        else:
            self._edit.before_step(step - self._played)

    def after_step(self, step: int) -> None:
        """Moves the averages while the game is on."""
        if step < self._played:
            self._match.end()
            self._average.update_parameters(self._walk)

    def sample(self, step: int) -> Sample | None:
        """Sheets of what the averaged generator draws, and of where the walk leads once it is trained."""
        if step > self._played:
            walked = self._edit.sample(step - self._played)
            return walked and replace(walked, step=step)
        return self._match.sample(step, self._walked)

    def outcome(self, pause: Callable[[], None]) -> Outcome:
        """Generator and walk; each slider is measured on held-out latents."""
        generator = self._match.averaged.freeze()
        evaluations = self._shown.evaluate(pause)
        products = generator, self._shown.direction()
        return Outcome(products, evaluations, data=self.data, parent=self._match.parent)

    def _walked(self) -> Sequence[Strip]:
        """What the walk does so far; nothing while it waits for its turn."""
        return self._shown.strips(_STRIPS) if self._settings.mode is JointMode.JOINT else ()

    def _together(self) -> tuple[Phase, ...]:
        walk = {"params": list(self._walk.parameters()), "lr": WALK_RATE, "betas": WALK_BETAS}
        return self._match.phases(self._shared_losses, walk)

    def _in_turn(self) -> tuple[Phase, ...]:
        walk = self._edit.phases[0]
        return (*self._match.phases(self._game_losses), Phase(walk.name, walk.optimiser, self._walk_losses))

    def _shared_losses(self, step: int) -> Mapping[str, Tensor]:
        """Of generator and walk: the game on plain and walked pictures, and the edit loss between them."""
        match, weight = self._match, self._settings.edit_weight
        assert weight is not None  # noqa: S101 - completed by validation
        given = match.round
        deal = self._edit.deal(step, len(given.z), given.dice)
        z = torch.cat([given.z, self._edit.walked(given.z, deal)])
        condition = None if given.condition is None else given.condition.repeat(2, 1)
        drawn = match.draw(z, condition)
        plain, walked = drawn.chunk(2)
        errors = masked_squared_error(walked, *deal.targets(plain.detach()))
        shares = deal.shares(weight * errors)
        return {"generator": match.persuade(drawn, condition), **shares}

    def _game_losses(self, step: int) -> Mapping[str, Tensor]:
        if step >= self._played:
            return {}
        return self._match.plain_losses()

    def _walk_losses(self, step: int) -> Mapping[str, Tensor]:
        return self._edit.losses(step - self._played) if step >= self._played else {}


@torch.no_grad()
def _stretch(vectors: Tensor, job_seed: int) -> None:
    """Gives the vectors of a walk their first lengths: drawn on the CPU, like all that is random."""
    fresh = torch.empty_like(vectors, device="cpu")
    with seeds.fresh_weights(job_seed):
        nn.init.normal_(fresh, 0.0, WALK_SCALE)
    vectors.copy_(fresh)


def _edits(settings: JointSpec) -> EditDirectionSpec:
    """What the walk is to learn, as of a job of its own."""
    return EditDirectionSpec(
        edits=settings.edits,
        steps=settings.walk_steps,
        batch_size=settings.gan.batch_size,
        learning_rate=SEQUENTIAL_RATE,
        evaluation_size=settings.evaluation_size,
    )
