"""The plane between latents with a high and with a low score.

Shen et al., "Interpreting the latent space of GANs for semantic face editing" (InterFaceGAN, CVPR 2020): a linear
support vector machine tells the latents with the highest scores from those with the lowest; its unit normal is the
direction. 70 % of them are learnt from, the rest measure it, as in the paper's code.
"""

from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor, nn

from latentwalk.gan.closed_form import extremes, project_off, sides
from latentwalk.gan.errors import GanError
from latentwalk.trainer.materials import Materials
from latentwalk.trainer.methods.bank import bank
from latentwalk.trainer.methods.method import Method, Outcome
from latentwalk.trainer.methods.scored import Labelled, Sampled, Scored
from latentwalk.trainer.specs import BoundarySpec, JobSpec

_LEARNT_FROM = 0.7


class Boundary(Method):
    """One slider, named after its score; alpha is the distance from the plane, in standard deviations of a code."""

    def __init__(self, spec: JobSpec[BoundarySpec], scored: Scored, conditions: Tensor | None) -> None:
        """`conditions` [M, D] are the vectors that the normal is kept at right angles to."""
        settings = spec.settings
        assert settings.score is not None  # noqa: S101 - completed by validation
        self.steps = settings.steps
        self._name, self._seed, self._fraction = spec.direction, spec.seed, settings.fraction
        self._slider = settings.score.name(spec.direction)
        self._scored, self._conditions = scored, conditions
        self.trained = nn.Module()
        self.trained.register_buffer("scores", scored.scores)

    @classmethod
    def prepare(cls, spec: JobSpec[BoundarySpec], materials: Materials) -> Self:
        """On the generator of the spec, with the classifier and the directions that its settings name."""
        settings, generator = spec.settings, materials.generator(spec)
        assert settings.score is not None  # noqa: S101 - completed by validation
        vectors = [materials.vector(spec, one.direction, one.slider) for one in settings.conditions]
        if settings.score.labels:
            scored = Labelled(spec, settings.score.labels, generator)
        else:
            by = settings.score.classifier
            scored = Sampled(spec, settings.score, generator, materials.classifier(by.classifier) if by else None)
        return cls(spec, scored, torch.stack(vectors) if vectors else None)

    def after_step(self, step: int) -> None:
        """Scores some of the latents."""
        self._scored.look(step)

    def outcome(self, pause: Callable[[], None]) -> Outcome:
        """The normal, and how well the plane tells codes apart that it was not learnt from."""
        pause()
        low, high = self._ends(pause)
        normal, accuracy = _separate(low, high, self._seed)
        measures = {"validation_accuracy": accuracy}
        if self._conditions is not None:
            kept = project_off(normal, self._conditions)
            if not kept.any():
                raise GanError(
                    f"nothing of score {self._slider!r} is left at right angles to its conditions: leave out the "
                    "one that is the same thing"
                )
            measures["cosine_with_unconditioned"] = float(kept @ normal)
            normal = kept
        found = bank(
            self._name,
            self._scored.generator,
            [self._slider],
            normal[None],
            space=self._scored.space,
            class_ids=self._scored.class_ids,
        )
        return Outcome((found,), measures=measures)

    def _ends(self, pause: Callable[[], None]) -> tuple[Tensor, Tensor]:
        """The codes [M, D] of the lowest and of the highest scores. Raises GanError if they cannot be told apart."""
        scores = self._scored.scores
        if missed := int((~scores.isfinite()).sum()):
            count = f"{missed:,} of {len(scores):,} pictures"
            raise GanError(f"score {self._slider!r} of {count} is not finite: look at the generator's weights")
        ends = sides(scores) if self._fraction is None else extremes(scores, self._fraction)
        if scores[ends.low].max() >= (least := scores[ends.high].min()):
            problem = "take a smaller fraction, or another score if it is the same for all pictures"
            raise GanError(f"score {self._slider!r} is {least:g} at both ends: {problem}")
        low, high = self._scored.codes(torch.cat([ends.low, ends.high]), pause).split([len(ends.low), len(ends.high)])
        return low, high


def _separate(low: Tensor, high: Tensor, seed: int) -> tuple[Tensor, float]:
    """The unit normal [D] that points from the low codes to the high ones, and its accuracy on those held back.

    Of each end the same part is learnt from, and the ends count alike, however many codes each of them has.
    """
    from sklearn.svm import SVC  # takes seconds to import

    random = torch.Generator().manual_seed(seed & (2**63 - 1))
    (low_learnt, low_held_back), (high_learnt, high_held_back) = (_dealt(end, random) for end in (low, high))
    learnt = torch.cat([low_learnt, high_learnt])
    labels = torch.cat([torch.zeros(len(low_learnt)), torch.ones(len(high_learnt))])
    machine = SVC(kernel="linear", class_weight="balanced").fit(learnt.numpy(), labels.numpy())
    normal = torch.tensor(machine.coef_[0])
    right = (1 - machine.predict(low_held_back.numpy()).mean(), machine.predict(high_held_back.numpy()).mean())
    return (normal / normal.norm()).float(), float(sum(right)) / 2


def _dealt(codes: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """Codes [M, D] in random order, in double precision: those to learn from, and those that are held back."""
    learnt = round(_LEARNT_FROM * len(codes))
    shuffled = codes[torch.randperm(len(codes), generator=random)].double()
    return shuffled[:learnt], shuffled[learnt:]
