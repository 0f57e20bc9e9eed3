"""`python -m latentwalk.server`: the one place that knows all the others, and puts them together."""

import logging
import sys
from asyncio import create_task, get_running_loop, to_thread
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from latentwalk.gan.errors import GanError
from latentwalk.oip import open_inference_service_pb2_grpc
from latentwalk.rpc.lifecycle import Doorway
from latentwalk.rpc.program import run_service
from latentwalk.server import generation_servicer, model_servicer, oip_servicer
from latentwalk.server.builtin import open_store
from latentwalk.server.encoder import Encoder
from latentwalk.server.engine import Engine, NoSuchDevice, Tuning, find_devices, use_threads
from latentwalk.server.generation_servicer import GenerationServicer
from latentwalk.server.keys import picture_key
from latentwalk.server.metrics import CallMetrics, DrawingMetrics, ModelMetrics, QueueMetrics
from latentwalk.server.model_servicer import ModelServicer
from latentwalk.server.oip_servicer import OipServicer
from latentwalk.server.repository import Repository
from latentwalk.server.scheduler import DeviceThread, Reuse, Scheduler, watch_device
from latentwalk.server.settings import Settings
from latentwalk.server.steering import Work, draw
from latentwalk.server.translation import translate
from latentwalk.v1 import generation_service_pb2_grpc, model_service_pb2_grpc

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

SERVICES = {
    generation_servicer.SERVICE_NAME: generation_servicer.ROLES,
    model_servicer.SERVICE_NAME: model_servicer.ROLES,
    oip_servicer.SERVICE_NAME: oip_servicer.ROLES,
}

# The device's thread needs the interpreter for a moment between two operations of torch: while the event loop is busy
# it would wait for each of them as long as Python's default of 5 ms, which is about as long as it draws.
_SWITCH_SECONDS = 0.00005

_log = logging.getLogger("latentwalk.server")


@asynccontextmanager
async def serving(settings: Settings, tracer: "Tracer | None" = None) -> AsyncGenerator[Doorway]:
    """A server that serves within the context and drains at its end.

    Raises AddressInUse, SettingsError, NoSuchDevice, and GanError or OSError for a store that cannot be opened.
    """
    use_threads(settings.torch_threads)
    sys.setswitchinterval(_SWITCH_SECONDS)
    registry = CollectorRegistry()
    repository = _repository(settings, registry)
    doorway = Doorway(settings, SERVICES, registry, translate, tracer)
    with closing(Encoder(settings.encode_threads)) as encoder:
        async with _device(settings, registry, doorway) as scheduler:
            calls = CallMetrics(registry)
            generation = GenerationServicer(repository, scheduler, encoder, calls, settings.credit, doorway.draining)
            _add_servicers(doorway, repository, generation)
            try:
                await doorway.start()
                await repository.load_newest(settings.models)
                doorway.ready()
                yield doorway
            finally:
                await doorway.drain()


def _repository(settings: Settings, registry: CollectorRegistry) -> Repository:
    """The models of the store, none of them loaded yet, and the engines that will draw them."""
    tuning = Tuning(
        find_devices(settings.device),
        max_batch=settings.max_batch,
        seconds=settings.engine_seconds,
        tolerance=settings.engine_tolerance,
        cache=settings.engine_cache,
    )
    return Repository(
        open_store(settings.store),
        tuning.make_engine,
        max_rows=settings.max_rows,
        max_frames=settings.max_frames,
        max_frame_bytes=settings.max_frame_bytes,
        on_change=ModelMetrics(registry).loaded,
    )


@asynccontextmanager
async def _device(
    settings: Settings, registry: CollectorRegistry, doorway: Doorway
) -> AsyncGenerator[Scheduler[Engine, Work, bytes]]:
    """What has pictures drawn, and its thread, which ends with the context; health says whether the device works."""
    queue, drawing = QueueMetrics(registry), DrawingMetrics(registry)
    scheduler = Scheduler(
        draw,
        get_running_loop().call_soon_threadsafe,
        settings.limits,
        measured=lambda engine: engine.seconds,
        reuse=Reuse(picture_key, settings.frame_cache_bytes, len),
        watchdog_seconds=settings.watchdog_seconds,
        on_batch=drawing.batch,
        on_dropped=queue.dropped,
        on_refused=queue.refused,
        on_reuse=drawing.reuse,
        on_device=lambda works: doorway.report(works=works),
    )
    queue.watch(queued=lambda: scheduler.queued, streams=lambda: scheduler.streams)
    thread = DeviceThread(scheduler)
    thread.start()
    watch = create_task(watch_device(scheduler, settings.watchdog_seconds / 4))
    try:
        yield scheduler
    finally:
        watch.cancel()
        scheduler.close()
        if not await to_thread(thread.join, settings.grace_seconds):
            _log.error("the device did not finish its last batch within %g s", settings.grace_seconds)


def _add_servicers(doorway: Doorway, repository: Repository, generation: GenerationServicer) -> None:
    standard = OipServicer(repository, generation, lambda: doorway.is_serving)
    generation_service_pb2_grpc.add_GenerationServiceServicer_to_server(generation, doorway.server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelServicer(repository), doorway.server)
    open_inference_service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(standard, doorway.server)


def main(argv: Sequence[str]) -> int:
    """Serves until a signal; returns the exit code: 0 after a drain, 1 with one line on standard error otherwise."""
    return run_service("server", Settings, serving, argv, refusals=(NoSuchDevice, GanError))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
