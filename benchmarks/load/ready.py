"""The wait for a service that has just been started."""

import asyncio
import time

from benchmarks.load.call import CallFailed
from benchmarks.load.codes import code_of
from benchmarks.load.wires import WIRES


async def wait_for(wire: str, address: str, *, seconds: float, seed: int) -> None:
    """Returns after the first picture. Raises TimeoutError if there is none within the seconds."""
    until, problem = time.monotonic() + seconds, "it was not asked"
    while time.monotonic() < until:
        try:
            async with WIRES[wire](address) as ask, asyncio.timeout(seconds):
                await ask(code_of(seed))
                return
        except (CallFailed, OSError, EOFError, IndexError, TimeoutError) as error:
            problem = repr(error)
        await asyncio.sleep(0.2)
    raise TimeoutError(f"{address} drew nothing within {seconds:g} s: {problem}")
