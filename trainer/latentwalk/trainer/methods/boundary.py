"""The plane between latents with a high and with a low score.

Shen et al., "Interpreting the latent space of GANs for semantic face editing" (InterFaceGAN, CVPR 2020): a linear
support vector machine tells the latents with the highest scores from those with the lowest; its unit normal is the
direction. 70 % of them are learnt from, the rest measure it, as in the paper's code.
"""

from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor, nn

from latentwalk.gan.attributes import attribute
from latentwalk.gan.classifiers import Classifier
from latentwalk.gan.closed_form import extremes, project_off
from latentwalk.gan.errors import GanError
from latentwalk.gan.generator import Generator
from latentwalk.trainer.materials import Materials
from latentwalk.trainer.methods.bank import bank
from latentwalk.trainer.methods.method import Method, Outcome
from latentwalk.trainer.methods.samples import sample
from latentwalk.trainer.specs import BoundarySpec, JobSpec
from latentwalk.trainer.specs.closed_form import SAMPLES_PER_STEP

_LEARNT_FROM = 0.7


class Boundary(Method):
    """One slider, named after its score; alpha is the distance from the plane, in standard deviations of a code."""

    def __init__(
        self,
        spec: JobSpec[BoundarySpec],
        generator: Generator,
        classifier: Classifier | None,
        conditions: Tensor | None,
    ) -> None:
        """`conditions` [M, D] are the vectors that the normal is kept at right angles to."""
        settings = spec.settings
        assert settings.score is not None  # noqa: S101 - completed by validation
        assert settings.fraction is not None  # noqa: S101
        self.steps = settings.steps
        self._name, self._seed = spec.direction, spec.seed
        self._score, self._samples, self._fraction = settings.score, settings.samples, settings.fraction
        self._space = settings.space
        self._generator, self._classifier, self._conditions = generator, classifier, conditions
        self._scores = torch.zeros(settings.samples)
        self.trained = nn.Module()
        self.trained.register_buffer("scores", self._scores)

    @classmethod
    def prepare(cls, spec: JobSpec[BoundarySpec], materials: Materials) -> Self:
        """On the generator of the spec, with the classifier and the directions that its settings name."""
        settings = spec.settings
        assert settings.score is not None  # noqa: S101 - completed by validation
        score = settings.score.classifier
        classifier = materials.classifier(score.classifier) if score else None
        vectors = [materials.vector(spec, one.direction, one.slider) for one in settings.conditions]
        return cls(spec, materials.generator(spec), classifier, torch.stack(vectors) if vectors else None)

    @torch.no_grad()
    def after_step(self, step: int) -> None:
        """Scores the pictures of fresh latents."""
        z, condition = sample(self._generator, self._seed, step, self._samples)
        first = step * SAMPLES_PER_STEP
        self._scores[first : first + len(z)] = self._scored(self._generator(z, condition)).cpu()

    def outcome(self, pause: Callable[[], None]) -> Outcome:
        """The normal, and how well the plane tells codes apart that it was not learnt from."""
        pause()
        if missed := int((~self._scores.isfinite()).sum()):
            count = f"{missed:,} of {len(self._scores):,} pictures"
            raise GanError(f"score {self._score.name!r} of {count} is not finite: look at the generator's weights")
        ends = extremes(self._scores, self._fraction)
        if self._scores[ends.low[-1]] >= (least := self._scores[ends.high[0]]):
            problem = "take a smaller fraction, or another score if it is the same for all pictures"
            raise GanError(f"score {self._score.name!r} is {least:g} at both ends: {problem}")
        codes = self._codes(torch.cat([ends.low, ends.high]), pause)
        normal, accuracy = _separate(codes[: len(ends.low)], codes[len(ends.low) :], self._seed)
        measures = {"validation_accuracy": accuracy}
        if self._conditions is not None:
            kept = project_off(normal, self._conditions)
            if not kept.any():
                raise GanError(
                    f"nothing of score {self._score.name!r} is left at right angles to its conditions: leave out the "
                    "one that is the same thing"
                )
            measures["cosine_with_unconditioned"] = float(kept @ normal)
            normal = kept
        found = bank(self._name, self._generator, [self._score.name], normal[None], space=self._space)
        return Outcome((found,), measures=measures)

    @torch.no_grad()
    def _codes(self, rows: Tensor, pause: Callable[[], None]) -> Tensor:
        """Those of some of the latents [M, D], by their places int64 [M] in the whole sample; on the CPU."""
        codes = torch.empty(len(rows), self._generator.spec.size_of(self._space))
        steps = rows // SAMPLES_PER_STEP
        for step in steps.unique().tolist():
            pause()
            z, condition = sample(self._generator, self._seed, step, self._samples)
            wanted = steps == step
            codes[wanted] = self._generator.encode(z, self._space, condition).cpu()[rows[wanted] % SAMPLES_PER_STEP]
        return codes

    def _scored(self, pictures: Tensor) -> Tensor:
        score = self._score.classifier
        if score is None or self._classifier is None:
            return attribute(self._score.attribute, pictures)
        return self._classifier(pictures).softmax(dim=1)[:, score.class_id]


def _separate(low: Tensor, high: Tensor, seed: int) -> tuple[Tensor, float]:
    """The unit normal [D] that points from the low codes to the high ones, and its accuracy on those held back."""
    from sklearn.svm import SVC  # takes seconds to import

    codes = torch.cat([low, high]).double()
    labels = torch.cat([torch.zeros(len(low)), torch.ones(len(high))])
    order = torch.randperm(len(codes), generator=torch.Generator().manual_seed(seed & (2**63 - 1)))
    learnt, held_back = order.split([round(_LEARNT_FROM * len(codes)), len(codes) - round(_LEARNT_FROM * len(codes))])
    machine = SVC(kernel="linear").fit(codes[learnt].numpy(), labels[learnt].numpy())
    normal = torch.tensor(machine.coef_[0])
    accuracy = float(machine.score(codes[held_back].numpy(), labels[held_back].numpy()))
    return (normal / normal.norm()).float(), accuracy
