"""Latents on their way to the wire. Shapes: N latents, Z numbers each."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentwalk.client._errors import InvalidRequest
from latentwalk.client._numbers import UINT64, number, numbers, whole
from latentwalk.client._styles import Styles, set_styles
from latentwalk.client._values import elements
from latentwalk.v1 import latent_pb2 as pb
from latentwalk.v1 import tensor_pb2

Seeds = int | Iterable[int]
"""One seed or several, each from 0 to 2**64 - 1."""

Class = int | Mapping[int, float]
"""One class by its number, or several with their weights: {3: 0.5, 5: 0.5}. Weights are divided by their sum."""

Classes = Class | Iterable[Class]
"""One class for every latent, or one for each."""


def latents(
    seeds: Seeds | None, z: ArrayLike | None, w: ArrayLike | None, classes: Classes | None, styles: Styles | None
) -> list[pb.Latent]:
    """One message for each latent, from seeds, a `z` [Z] or [N, Z], or a `w` [W], [N, W] or [N, L, W].

    Exactly one of the three must be given.
    """
    if sum(given is not None for given in (seeds, z, w)) != 1:
        raise InvalidRequest.of("latents", "give one of seeds, z and w")
    codes = _from_seeds(seeds) if seeds is not None else _from_z(z) if z is not None else _from_w(w)
    for latent, condition in zip(codes, _conditions(classes, len(codes)), strict=True):
        if condition is not None:
            latent.condition.CopyFrom(condition)
    set_styles(codes, styles)
    return codes


def _from_seeds(seeds: Seeds) -> list[pb.Latent]:
    listed = elements("seeds", seeds, "a seed or a list of seeds") if isinstance(seeds, Iterable) else [seeds]
    return [pb.Latent(seed=whole(f"seeds[{i}]", seed, high=UINT64)) for i, seed in enumerate(listed)]


def _from_z(z: ArrayLike | None) -> list[pb.Latent]:
    rows = _rows("z", z)
    if rows.ndim != 2:
        raise InvalidRequest.of("z", f"shape {list(rows.shape)}, must be [Z] or [N, Z]")
    return [pb.Latent(z=tensor(row)) for row in rows]


def _from_w(w: ArrayLike | None) -> list[pb.Latent]:
    rows = _rows("w", w)
    if rows.ndim == 2:
        return [pb.Latent(w=tensor(row)) for row in rows]
    if rows.ndim != 3:
        raise InvalidRequest.of("w", f"shape {list(rows.shape)}, must be [W], [N, W] or, for each layer, [N, L, W]")
    return [pb.Latent(w_plus=tensor(row)) for row in rows]


def _rows(field: str, codes: ArrayLike | None) -> NDArray[np.float32]:
    return np.atleast_2d(numbers(field, codes, "<f4"))


def tensor(row: NDArray[np.float32]) -> tensor_pb2.Tensor:
    """The message of an array of little-endian float32."""
    return tensor_pb2.Tensor(dtype=tensor_pb2.DATA_TYPE_FLOAT32, shape=row.shape, data=row.tobytes())


def _conditions(classes: Classes | None, n: int) -> list[pb.Condition] | list[None]:
    if classes is None:
        return [None] * n
    several = isinstance(classes, Iterable) and not isinstance(classes, Mapping)
    each = elements("classes", classes, "a class, a mixture, or a list of those") if several else [classes] * n
    if len(each) != n:
        raise InvalidRequest.of("classes", f"{len(each)} classes for {n} latents; give one for all, or one for each")
    return [_condition(f"classes[{i}]", one) for i, one in enumerate(each)]


def _condition(field: str, one: Any) -> pb.Condition:
    if isinstance(one, Mapping):
        weights = {whole(field, class_id): number(f"{field}[{class_id}]", weight) for class_id, weight in one.items()}
        return pb.Condition(class_mix=pb.ClassMix(weights=weights))
    return pb.Condition(class_id=whole(field, one))
