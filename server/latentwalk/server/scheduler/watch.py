"""The watch over the device."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from latentwalk.server.scheduler.core import Scheduler


async def watch_device(
    scheduler: Scheduler[Any, Any, Any], seconds: float, clock: Callable[[], float] = time.monotonic
) -> None:
    """Looks after the device every so many seconds, until it is cancelled.

    Who has slept much longer was stopped, as a container is that is paused, and the device maybe as well: that is
    judged at the next look.
    """
    while True:
        before = clock()
        await asyncio.sleep(seconds)
        if clock() - before < 2 * seconds:
            scheduler.check_device()
