"""How long a call, or several one after the other, may still take."""

import time


class Deadline:
    """So many seconds from now on; None is as long as it takes."""

    def __init__(self, seconds: float | None) -> None:
        self._ends = None if seconds is None else time.monotonic() + seconds

    def seconds_left(self) -> float | None:
        """What is left, at least 0; None without a deadline."""
        return None if self._ends is None else max(0.0, self._ends - time.monotonic())
