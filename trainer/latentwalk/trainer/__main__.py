"""`python -m latentwalk.trainer`: the one place that knows all the others, and puts them together."""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from latentwalk.rpc import logs, tracing
from latentwalk.rpc.lifecycle import AddressInUse, Doorway
from latentwalk.rpc.settings import SettingsError, load_settings
from latentwalk.trainer.announce import Announcer
from latentwalk.trainer.jobs.book import JobBook
from latentwalk.trainer.jobs.dispatcher import Dispatcher
from latentwalk.trainer.jobs.folders import FolderInUse, lock
from latentwalk.trainer.jobs.process import Launcher
from latentwalk.trainer.jobs.store import JobStore
from latentwalk.trainer.jobs.tables import DatabaseUnusable
from latentwalk.trainer.metrics import JobCounts, Metrics
from latentwalk.trainer.servicer import ROLES, SERVICE_NAME, TrainingServicer
from latentwalk.trainer.settings import Settings
from latentwalk.trainer.translation import translate
from latentwalk.v1 import training_service_pb2_grpc

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

_log = logging.getLogger("latentwalk.trainer")


@asynccontextmanager
async def serving(settings: Settings, tracer: "Tracer | None" = None) -> AsyncGenerator[Doorway]:
    """A trainer that serves within the context and drains at its end: running jobs write a checkpoint, and wait.

    Raises AddressInUse; FolderInUse if another trainer works in the folder; DatabaseUnusable; OSError for files that
    cannot be opened.
    """
    registry = CollectorRegistry()
    doorway = Doorway(settings, {SERVICE_NAME: ROLES}, registry, translate, tracer)
    with lock(Path(settings.folder), wait=False):
        sources = settings.sources
        materials = sources.open()
        store = JobStore(settings.database, settings.max_queued_jobs, settings.retention)
        registry.register(JobCounts(store))
        book = JobBook(store)
        launcher = Launcher(
            Path(settings.folder),
            sources,
            settings.threads,
            tensorboard=settings.tensorboard,
            processes=settings.processes_per_job,
        )
        dispatcher = Dispatcher(
            book,
            launcher,
            Announcer(
                settings.server_address,
                settings.server_certificate,
                (settings.tls_certificate, settings.tls_key),
                settings.server_token,
            ).announce,
            Metrics(registry),
            concurrency=settings.concurrency,
            max_restarts=settings.max_restarts,
            grace_seconds=settings.grace_seconds,
        )
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


async def _leave_when_draining(doorway: Doorway, dispatcher: Dispatcher, book: JobBook) -> None:
    await doorway.draining.wait()
    await dispatcher.drain()
    # Not before: whoever watches a job shall see that it was put back.
    book.end_watches()


async def _serve(settings: Settings, tracer: "Tracer | None") -> int:
    async with serving(settings, tracer) as doorway:
        host = settings.address.rpartition(":")[0]
        _log.info("serving", extra=logs.fields(address=f"{host}:{doorway.port}", metrics_port=doorway.metrics_port))
        return await doorway.run_until_signal()


def main(argv: Sequence[str]) -> int:
    """Serves until a signal; returns the exit code: 0 after a drain, 1 with one line on standard error otherwise."""
    try:
        settings = load_settings(Settings, argv, os.environ, program="python -m latentwalk.trainer")
        logs.configure(settings.log_level)
        with tracing.exporting("latentwalk-trainer", os.environ) as tracer:
            # Not uvloop: it starts processes by fork(), into which gRPC's fork handlers would interfere.
            return asyncio.run(_serve(settings, tracer))
    except (SettingsError, AddressInUse, FolderInUse, DatabaseUnusable, ValueError, OSError) as error:
        print(f"latentwalk.trainer: {error}", file=sys.stderr)  # noqa: T201 - for the person at the terminal
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
