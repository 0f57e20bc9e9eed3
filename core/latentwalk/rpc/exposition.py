"""The Prometheus endpoint, in a thread of its own, so that it answers also when the event loop is busy."""

import socket
import threading
from contextlib import suppress
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app

# prometheus_client's own start_http_server takes up to half a second to stop, and any number of connections for ever.
_POLL_SECONDS = 0.05
_MOST_CONNECTIONS = 16
_IDLE_SECONDS = 5.0
# Those whose connection was ended end at once, unless they are just putting an answer together; and others.
_MOST_THREADS = 2 * _MOST_CONNECTIONS


class Exposition:
    """Serves the metrics of a registry on host:port until `close`. Raises OSError if it cannot bind.

    Each connection has a thread, and a file of those that the service needs for its callers. There are at most 16: the
    next one takes the place of the oldest, and one on which nothing happens for five seconds is closed. So nobody can
    keep Prometheus out by asking slowly. While as many others are still at their end, the next one is closed.
    """

    def __init__(self, address: str, registry: CollectorRegistry) -> None:
        host, _, port = address.rpartition(":")
        kind = _Server6 if ":" in host else _Server
        self._server = make_server(host.strip("[]"), int(port), make_wsgi_app(registry), kind, _SilentHandler)
        self.port = self._server.server_port
        """The port that it listens on."""
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_SECONDS,), name="metrics", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stops to listen."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._free = threading.Semaphore(_MOST_THREADS)
        self._turn = threading.Lock()
        # The oldest first.
        self._open: dict[socket.socket, None] = {}

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Whether there is room, for which the oldest connection may have to end; else the new one is closed.

        In the thread that all connections come by, which waits for none.
        """
        if len(self._open) >= _MOST_CONNECTIONS:
            self._end_oldest()
        return self._free.acquire(blocking=False)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Begins a thread for the connection; where the system has none left, the room is free again."""
        with self._turn:
            self._open[request] = None
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serves the connection to its end, in a thread of its own."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def shutdown_request(self, request: Any) -> None:
        """Closes the connection."""
        with self._turn:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def _end_oldest(self) -> None:
        """Has whoever serves it find it at its end; only that thread closes it."""
        with self._turn:
            if oldest := next(iter(self._open), None):
                del self._open[oldest]
                with suppress(OSError):  # the other end has left
                    oldest.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing: whoever asked has gone, or has not asked in time."""


class _Server6(_Server):
    address_family = socket.AF_INET6


class _SilentHandler(WSGIRequestHandler):
    timeout = _IDLE_SECONDS

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: a scrape is no news."""
