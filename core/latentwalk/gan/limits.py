"""How far a slider can be walked.

Jahanian, Chai and Isola, "On the steerability of generative adversarial networks" (ICLR 2020), section 3.2: a walk does
what it is asked for up to some amount, beyond which pictures no longer follow, or are no longer of the same thing.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeAlias

from latentwalk.gan.directions.calibration import along
from latentwalk.gan.edits import Span

RUNGS = 6
"""Alphas that are looked at on either side of 0."""

Rung: TypeAlias = tuple[float, float]
"""An alpha, and what was measured there."""


def ladder(limit: Span) -> tuple[float, ...]:
    """The alphas to look at, rising: RUNGS equal steps from 0 to either limit, without 0 itself."""
    low, high = limit
    shares = [rung / RUNGS for rung in range(1, RUNGS + 1)]  # of 1 at the end, so that no limit is rounded
    down = [low * share for share in reversed(shares) if low < 0]
    up = [high * share for share in shares if high > 0]
    return tuple(alpha for alpha in (*down, *up) if low <= alpha <= high)


def half_as_good(rungs: Sequence[Rung]) -> Span:
    """How far either side of 0 is good for: from its best rung on outward, up to where it is half as good.

    rungs: by rising alpha, without 0. The sides are apart, because to zoom in is another edit than to zoom out. 0 for a
    side on which nothing is above 0. Between two rungs what was measured goes along a line, here and below.
    """
    low, high = (_half_as_good(side) for side in _sides(rungs))
    return low, high


def above(rungs: Sequence[Rung], least: float) -> Span:
    """How far on either side of 0, outward, all is above the least that is wanted; rungs: by rising alpha, with 0."""
    low, high = (_last(side, least) for side in _sides(rungs))
    return low, high


def rising(rungs: Sequence[Rung], least: float) -> tuple[Rung, ...]:
    """Those rungs about 0, outward, before a step brings less than ``least`` for each alpha of it.

    rungs: by rising alpha, with 0. What is measured is to rise with alpha.
    """
    low, high = (_rising(side, least) for side in _sides(rungs))
    return (*reversed(low[1:]), *high)


def cut(rungs: Sequence[Rung], alphas: Span) -> tuple[Rung, ...]:
    """The rungs between two alphas, of which the ends lie on the line through the rungs; rungs: by rising alpha."""
    if len(rungs) < 2:
        return tuple(rungs)
    places, values = zip(*rungs, strict=True)
    ends = max(alphas[0], places[0]), min(alphas[1], places[-1])
    first, last = ((end, along(end, places, values)) for end in ends)
    inner = (rung for rung in rungs if ends[0] < rung[0] < ends[1])
    return tuple(dict.fromkeys((first, *inner, last)))


def _sides(rungs: Sequence[Rung]) -> tuple[list[Rung], list[Rung]]:
    """Those at and below 0, and those at and above it, both outward."""
    return [rung for rung in reversed(rungs) if rung[0] <= 0], [rung for rung in rungs if rung[0] >= 0]


def _rising(side: Sequence[Rung], least: float) -> list[Rung]:
    kept = list(side[:1])
    for (inner, before), (outer, after) in pairwise(side):
        if not (after - before) / (outer - inner) >= least:
            break
        kept.append((outer, after))
    return kept


def _half_as_good(side: Sequence[Rung]) -> float:
    best = max(range(len(side)), key=lambda place: side[place][1], default=0)
    return _last(side[best:], side[best][1] / 2) if side and side[best][1] > 0 else 0.0


def _last(side: Sequence[Rung], least: float) -> float:
    """The last alpha, outward, before the line through the rungs falls below the least; 0 if it begins there."""
    if not side or side[0][1] < least:
        return 0.0
    for (inner, before), (outer, after) in pairwise(side):
        if after < least:
            return inner + (outer - inner) * (before - least) / (before - after)
    return side[-1][0]
