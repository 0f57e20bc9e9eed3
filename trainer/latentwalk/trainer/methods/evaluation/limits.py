"""How far one slider can be walked, and what becomes of pictures on the way.

Jahanian, Chai and Isola, "On the steerability of generative adversarial networks" (ICLR 2020), section 3.2 and figures
4 to 6, at a ladder of alphas over all that the slider allows: how well the walk imitates its edit, and which amount of
it is achieved, how much pictures change from one alpha to the next, how far plain attributes shift, and how far
pictures go, for a classifier, from what they were.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from operator import itemgetter

import torch
from torch import Tensor, nn

from latentwalk.gan.attributes import attributes, attributes_of
from latentwalk.gan.classifiers import Classifier
from latentwalk.gan.directions import Calibration
from latentwalk.gan.edits import Span, masked_squared_error
from latentwalk.gan.likeness import Moments, frechet_distance
from latentwalk.gan.limits import above, half_as_good
from latentwalk.trainer.distances import Differ
from latentwalk.trainer.methods.evaluation.achieved import MATCHED, Achieved
from latentwalk.trainer.methods.evaluation.calibrating import calibration_of
from latentwalk.trainer.methods.evaluation.measure import Measure
from latentwalk.trainer.methods.evaluation.reach import Reach, Spread
from latentwalk.trainer.methods.evaluation.walker import Walker
from latentwalk.trainer.methods.samples import DRAWN_AT_ONCE
from latentwalk.trainer.reports import Sample
from latentwalk.trainer.sheets import sheet
from latentwalk.trainer.specs.closed_form import SAMPLES_PER_STEP

STILL_THE_SAME = 0.9
"""The share of pictures that must keep their class for a slider to be within its limits."""


class Limits(Measure):
    """Measures "limits.<direction>.<slider>.<what>.<alpha>", and how far the slider can go, "low" and "high"."""

    def __init__(
        self,
        walker: Walker,
        samples: int,
        differ: Differ,
        classifier: Classifier | None,
        moments: Sequence[Moments] = (),
        spread: Spread | None = None,
    ) -> None:
        """With a classifier, ``moments`` gather its features: of the untouched pictures, and of those at each alpha.

        They may be those of another slider that is done. ``spread`` is that of real pictures, if there are any.
        """
        self.walker, self._samples, self._differ = walker, samples, differ
        self._classifier, self._moments = classifier, moments
        self._alphas = (0.0, *walker.alphas)
        self._attributes = attributes_of(walker.generator.spec.channels)
        names = [*self._attributes, *map(_squared, self._attributes), "step_distance"]
        names += ["error", "baseline"] if walker.slider.imitated else []
        names += ["class_kept"] if classifier else []
        self._sums = {name: torch.zeros(len(self._alphas), dtype=torch.float64) for name in names}
        self._distances = torch.zeros(len(self._alphas), dtype=torch.float64)
        self.gathered = nn.Module()
        for name, buffer in {**self._sums, "distances": self._distances}.items():
            self.gathered.register_buffer(name, buffer)
        edit = walker.slider.imitated
        self._achieved = edit and Achieved(walker.slider, edit, len(self._alphas))
        if self._achieved:
            self.gathered.add_module("achieved", self._achieved)
        self._reach = spread and Reach(spread, len(self._alphas), by_class=walker.slider.class_id is None)
        if self._reach:
            self.gathered.add_module("reach", self._reach)

    def take(self, step: int) -> None:
        """Adds up what is seen of some latents, at every alpha."""
        first = step * SAMPLES_PER_STEP
        last = min(first + SAMPLES_PER_STEP, self._samples)
        if step == 0:
            for moments in self._moments:
                moments.reset()
        for start in range(first, last, DRAWN_AT_ONCE):
            self._look(range(start, min(start + DRAWN_AT_ONCE, last)))
        if last == self._samples and self._classifier:
            untouched, *walked = self._moments[: len(self._alphas)]
            self._distances[1:] = torch.tensor([frechet_distance(one, untouched) for one in walked])

    def sample(self, step: int) -> Sample:
        """What the slider does to some latents, over its limits."""
        pictures = sheet(self.walker.strips(), self.walker.generator.spec.range)
        return Sample(step, f"limits of {self.walker.name}", pictures)

    def measures(self, pause: Callable[[], None]) -> Mapping[str, float]:
        """All of them, at each alpha but 0, where there is nothing to tell; and how far either side can go."""
        rungs = {alpha: self._rung(place) for place, alpha in sorted(enumerate(self._alphas), key=itemgetter(1))}
        found = {f"{what}.{alpha:+.4g}": one for alpha, rung in rungs.items() if alpha for what, one in rung.items()}
        gains = [(alpha, rung["gain"]) for alpha, rung in rungs.items() if alpha and "gain" in rung]
        kept, calibration = self._class_kept(), self.calibration()
        if gains:
            found |= self._ends("gain", half_as_good(gains))
        if kept:
            found |= self._ends("class_kept", kept)
        if calibration:
            least, greatest = calibration.reach
            found |= {"calibrated.low": least, "calibrated.high": greatest}
        if self._reach:
            found |= self._reach.measures(pause)
        return {f"limits.{self.walker.name}.{name}": value for name, value in found.items()}

    def calibration(self) -> Calibration | None:
        """Which amount it achieves at which alpha; None if it imitates no edit, or achieves nothing of it."""
        if self._achieved is None:
            return None
        places = enumerate(self._alphas[1:], start=1)
        achieved = {alpha: self._achieved.amount(place) for place, alpha in places}
        return calibration_of(self.walker.slider, achieved, self._class_kept())

    # -- looking -----------------------------------------------------------------------------------------------------

    def _look(self, rows: range) -> None:
        """Adds up what is seen of some latents, which fit into memory together."""
        pictures = self.walker.pictures(rows)
        untouched = before = next(pictures)
        classes: Tensor | None = None
        for place, walked in enumerate(chain([untouched], pictures)):
            seen = {name: values.double() for name, values in attributes(self._attributes, walked).items()}
            if self._reach:
                self._reach.add(place, seen, self.walker.classes(rows))
            seen |= {_squared(name): values.square() for name, values in seen.items()}
            seen |= self._compared(untouched, walked, self._alphas[place])
            if self._achieved and rows.start < MATCHED:
                self._achieved.add(place, untouched, walked)
            if place:
                begins = self._alphas[place - 1] * self._alphas[place] <= 0  # either side does so at the untouched one
                seen["step_distance"] = self._differ(untouched if begins else before, walked)
                before = walked
            if self._classifier:
                features = self._classifier.features(walked)
                now = self._classifier.logits(features).argmax(dim=1)
                classes = now if classes is None else classes
                self._moments[place].add(features)
                seen["class_kept"] = now == classes
            for name, values in seen.items():
                self._sums[name][place] += values.double().sum().cpu()

    def _compared(self, untouched: Tensor, walked: Tensor, alpha: float) -> Mapping[str, Tensor]:
        """The errors [N] of walked and of untouched pictures against edited ones; nothing without an edit."""
        edit = self.walker.slider.imitated
        if edit is None:
            return {}
        amounts = torch.full((len(walked),), self.walker.slider.amount_of(alpha))
        target, mask = edit(untouched, amounts)
        pairs = {"error": walked, "baseline": untouched}
        return {name: masked_squared_error(pictures, target, mask) for name, pictures in pairs.items()}

    # -- telling -----------------------------------------------------------------------------------------------------

    def _ends(self, what: str, alphas: Span) -> Mapping[str, float]:
        """Between which amounts of the edit it is so, or between which alphas of a slider that imitates none."""
        low, high = sorted(map(self.walker.slider.amount_of, alphas))
        return {f"{what}.low": low, f"{what}.high": high}

    def _class_kept(self) -> Span | None:
        """Between which alphas pictures keep their class; None without a classifier."""
        if self._classifier is None:
            return None
        kept = [(alpha, self._mean("class_kept", place)) for place, alpha in enumerate(self._alphas)]
        return above(sorted(kept), STILL_THE_SAME)

    def _rung(self, place: int) -> Mapping[str, float]:
        """What there is to tell of an alpha."""
        step = {"step_distance": self._mean("step_distance", place)}
        return {**self._imitated(place), **step, **self._shifts(place), **self._told(place)}

    def _mean(self, name: str, place: int) -> float:
        return self._sums[name][place].item() / self._samples

    def _imitated(self, place: int) -> Mapping[str, float]:
        """What the edit asks for, what the walk does of it, and how near it comes; no errors where nothing is left."""
        if self._achieved is None:
            return {}
        amount = {
            "amount": self.walker.slider.amount_of(self._alphas[place]),
            "achieved": self._achieved.amount(place),
        }
        error, baseline = self._mean("error", place), self._mean("baseline", place)
        return amount | ({"error": error, "baseline": baseline, "gain": 1 - error / baseline} if baseline else {})

    def _shifts(self, place: int) -> Mapping[str, float]:
        """How far attributes shift in the mean, in their deviations among untouched pictures, if they have any."""
        shifts: dict[str, float] = {}
        for name in self._attributes:
            mean = self._mean(name, 0)
            variance = self._mean(_squared(name), 0) - mean**2
            if variance > 0:
                shifts[f"{name}_shift"] = (self._mean(name, place) - mean) / variance**0.5
        return shifts

    def _told(self, place: int) -> Mapping[str, float]:
        if self._classifier is None:
            return {}
        kept = self._mean("class_kept", place)
        return {"frechet_distance": self._distances[place].item(), "class_kept": kept}


def _squared(name: str) -> str:
    return f"{name}_squared"
