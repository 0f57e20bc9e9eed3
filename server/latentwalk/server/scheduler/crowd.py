"""How many pictures are worth waiting for though the device is free. Plain numbers: no clock of its own."""

from latentwalk.server.scheduler.experience import Experience

# The largest number of streams is that of the last one or two stretches of so long.
_STRETCH_SECONDS = 0.25
# Whoever waits for others does so where that takes less than this part of what drawing one by one takes.
_WORTHWHILE = 0.5


class Crowd:
    """Knows how many streams there were at once of late.

    `now` is on any clock of seconds that only ever grow.
    """

    def __init__(self, now: float) -> None:
        self._since = now
        self._most = self._most_before = 0

    def see(self, streams: int, now: float) -> None:
        """So many streams are open."""
        if (passed := now - self._since) >= _STRETCH_SECONDS:
            self._most_before = self._most if passed < 2 * _STRETCH_SECONDS else 0
            self._since, self._most = now, 0
        self._most = max(self._most, streams)

    def wanted(self, experience: Experience) -> int:
        """How many pictures the next batch should have, of which some may have yet to come.

        Half of those there are: while some are drawn, the others' callers get theirs, and ask again. One, which is to
        wait for nobody, unless so many at once cost much less than one by one: then the device is not what all wait
        for, and each batch costs the one who forms it, too.
        """
        pictures = min(experience.enough, max(self._most, self._most_before) // 2)
        alone = pictures * experience.seconds(1)
        return pictures if experience.seconds(pictures) < _WORTHWHILE * alone else 1
