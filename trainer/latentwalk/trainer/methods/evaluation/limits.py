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
from torch import nn

from latentwalk.gan.attributes import attributes, attributes_of
from latentwalk.gan.classifiers import Classifier
from latentwalk.gan.directions import Calibration
from latentwalk.gan.edits import Span
from latentwalk.gan.likeness import Moments
from latentwalk.gan.limits import above, half_as_good
from latentwalk.trainer.distances import Differ
from latentwalk.trainer.methods.evaluation.achieved import MATCHED, Achieved
from latentwalk.trainer.methods.evaluation.calibrating import calibration_of
from latentwalk.trainer.methods.evaluation.classes import ClassesKept
from latentwalk.trainer.methods.evaluation.imitation import Imitation
from latentwalk.trainer.methods.evaluation.measure import Measure
from latentwalk.trainer.methods.evaluation.reach import Reach, Spread
from latentwalk.trainer.methods.evaluation.shifts import Shifts
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
        self.walker, self._samples, self._differ, self._classifier = walker, samples, differ, classifier
        self._alphas = (0.0, *walker.alphas)
        places, edit = len(self._alphas), walker.slider.imitated
        self._steps = torch.zeros(places, dtype=torch.float64)
        self._shifts = Shifts(attributes_of(walker.generator.spec.channels), places)
        self._imitation = edit and Imitation(walker.slider, edit, self._alphas)
        self._achieved = edit and Achieved(walker.slider, edit, places)
        self._classes = ClassesKept(places, moments) if classifier else None
        self._reach = spread and Reach(spread, places, by_class=walker.slider.class_id is None)
        parts = {
            "shifts": self._shifts,
            "imitation": self._imitation,
            "achieved": self._achieved,
            "classes": self._classes,
            "reach": self._reach,
        }
        self.gathered = nn.ModuleDict({name: part for name, part in parts.items() if part})
        self.gathered.register_buffer("steps", self._steps)

    def take(self, step: int) -> None:
        """Adds up what is seen of some latents, at every alpha."""
        first = step * SAMPLES_PER_STEP
        last = min(first + SAMPLES_PER_STEP, self._samples)
        if step == 0 and self._classes:
            self._classes.begin()
        for start in range(first, last, DRAWN_AT_ONCE):
            self._look(range(start, min(start + DRAWN_AT_ONCE, last)))
        if last == self._samples and self._classes:
            self._classes.end()

    def sample(self, step: int) -> Sample:
        """What the slider does to some latents, over its limits."""
        return Sample(step, f"limits of {self.walker.name}", sheet(self.walker.strips()))

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
        for place, walked in enumerate(chain([untouched], pictures)):
            seen = attributes(self._shifts.names, walked)
            self._shifts.add(place, seen)
            if self._reach:
                self._reach.add(place, seen, self.walker.classes(rows))
            if self._imitation:
                self._imitation.add(place, untouched, walked)
            if self._achieved and rows.start < MATCHED:
                self._achieved.add(place, untouched, walked)
            if self._classifier and self._classes:
                features = self._classifier.features(walked)
                self._classes.add(place, features, self._classifier.logits(features).argmax(dim=1))
            if place:
                begins = self._alphas[place - 1] * self._alphas[place] <= 0  # either side does so at the untouched one
                self._steps[place] += self._differ(untouched if begins else before, walked).double().sum().cpu()
                before = walked

    # -- telling -----------------------------------------------------------------------------------------------------

    def _ends(self, what: str, alphas: Span) -> Mapping[str, float]:
        """Between which amounts of the edit it is so, or between which alphas of a slider that imitates none."""
        low, high = sorted(map(self.walker.slider.amount_of, alphas))
        return {f"{what}.low": low, f"{what}.high": high}

    def _class_kept(self) -> Span | None:
        """Between which alphas pictures keep their class; None without a classifier."""
        if self._classes is None:
            return None
        kept = [(alpha, self._classes.share(place, self._samples)) for place, alpha in enumerate(self._alphas)]
        return above(sorted(kept), STILL_THE_SAME)

    def _rung(self, place: int) -> Mapping[str, float]:
        """What there is to tell of an alpha."""
        step = {"step_distance": self._steps[place].item() / self._samples}
        achieved = {"achieved": self._achieved.amount(place)} if self._achieved else {}
        parts = [part.measures(place, self._samples) for part in (self._imitation, self._shifts, self._classes) if part]
        return dict(chain.from_iterable(told.items() for told in (step, achieved, *parts)))
