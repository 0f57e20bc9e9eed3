"""Which frames of a finely drawn path to show, so that pictures change as much from each to the next."""

from itertools import pairwise

import numpy as np

from latentwalk.client._pictures import Pixels


def evenly_spread(frames: Pixels, count: int) -> list[int]:
    """The places of `count` frames among frames [F, R, H, W, C], the first and the last among them; rising.

    How far one is from the next is the root of the mean squared difference of their pixels; how long the path is, all
    of these added up. Each place is that of the frame nearest to where one should be. None is taken twice: beside a
    jump stand frames that are nearer to one another.
    """
    steps = [_distance(before, after) for before, after in pairwise(frames)]
    reached = np.concatenate([[0.0], np.cumsum(steps)])
    if not reached[-1]:
        reached = np.arange(len(frames), dtype=float)
    inner = (int(np.abs(reached - place).argmin()) for place in np.linspace(0, reached[-1], count)[1:-1])
    return _apart([0, *inner, len(frames) - 1], len(frames))


def _distance(before: Pixels, after: Pixels) -> float:
    return float(np.sqrt(np.mean((before.astype(np.float32) - after) ** 2)))


def _apart(places: list[int], frames: int) -> list[int]:
    """The same, each moved to the nearest that leaves room for all of those before it and after it."""
    count, kept = len(places), list[int]()
    for number, place in enumerate(places):
        least = kept[-1] + 1 if kept else 0
        kept.append(min(max(place, least), frames - (count - number)))
    return kept
