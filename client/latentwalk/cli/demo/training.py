"""The demo's directions: one job each, all followed at once."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime

from rich.progress import Progress

from latentwalk.cli.demo.tour import TOUR
from latentwalk.cli.failures import CommandFailed
from latentwalk.cli.progress import add_bar, job_bars, show_event
from latentwalk.client import AsyncClient, Job, JobState, LatentwalkError

BATCH_SIZE = 16


async def train_directions(server: str, trainer: str, model: str, steps: int) -> dict[str, Job]:
    """Trains a linear direction for each edit of the tour; gives the ended jobs by direction.

    When it returns, the server has loaded every direction: CommandFailed if it could not.
    """
    begin = datetime.now(UTC)
    async with AsyncClient(server, trainer_address=trainer) as client:
        try:
            with job_bars() as bars:
                jobs = await asyncio.gather(*(train(client, model, name, steps, bars) for name in TOUR))
        except BaseException:
            await cancel_since(client, begin)
            raise
    return dict(zip(TOUR, jobs, strict=True))


async def train(client: AsyncClient, model: str, name: str, steps: int, bars: Progress) -> Job:
    """Makes one job and shows it until it has ended."""
    bar = add_bar(bars, name)
    handle = await client.train_edit(model, name, edits=name, steps=steps, batch_size=BATCH_SIZE)
    async for event in handle.watch():
        show_event(bars, bar, event)
    job = await handle.describe()
    result = job.outcome()
    if not all(one.loaded for one in result.artifacts):
        raise CommandFailed(f"the server has not loaded {name}: {result.load_error}")
    return job


async def cancel_since(client: AsyncClient, begin: datetime) -> None:
    """A demo that does not come to its end leaves no job behind that would go on with the next one."""
    with suppress(LatentwalkError):
        for job in await client.jobs(states=(JobState.QUEUED, JobState.RUNNING)):
            if job.create_time >= begin:
                await client.job(job.id).cancel()
