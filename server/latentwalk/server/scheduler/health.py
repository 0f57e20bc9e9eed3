"""Whether the device works."""

from collections.abc import Callable, Sequence

from latentwalk.server.scheduler.errors import DeviceLost


class Health:
    """Of one device: it works, hangs, or is lost. `on_device` is told of the changes, and whenever it hangs."""

    def __init__(self, on_device: Callable[[bool], object]) -> None:
        self._on_device = on_device
        self._works = True
        self.hangs = False
        """Whether it does not answer."""

    @property
    def lost(self) -> bool:
        """Whether the last batch found no device, and there has been none since."""
        return not (self._works or self.hangs)

    def hung(self) -> None:
        """It has not answered for too long."""
        self.hangs, self._works = True, False
        self._on_device(False)

    def answered(self, outcomes: Sequence[object]) -> None:
        """A batch has come back, with what became of each of its pictures."""
        self.hangs = False
        self._tell(not any(isinstance(outcome, DeviceLost) for outcome in outcomes))

    def found(self) -> None:
        """If it was lost, it is there again."""
        if self.lost:
            self._tell(True)

    def _tell(self, works: bool) -> None:
        if works != self._works:
            self._works = works
            self._on_device(works)
