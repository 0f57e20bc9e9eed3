"""Latents from seeds, conditions from classes."""

import math
from collections.abc import Sequence
from threading import Lock

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from latentwalk.gan.errors import OutOfRange
from latentwalk.gan.spec import GeneratorSpec

MAX_SEED = 2**64 - 1
# Where latents are cut off before they are scaled by a truncation, as the published BigGAN does it.
_CUT_OFF = 2.0
# One for all keys, and all threads: it takes ten times as long to make another one as to give this one another key.
_philox, _philox_lock = np.random.Philox(key=0), Lock()
_UNUSED = _philox.state


def latents_from_seeds(seeds: Sequence[int], spec: GeneratorSpec, bound: float | None = None) -> Tensor:
    """The latents that seeds stand for with a generator, float32 [N, Z] on the CPU; row i depends on seeds[i] alone.

    They follow the law that the generator was made for: standard normal, or, where the spec has a truncation t, t times
    a standard normal one cut off at +-2 (the truncation trick of Brock et al. 2019, arXiv:1809.11096, section 3.1, as
    their published modules have it). ``bound`` cuts that law off at +-bound. Raises OutOfRange as z_from_seeds.
    """
    z = z_from_seeds(seeds, spec.latent_size)
    if spec.truncation is None:
        return z if bound is None else truncate(z, bound)
    cut_off = _CUT_OFF if bound is None else min(_CUT_OFF, bound / spec.truncation)
    return spec.truncation * truncate(z, cut_off)


def z_from_seeds(seeds: Sequence[int], latent_size: int) -> Tensor:
    """Standard normal latents, float32 [N, Z] on the CPU; row i depends on seeds[i] alone, and on all its 64
    bits.

    Philox4x64-10 (Salmon et al. 2011) keyed by the seed gives 64-bit words, and the transform of Box and
    Muller (1958) turns two of them into two normal numbers. Not torch.Generator: on the CPU it keeps 32 bits
    of a seed. A shorter latent is the beginning of a longer one. Raises OutOfRange for a seed outside 0 to
    2^64 - 1.
    """
    return _normal(seeds, latent_size, stream=0)


def noise_from_seeds(seeds: Sequence[int], size: int) -> Tensor:
    """Standard normal noise, float32 [N, P] on the CPU, as z_from_seeds but independent of the latents of its seeds."""
    return _normal(seeds, size, stream=1)


def _normal(seeds: Sequence[int], size: int, stream: int) -> Tensor:
    """float32 [N, size]: row i depends on seeds[i] and the stream alone, which make up the key."""
    words = np.empty((len(seeds), size + size % 2), dtype=np.uint64)
    for row, seed in zip(words, seeds, strict=True):
        if not 0 <= seed <= MAX_SEED:
            raise OutOfRange("seed", seed, 0, MAX_SEED)
        row[:] = _words(seed, stream, len(row))
    uniform = (words >> np.uint64(11)) * 2.0**-53  # [0, 1), 53 bits each
    radius = np.sqrt(-2.0 * np.log(1.0 - uniform[:, 0::2]))
    angle = 2.0 * math.pi * uniform[:, 1::2]
    normal = np.empty((len(seeds), size), np.float32)
    normal[:, 0::2] = radius * np.cos(angle)
    normal[:, 1::2] = (radius * np.sin(angle))[:, : size // 2]
    return torch.from_numpy(normal)


def _words(seed: int, stream: int, count: int) -> NDArray[np.uint64]:
    """The first words of Philox4x64-10 under the key of a seed and a stream."""
    key = np.array([seed, stream], dtype=np.uint64)
    with _philox_lock:
        _philox.state = {**_UNUSED, "state": {**_UNUSED["state"], "key": key}}
        return _philox.random_raw(count)


def truncate(z: Tensor, bound: float) -> Tensor:
    """Standard normal latents as ones of the normal law cut off at +- bound: what drawing again would give.

    Each number goes to the number of the truncated law that has the same rank, so that a seed still says all, and
    nearby latents stay nearby. Not clipped: nothing piles up at the bound.
    """
    low, high = (torch.special.ndtr(torch.tensor(end, dtype=torch.float64)) for end in (-bound, bound))
    ranks = torch.special.ndtr(z.double())
    return torch.special.ndtri(low + ranks * (high - low)).clamp(-bound, bound).to(z.dtype)


def one_hot(class_ids: Sequence[int], classes: int) -> Tensor:
    """Conditions float32 [N, K], 1 at each row's class. Raises OutOfRange for a class outside 0 to K - 1."""
    conditions = np.zeros((len(class_ids), classes), np.float32)
    for condition, class_id in zip(conditions, class_ids, strict=True):
        if not 0 <= class_id < classes:
            raise OutOfRange("class", class_id, 0, classes - 1)
        condition[class_id] = 1
    return torch.from_numpy(conditions)


def classes_in_turn(count: int, classes: int, class_ids: Sequence[int] = ()) -> Tensor | None:
    """Conditions float32 [N, K] of one class after the other, again and again; None without classes.

    Of those that are given, by default of all: 0, 1, ... Raises OutOfRange as one_hot.
    """
    known = class_ids or range(classes)
    return one_hot([known[row % len(known)] for row in range(count)], classes) if classes else None


def class_ids(conditions: Tensor) -> list[int | None]:
    """The class of each condition [N, K]; None for a mixture of several. The inverse of one_hot."""
    weights, classes = conditions.max(dim=1)
    return [
        class_id if weight == 1 else None for weight, class_id in zip(weights.tolist(), classes.tolist(), strict=True)
    ]
