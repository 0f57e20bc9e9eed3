"""The one place that knows all the others, and puts them together."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from prometheus_client import CollectorRegistry

from latentwalk.gan.errors import GanError
from latentwalk.rpc.lifecycle import Doorway
from latentwalk.rpc.program import run_service
from latentwalk.rpc.settings import SettingsError
from latentwalk.trainer.announce import Announcer
from latentwalk.trainer.devices import NoSuchDevice, devices_for_jobs
from latentwalk.trainer.jobs.book import JobBook
from latentwalk.trainer.jobs.claims import claimed
from latentwalk.trainer.jobs.database import DatabaseUnusable
from latentwalk.trainer.jobs.dispatcher import Dispatcher
from latentwalk.trainer.jobs.folders import InUse, lock
from latentwalk.trainer.jobs.process import Launcher
from latentwalk.trainer.jobs.store import JobStore
from latentwalk.trainer.metrics import JobCounts, Metrics
from latentwalk.trainer.servicer import ROLES, SERVICE_NAME, TrainingServicer
from latentwalk.trainer.settings import Settings
from latentwalk.trainer.sharing import Unshareable, check_devices
from latentwalk.trainer.translation import translate
from latentwalk.v1 import training_service_pb2_grpc

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

# What a writer has left aside in the artifact store for so long, nobody will publish any more.
_ABANDONED_SECONDS = 24 * 3600.0


@asynccontextmanager
async def serving(settings: Settings, tracer: "Tracer | None" = None) -> AsyncGenerator[Doorway]:
    """A trainer that serves within the context and drains at its end: running jobs write a checkpoint, and wait.

    Raises AddressInUse; InUse if another trainer works in the folder or with the database; DatabaseUnusable;
    NoSuchDevice, and Unshareable if its devices do not let processes share a job; SettingsError for files that cannot
    be used, GanError or OSError for a store that cannot be opened.
    """
    devices = devices_for_jobs(settings.devices)
    check_devices(devices, settings.processes_per_job)
    announcer = _announcer(settings)
    registry = CollectorRegistry()
    doorway = Doorway(settings, {SERVICE_NAME: ROLES}, registry, translate, tracer)
    with _folder(settings.folder), claimed(settings.database) as claim:
        sources = settings.sources
        materials = sources.open()
        await asyncio.to_thread(materials.store.sweep, before=time.time() - _ABANDONED_SECONDS)
        store = JobStore(settings.database, settings.max_queued_jobs, settings.retention, claim=claim)
        registry.register(JobCounts(store))
        book = JobBook(store)
        launcher = Launcher(
            Path(settings.folder),
            sources,
            settings.threads,
            tensorboard=settings.tensorboard,
            processes=settings.processes_per_job,
            database=store.name,
        )
        dispatcher = _dispatcher(settings, devices, book, launcher, announcer, Metrics(registry))
        servicer = TrainingServicer(materials, book, dispatcher, launcher)
        training_service_pb2_grpc.add_TrainingServiceServicer_to_server(servicer, doorway.server)
        leaving = asyncio.create_task(_leave_when_draining(doorway, dispatcher, book))
        try:
            await doorway.start()
            await dispatcher.start()
            doorway.ready()
            yield doorway
        finally:
            await doorway.drain()
            await leaving
            book.close()


def _folder(name: str) -> IO[bytes]:
    """Makes the folder of jobs, and locks it. Raises InUse; SettingsError where there can be no such folder."""
    try:
        return lock(Path(name), wait=False)
    except OSError as error:
        raise SettingsError(f"folder = {name!r}: jobs cannot be kept there: {error}") from error


def _announcer(settings: Settings) -> Announcer:
    """What tells generation servers of what was published. Raises SettingsError."""
    announcer = Announcer(
        settings.server_address,
        settings.server_certificate,
        (settings.tls_certificate, settings.tls_key),
        settings.server_token,
    )
    announcer.check()
    return announcer


def _dispatcher(
    settings: Settings,
    devices: Sequence[str],
    book: JobBook,
    launcher: Launcher,
    announcer: Announcer,
    metrics: Metrics,
) -> Dispatcher:
    """What runs the jobs."""
    return Dispatcher(
        book,
        launcher,
        announcer.announce,
        metrics,
        devices=devices,
        concurrency=settings.concurrency,
        max_restarts=settings.max_restarts,
        grace_seconds=settings.grace_seconds,
    )


async def _leave_when_draining(doorway: Doorway, dispatcher: Dispatcher, book: JobBook) -> None:
    await doorway.draining.wait()
    await dispatcher.drain()
    # Not before: whoever watches a job shall see that it was put back.
    book.end_watches()


def main(argv: Sequence[str]) -> int:
    """Serves until a signal; returns the exit code: 0 after a drain, 1 with one line on standard error otherwise."""
    refusals = (InUse, DatabaseUnusable, NoSuchDevice, Unshareable, GanError, ValueError)
    # Not uvloop: it starts processes by fork(), into which gRPC's fork handlers would interfere.
    command = "latentwalk trainer"
    return run_service("trainer", Settings, serving, argv, command=command, refusals=refusals, run=asyncio.run)
