"""The one place that knows all the others, and puts them together."""

import logging
from asyncio import create_task, to_thread, wait
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, ProcessCollector

from latentwalk.gan.artifacts import ArtifactStore
from latentwalk.gan.errors import GanError
from latentwalk.oip import open_inference_service_pb2_grpc
from latentwalk.rpc.lifecycle import Doorway
from latentwalk.rpc.program import run_service
from latentwalk.server import generation_servicer, model_servicer, oip_servicer
from latentwalk.server.builtin import open_store
from latentwalk.server.device import Device
from latentwalk.server.encoder import Encoder
from latentwalk.server.engine import NoSuchDevice, use_threads
from latentwalk.server.generation_servicer import GenerationServicer
from latentwalk.server.keys import entry_bytes, picture_key
from latentwalk.server.latent_work import LatentWork
from latentwalk.server.loader import Loader
from latentwalk.server.making import Making
from latentwalk.server.mapper import Mapper
from latentwalk.server.metrics import CallMetrics, DrawingMetrics, ModelMetrics, QueueMetrics
from latentwalk.server.model_servicer import ModelServicer
from latentwalk.server.oip_servicer import OipServicer
from latentwalk.server.pictures import Pictures
from latentwalk.server.repository import Repository
from latentwalk.server.scheduler import DeviceFailed, Hooks, Reuse, Scheduler, seek_device, watch_device
from latentwalk.server.settings import Settings
from latentwalk.server.stored import Shelves
from latentwalk.server.translation import translate
from latentwalk.v1 import generation_service_pb2_grpc, model_service_pb2_grpc

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

SERVICES = {
    generation_servicer.SERVICE_NAME: generation_servicer.ROLES,
    model_servicer.SERVICE_NAME: model_servicer.ROLES,
    oip_servicer.SERVICE_NAME: oip_servicer.ROLES,
}

_log = logging.getLogger("latentwalk.server")


@asynccontextmanager
async def serving(settings: Settings, tracer: "Tracer | None" = None) -> AsyncGenerator[Doorway]:
    """A server that serves within the context and drains at its end.

    Raises AddressInUse, SettingsError, NoSuchDevice, DeviceFailed, and GanError or OSError for a store that cannot be
    opened.
    """
    use_threads(1)  # what is computed here is small: latents and steps
    store = open_store(settings.store)
    registry = CollectorRegistry()
    device = await to_thread(Device, settings.device_settings)
    ProcessCollector("device", device.process_id, registry=registry)
    queue, drawing = QueueMetrics(registry), DrawingMetrics(registry)
    with (
        closing(device),
        closing(Encoder(settings.encode_threads)) as encoder,
        closing(LatentWork(settings.latent_threads, settings.max_latent_requests, queue.refused)) as latents,
        closing(Repository(_loader(settings, store, device, drawing), ModelMetrics(registry).loaded)) as repository,
    ):
        doorway = Doorway(settings, SERVICES, registry, translate, tracer)
        async with _scheduler(settings, queue, doorway, device, drawing) as scheduler:
            making, calls = Making(latents), CallMetrics(registry)
            pictures = Pictures(scheduler, encoder, settings.credit)
            generation = GenerationServicer(repository, making, pictures, calls, doorway.draining)
            _add_servicers(doorway, repository, store, generation)
            try:
                await doorway.start()
                await repository.load_newest(settings.models)
                doorway.ready()
                yield doorway
            finally:
                await doorway.drain()


def _loader(settings: Settings, store: ArtifactStore, device: Device, drawing: DrawingMetrics) -> Loader:
    """From the store to the device that will draw it."""
    return Loader(
        store,
        device.make_engine,
        Mapper(settings.w_cache_bytes, drawing.mapping),
        max_rows=settings.max_rows,
        max_frames=settings.max_frames,
        max_frame_bytes=settings.max_frame_bytes,
    )


@asynccontextmanager
async def _scheduler(
    settings: Settings, queue: QueueMetrics, doorway: Doorway, device: Device, drawing: DrawingMetrics
) -> AsyncGenerator[Scheduler[Any, Any, Any]]:
    """What has pictures drawn, until the context ends; health says whether the device works."""

    def report(works: bool) -> None:
        doorway.report(works=works)
        if not works:
            device.interrupt()

    scheduler: Scheduler[Any, Any, Any] = Scheduler(
        settings.limits,
        reuse=Reuse(picture_key, settings.frame_cache_bytes, entry_bytes),
        hooks=Hooks(
            on_batch=drawing.batch,
            on_dropped=queue.dropped,
            on_refused=queue.refused,
            on_reuse=drawing.reuse,
            on_device=report,
        ),
        watchdog_seconds=settings.watchdog_seconds,
    )
    queue.watch(queued=lambda: scheduler.queued, streams=lambda: scheduler.streams)
    looks = settings.watchdog_seconds / 4
    drawn, watched = create_task(scheduler.run()), create_task(watch_device(scheduler, looks))
    sought, tidied = create_task(seek_device(scheduler, device.seek, looks)), create_task(device.tidy(looks))
    try:
        yield scheduler
    finally:
        for task in (watched, sought, tidied):
            task.cancel()
        scheduler.close()
        if (await wait([drawn], timeout=settings.grace_seconds))[1]:
            _log.error("the device did not finish its last batch within %g s", settings.grace_seconds)
            drawn.cancel()


def _add_servicers(
    doorway: Doorway, repository: Repository, store: ArtifactStore, generation: GenerationServicer
) -> None:
    models = ModelServicer(repository, Shelves(repository, store))
    standard = OipServicer(repository, generation, lambda: doorway.is_serving)
    generation_service_pb2_grpc.add_GenerationServiceServicer_to_server(generation, doorway.server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(models, doorway.server)
    open_inference_service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(standard, doorway.server)


def main(argv: Sequence[str]) -> int:
    """Serves until a signal; returns the exit code: 0 after a drain, 1 with one line on standard error otherwise."""
    refusals = (NoSuchDevice, DeviceFailed, GanError)
    return run_service("server", Settings, serving, argv, command="latentwalk serve", refusals=refusals)
