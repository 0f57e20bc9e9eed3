"""The watch over the device."""

import asyncio
from typing import Any

from latentwalk.server.scheduler.core import Scheduler


async def watch_device(scheduler: Scheduler[Any, Any, Any], seconds: float) -> None:
    """Looks after the device every so many seconds, until it is cancelled."""
    while True:
        await asyncio.sleep(seconds)
        scheduler.check_device()
