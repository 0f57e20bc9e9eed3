"""How any number of rows becomes batches of the few sizes that are warm."""

from collections.abc import Mapping, Sequence

# Several times what the scheduler lets a batch take while a smaller one can be had: it will not ask for so large a one.
_LONGEST_SECONDS = 4.0


def buckets_up_to(largest: int) -> tuple[int, ...]:
    """1, 2, 4, 8, ... and the largest itself."""
    powers = [1 << exponent for exponent in range(largest.bit_length()) if 1 << exponent < largest]
    return (*powers, largest)


def takes_too_long(size: int, seconds: Mapping[int, float]) -> bool:
    """Whether a batch of that size is of no use, by the seconds that one of it took, or of the next smaller size known.

    False for the smallest size, and for as long as nothing is known.
    """
    known = max((other for other in seconds if other <= size), default=size)
    return size > min(seconds, default=size) and seconds[known] * size / known > _LONGEST_SECONDS


class Plan:
    """The batches that take the least time for any number of rows, by the seconds that one of each size takes.

    Where a larger batch costs hardly more than a smaller one, as on a GPU, the plan fills it up; where time grows with
    the rows, as on a CPU, it takes several that fit: 5 rows are 4 + 1, or one batch of 8.
    """

    def __init__(self, seconds: Mapping[int, float]) -> None:
        self._largest = max(seconds)
        self._first = [0] * (self._largest + 1)
        least = [0.0] * (self._largest + 1)
        for rows in range(1, self._largest + 1):
            # Of equals the largest one: fewer batches.
            least[rows], _, self._first[rows] = min(
                (seconds[bucket] + least[max(0, rows - bucket)], -bucket, bucket) for bucket in seconds
            )

    def split(self, rows: int) -> Sequence[int]:
        """Sizes of batches that hold so many rows; only the last one may have room left."""
        sizes: list[int] = []
        while rows > 0:
            size = self._largest if rows > self._largest else self._first[rows]
            sizes.append(size)
            rows -= size
        return sizes
