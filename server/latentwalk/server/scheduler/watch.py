"""The watch over the device."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from latentwalk.server.scheduler.core import Scheduler
from latentwalk.server.scheduler.errors import DeviceFailed


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


async def seek_device(
    scheduler: Scheduler[Any, Any, Any], find: Callable[[], Awaitable[object]], seconds: float
) -> None:
    """Looks for a device that is lost every so many seconds, until it is cancelled.

    find: returns when there is one, else raises DeviceFailed.

    Without it, a lost device would stay lost: clients that heed health send nothing that would bring it back.
    """
    while True:
        await asyncio.sleep(seconds)
        if scheduler.has_lost_device:
            with suppress(DeviceFailed):
                await find()
                scheduler.found_device()
