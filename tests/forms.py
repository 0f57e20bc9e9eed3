"""A small direction of each form, with two sliders."""

from typing import Any

import torch

from latentwalk.gan.directions import DeformedDirection, IteratedDirection, LinearDirection, RbfDirection, Slider
from latentwalk.gan.directions.deformed import DeformingNetwork

SIZE = 7
SLIDERS = tuple(Slider(name, "", "", 1.0, (-1.0, 1.0), (-3.0, 3.0)) for name in ("a", "b"))
COMMON: dict[str, Any] = {"name": "d", "generator_digest": "sha256:0", "sliders": SLIDERS}


def noise(*shape: int, seed: int = 0, scale: float = 0.3) -> torch.Tensor:
    return scale * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def linear(size: int = SIZE, **rest: Any) -> LinearDirection:
    return LinearDirection(**COMMON, vectors=noise(2, size), **rest)


def iterated(size: int = SIZE, **rest: Any) -> IteratedDirection:
    weights = {"inner": noise(2, 2, size, size, seed=1), "outer": noise(2, 2, size, size, seed=2)}
    biases = {"inner_bias": noise(2, 2, size, seed=3), "outer_bias": noise(2, 2, size, seed=4)}
    return IteratedDirection(**COMMON, **weights, **biases, **{"steps": 4, **rest})


def deformed(size: int = SIZE, **rest: Any) -> DeformedDirection:
    torch.manual_seed(5)
    network = DeformingNetwork(2, size, width=16)
    network(torch.randn(64, 2))  # so that its normalisation has seen something
    return DeformedDirection(**COMMON, deformator=network.eval(), reach=2.0, **rest)


def rbf(size: int = SIZE, **rest: Any) -> RbfDirection:
    landscape = {"supports": noise(2, 6, size, scale=1.0), "weights": noise(2, 6, seed=1, scale=1.0)}
    return RbfDirection(**COMMON, **landscape, gammas=noise(2, 6, seed=2).abs() + 0.1, step=0.25, reach=1.1, **rest)
