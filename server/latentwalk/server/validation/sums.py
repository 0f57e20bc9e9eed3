"""The limits of sliders, of which several movements add up. Shapes: L layers, 1 without a mapping network."""

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from latentwalk.gan.directions import Direction
from latentwalk.gan.walks import Leg, Track
from latentwalk.rpc.errors import InvalidRequest


class Sums:
    """Where sliders stand after leg upon leg: each choice of layers by itself, and in each layer what it comes to.

    Args:
        layers: of the generator.

    """

    def __init__(self, layers: int) -> None:
        self._layers = range(max(1, layers))
        self._held: dict[Track, float] = {}
        self._sums: defaultdict[tuple[Direction, int], NDArray[np.float64]]
        self._sums = defaultdict(lambda: np.zeros(len(self._layers)))

    def add(self, field: str, leg: Leg) -> None:
        """Raises InvalidRequest, for the field of the leg's movements, if one of its ends is beyond a limit."""
        # In between a slider is in between: easing never leaves the way from one end to the other.
        starts, stops = (_ends(leg, stop=stop) for stop in (False, True))
        self._stand(field, starts)
        self._stand(field, stops)
        if leg.frames == 1:
            self._stand(field, starts)

    def _stand(self, field: str, alphas: dict[Track, float]) -> None:
        for track, alpha in alphas.items():
            _check(field, track, alpha)
            self._sums[track.direction, track.slider][self._moved(track)] += alpha - self._held.get(track, 0.0)
            self._held[track] = alpha
        for track in alphas:
            layers = self._moved(track)
            sums = self._sums[track.direction, track.slider][layers]
            for index in (int(sums.argmin()), int(sums.argmax())):
                _check(field, track, float(sums[index]), f" in layer {layers[index]}")

    def _moved(self, track: Track) -> list[int]:
        return list(track.layers or track.direction.layers or self._layers)


def _ends(leg: Leg, *, stop: bool) -> dict[Track, float]:
    """Where all that a leg moves stands at one of its ends."""
    alphas: defaultdict[Track, float] = defaultdict(float)
    for stretch in leg.stretches:
        alphas[stretch.track] += stretch.stop if stop else stretch.start
    return alphas


def _check(field: str, track: Track, alpha: float, where: str = "") -> None:
    slider = track.direction.sliders[track.slider]
    if not slider.may_stand_at(alpha):
        limit = f"its limit is from {slider.limit[0]:.6g} to {slider.limit[1]:.6g}"
        raise InvalidRequest(field, f"those of slider {slider.name!r} add up to alpha {alpha:g}{where}; {limit}")
