"""On which device a job runs."""

from collections import Counter
from collections.abc import Iterable, Sequence


def freest(devices: Sequence[str], taken: Iterable[str], most: int) -> str | None:
    """The device with the fewest jobs, the first of several such; None if each has as many as it may.

    ``taken`` names the device of every job that runs.
    """
    jobs = Counter(taken)
    device = min(devices, key=lambda one: jobs[one])
    return device if jobs[device] < most else None
