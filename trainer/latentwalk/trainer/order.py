"""In which order a data set is seen."""

from functools import lru_cache

import torch
from torch import Tensor

from latentwalk.trainer import seeds


class Order:
    """Epoch after epoch, each in an order of its own that follows from the job's seed and the epoch.

    So which rows a step sees needs no state, and an interrupted job sees them as an undisturbed one does.
    """

    def __init__(self, size: int, job_seed: int) -> None:
        self._size = size
        self._job_seed = job_seed
        self._epoch = lru_cache(maxsize=2)(self._shuffled)

    def rows(self, step: int, batch_size: int) -> Tensor:
        """The rows int64 [N] of one step: the next N of the endless sequence."""
        first, end = step * batch_size, (step + 1) * batch_size
        epochs = range(first // self._size, (end - 1) // self._size + 1)
        sequence = torch.cat([self._epoch(epoch) for epoch in epochs])
        offset = first - epochs[0] * self._size
        return sequence[offset : offset + batch_size]

    def _shuffled(self, epoch: int) -> Tensor:
        return torch.randperm(self._size, generator=seeds.order_generator(self._job_seed, epoch))
