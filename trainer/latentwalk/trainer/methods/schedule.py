"""How step sizes fall while a job trains."""

import math


def half_cosine(step: int, steps: int) -> float:
    """Which share of the first step size a step has, counted from 0: 1 at first, and down to nothing at the end.

    Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts" (ICLR 2017), equation 5; no restarts.
    """
    return (1 + math.cos(math.pi * step / steps)) / 2
