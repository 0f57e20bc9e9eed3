"""The life of a server: bind, start, ready, drain, stop."""

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
from grpc_health.v1 import health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from prometheus_client import CollectorRegistry, Gauge, Info, ProcessCollector

from latentwalk.rpc import signals
from latentwalk.rpc.endpoint import Endpoint
from latentwalk.rpc.errors import ServiceError
from latentwalk.rpc.exposition import Exposition
from latentwalk.rpc.health import SERVICE_NAME as HEALTH_NAME
from latentwalk.rpc.health import HealthServicer
from latentwalk.rpc.interceptors import Gate, layers_of
from latentwalk.rpc.roles import Services
from latentwalk.rpc.tls import server_credentials
from latentwalk.rpc.version import own_version

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

T = TypeVar("T")

# Handlers have returned, or had their time; what is left is to flush their last bytes.
_FLUSH_SECONDS = 1.0

_log = logging.getLogger("latentwalk.lifecycle")


class AddressInUse(Exception):
    """The server cannot listen on its address; the message names it and says why."""


def _register_nothing(service_name: str, method_handlers: object) -> None:
    """Takes the place of a method of the server that generated code calls for its service."""


class Doorway:
    """A gRPC server with health, reflection, metrics and the interceptors. Must be made inside a running event loop.

    `services` are those that will be added, with the roles that their rpcs take: health and reflection tell of them.
    Raises SettingsError for a token file that cannot be used.
    Add servicers to `server`, then await `start`, then call `ready`, then await `run_until_signal` or `drain`.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        services: Services,
        registry: CollectorRegistry,
        translate: Callable[[Exception], ServiceError | None],
        tracer: "Tracer | None" = None,
    ) -> None:
        self._endpoint = endpoint
        self._services = services
        self._registry = registry
        ProcessCollector(registry=registry)
        self._gate = Gate(endpoint.max_calls, endpoint.max_connections)
        self._health = HealthServicer(tuple(services))
        serving = Gauge("latentwalk_serving", "1 while health says SERVING, else 0.", registry=registry)
        serving.set_function(lambda: self._health.is_serving)
        build = Info("latentwalk_build", "Which latentwalk this is.", registry=registry)
        build.info({"version": own_version()})
        self._exposition: Exposition | None = None
        self.draining = asyncio.Event()
        """Set when the service begins to drain. A stream that is of use without its end should end then."""
        self.port = 0
        """The port of the rpcs, after `start`."""
        self.metrics_port = 0
        """The port of the Prometheus endpoint, after `start`; 0 if there is none."""
        self.server: grpc.aio.Server = grpc.aio.server(
            interceptors=[layers_of(endpoint, services, registry, translate, self._gate, tracer)],
            options=endpoint.channel_arguments(),
            maximum_concurrent_rpcs=endpoint.hard_limit_calls,
        )
        # Methods are found by name alone. grpc.aio waits for the calls of each one that is registered apart, and looks
        # at all of these waits with every call that comes.
        self.server.add_registered_method_handlers = _register_nothing

    async def start(self) -> None:
        """Binds and answers health checks with NOT_SERVING; every other call is refused until `ready`.

        Raises AddressInUse if one of the addresses cannot be bound, SettingsError for files that cannot be read.
        """
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self.server)
        if self._endpoint.reflection:
            names = (*self._services, HEALTH_NAME, reflection.SERVICE_NAME)
            reflection.enable_server_reflection(names, self.server)
        self.port = self._bind()
        self._start_metrics()
        await self.server.start()

    @property
    def is_serving(self) -> bool:
        """Whether calls are let in: after `ready`, until the drain."""
        return self._gate.is_open

    def ready(self) -> None:
        """Lets calls in, and says SERVING."""
        self._gate.open()
        self._health.set_serving(True)

    def report(self, *, works: bool) -> None:
        """Says SERVING or NOT_SERVING while the service runs; calls are let in all the same, to be told why."""
        self._health.set_serving(works)

    async def drain(self) -> None:
        """Says NOT_SERVING, refuses new calls, gives those that run their grace, and stops. May be called again."""
        self._gate.close()
        self.draining.set()
        self._health.leave()
        try:
            await asyncio.wait_for(self._gate.wait_until_empty(), self._endpoint.grace_seconds)
        except TimeoutError:
            _log.warning("some calls did not end within %g s and are cut off", self._endpoint.grace_seconds)
        finally:
            self._health.end()
            await self.server.stop(_FLUSH_SECONDS)
            self._stop_metrics()

    async def run_until_signal(self) -> int:
        """Serves until SIGTERM, SIGINT or SIGHUP, then drains; a second signal cuts the drain short.

        Whatever comes after it is ended at once by one more signal.

        SIGHUP is left alone where it is ignored, as under nohup.

        Returns the exit code of the process: 0, or 128 + the second signal.
        """
        received: asyncio.Queue[signal.Signals] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        numbers = signals.ending()
        for number in numbers:
            loop.add_signal_handler(number, received.put_nowait, number)
        first = await received.get()
        _log.info("%s: draining for at most %g s", first.name, self._endpoint.grace_seconds)
        drain = asyncio.create_task(self.drain())
        second = asyncio.create_task(received.get())
        await asyncio.wait((drain, second), return_when=asyncio.FIRST_COMPLETED)
        for number in numbers:
            loop.remove_signal_handler(number)
        signals.end_at_once()
        if drain.done():
            second.cancel()
            await drain
            return 0
        drain.cancel()
        await self.server.stop(None)
        return 128 + second.result()

    def _bind(self) -> int:
        _check_free(self._endpoint.address)
        try:
            if self._endpoint.tls_certificate:
                return self.server.add_secure_port(self._endpoint.address, server_credentials(self._endpoint))
            return self.server.add_insecure_port(self._endpoint.address)
        except RuntimeError as error:
            raise AddressInUse(f"cannot listen on {self._endpoint.address}: {error}") from error

    def _start_metrics(self) -> None:
        address = self._endpoint.metrics_address
        if not address:
            return
        try:
            self._exposition = Exposition(address, self._registry)
        except OSError as error:
            reason = f"{error.strerror or error}; choose another with --metrics-address"
            raise AddressInUse(f"cannot listen on {address} (metrics): {reason}") from error
        self.metrics_port = self._exposition.port

    def _stop_metrics(self) -> None:
        if self._exposition is not None:
            self._exposition.close()
            self._exposition = None


def run(main: Coroutine[Any, Any, T]) -> T:
    """Runs the coroutine of a service on a fresh event loop: uvloop where it is installed, else asyncio's own."""
    try:
        from uvloop import new_event_loop
    except ImportError:
        from asyncio import new_event_loop
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(main)


def _check_free(address: str) -> None:
    """Raises AddressInUse with the system's own reason, which gRPC's error does not give."""
    host, _, port = address.rpartition(":")
    try:
        family, kind, protocol, _, target = socket.getaddrinfo(
            host.strip("[]"), int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(target)
            probe.listen()
    except OSError as error:
        raise AddressInUse(
            f"cannot listen on {address}: {error.strerror or error}; choose another with --address"
        ) from error
