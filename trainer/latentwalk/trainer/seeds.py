"""Where everything random of a job comes from: its seed, the step and the row, and nothing else.

So a step can be repeated after a kill without any state of a random number generator. The seeds of training latents
have their highest bit set, those of held-out ones have not: the two never meet, whatever the job's seed.
"""

import hashlib
import struct
from collections.abc import Generator, Iterable
from contextlib import contextmanager

import torch

_TRAINING = 1 << 63


def training_seeds(job_seed: int, step: int, rows: Iterable[int]) -> list[int]:
    """The seeds of some rows of the latents of one step; all are 2^63 or more."""
    return [_TRAINING | _mixed("latent", job_seed, step, row) for row in rows]


@contextmanager
def fresh_weights(job_seed: int) -> Generator[None]:
    """Within it, new weights follow from the job's seed; torch's own random numbers are left as they were."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_mixed("weights", job_seed))
        yield


def order_generator(job_seed: int, epoch: int) -> torch.Generator:
    """What a data set is shuffled with before one epoch."""
    return torch.Generator().manual_seed(_mixed("order", job_seed, epoch))


def held_out_seeds(rows: int) -> range:
    """The seeds on which every job is measured: 0, 1, 2, ..., so that jobs can be compared."""
    return range(rows)


def redrawn(seed: int, attempt: int) -> int:
    """Another seed instead of this one, of training if it is, held out if it is."""
    return (seed & _TRAINING) | _mixed("redrawn", seed, attempt)


def draw_generator(job_seed: int, step: int) -> torch.Generator:
    """What the amounts and classes of one step are drawn with."""
    return torch.Generator().manual_seed(_mixed("draw", job_seed, step))


def held_out_generator(purpose: str) -> torch.Generator:
    """What the amounts and classes of held-out rows are drawn with; the same for every job."""
    return torch.Generator().manual_seed(_mixed(f"held out {purpose}"))


def _mixed(purpose: str, *numbers: int) -> int:
    """63 bits that depend on all of the arguments."""
    hasher = hashlib.blake2b(struct.pack(f"<{len(numbers)}Q", *numbers), key=purpose.encode(), digest_size=8)
    return int.from_bytes(hasher.digest(), "little") & (_TRAINING - 1)
