"""The thread that owns the device."""

import threading
from typing import Any

from latentwalk.server.scheduler.core import Scheduler


class DeviceThread:
    """Draws batch after batch until the scheduler is closed; launches whenever it is free and something waits."""

    def __init__(self, scheduler: Scheduler[Any, Any, Any]) -> None:
        self._scheduler = scheduler
        self._thread = threading.Thread(target=self._run, name="device", daemon=True)

    def start(self) -> None:
        """Begins to draw."""
        self._thread.start()

    def join(self) -> None:
        """Waits for the batch that runs; the scheduler must have been closed."""
        self._thread.join()

    def _run(self) -> None:
        while self._scheduler.wait():
            self._scheduler.step()
