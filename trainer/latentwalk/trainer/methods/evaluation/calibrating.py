"""From the amounts that a slider was seen to achieve to its calibration."""

from collections.abc import Mapping

from latentwalk.gan.directions import Calibration, Slider
from latentwalk.gan.edits import Span
from latentwalk.gan.limits import cut, rising

_LEAST_RISE = 0.1
"""Where a step of alpha brings less than this part of what it was to bring, amounts do not tell alphas apart."""


def calibration_of(slider: Slider, achieved: Mapping[float, float], kept: Span | None) -> Calibration | None:
    """The calibration of a slider without one, from the amount that it achieves at each alpha but 0.

    It reaches as far on either side of 0 as more alpha brings more, and, if that was measured, within the alphas at
    which pictures keep their class. None if that is nowhere.
    """
    edit = slider.imitated
    assert edit is not None  # noqa: S101 - of others, no amounts are achieved
    # By the alphas that were to achieve these amounts.
    seen = {0.0: 0.0, **{alpha: edit.linear(amount) / slider.scale for alpha, amount in achieved.items()}}
    rungs = rising(sorted(seen.items()), _LEAST_RISE)
    if kept is not None:
        rungs = cut(rungs, kept)
    if len(rungs) < 2:
        return None
    alphas, asked = zip(*rungs, strict=True)
    least, greatest = edit.domain
    # The end of a domain may have gone beyond it by rounding.
    return Calibration(alphas, tuple(min(max(slider.amount_of(one), least), greatest) for one in asked))
