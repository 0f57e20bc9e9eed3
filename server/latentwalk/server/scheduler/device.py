"""The thread that owns the device, and the watch over it."""

import asyncio
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

    def join(self, seconds: float | None = None) -> bool:
        """Waits for the batch that runs, at most so long; returns whether it ended. The scheduler must be closed."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while self._scheduler.wait():
            self._scheduler.step()


async def watch_device(scheduler: Scheduler[Any, Any, Any], seconds: float) -> None:
    """Looks after the device every so many seconds, until it is cancelled."""
    while True:
        await asyncio.sleep(seconds)
        scheduler.check_device()
