"""What a batch costs: seconds = a * n + b, learned while serving. Plain numbers: no clock of its own."""

from collections.abc import Mapping

# A batch counts this much less with each one after it: some fifty batches are remembered.
_FORGETTING = 0.98
# Below this variance of the sizes, as a part of their mean square, the slope would be read off noise.
_LEAST_VARIANCE = 1e-3


class BatchCost:
    """Least squares over the batches so far, the older ones counting less; both parts are kept above or at 0.

    `measured` are seconds by batch size from before the first batch, as an engine measures when it warms up.
    """

    def __init__(self, measured: Mapping[int, float] | None = None) -> None:
        self._weight = self._n = self._seconds = self._nn = self._n_seconds = 0.0
        self.per_picture = 0.0
        """a: seconds that each further picture of a batch takes."""
        self.per_batch = 0.0
        """b: seconds that a batch takes whatever its size."""
        for size, seconds in (measured or {}).items():
            self.observe(size, seconds)

    @property
    def known(self) -> bool:
        """Whether anything was measured yet; before, all costs are 0."""
        return self._weight > 0

    def observe(self, pictures: int, seconds: float) -> None:
        """A batch of so many pictures took so long."""
        keep = _FORGETTING
        self._weight = keep * self._weight + 1
        self._n = keep * self._n + pictures
        self._seconds = keep * self._seconds + seconds
        self._nn = keep * self._nn + pictures * pictures
        self._n_seconds = keep * self._n_seconds + pictures * seconds
        self._fit()

    def seconds(self, pictures: int, bucket: int) -> float:
        """How long so many pictures take on an otherwise idle device, in batches of at most `bucket`."""
        return pictures * self.per_picture + -(-pictures // bucket) * self.per_batch

    def _fit(self) -> None:
        n, seconds = self._n / self._weight, self._seconds / self._weight
        variance = self._nn / self._weight - n * n
        if variance > _LEAST_VARIANCE * n * n:
            slope = (self._n_seconds / self._weight - n * seconds) / variance
        else:
            # All batches were of one size, which tells the sum of the two parts only: keep their proportion.
            slope = seconds / n * self._share_of_pictures(n)
        # b >= 0 needs a <= mean seconds / mean size; with a >= 0, that also keeps b <= mean seconds.
        self.per_picture = min(max(slope, 0.0), seconds / n)
        self.per_batch = max(0.0, seconds - self.per_picture * n)

    def _share_of_pictures(self, n: float) -> float:
        known = self.per_picture * n + self.per_batch
        return self.per_picture * n / known if known > 0 else 1.0
