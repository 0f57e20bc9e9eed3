"""The page over HTTP, on the loopback address alone.

    GET  /SECRET/                        the page; its style and its scripts beside it
    GET  /SECRET/model                   what there is to choose and to drag
    POST /SECRET/viewers                 open a stream
    POST /SECRET/viewers/ID/position     go there
    GET  /SECRET/viewers/ID/answer       the next pictures
    POST /SECRET/picture                 a PNG file of a position

Bodies are JSON. What goes wrong is a status and {"error": "in words"}.
"""

import json
import secrets
import sys
import threading
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from importlib.resources import files
from socketserver import ThreadingTCPServer
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from latentwalk.cli.look.looking import Looking
from latentwalk.cli.look.viewers import ViewerGone
from latentwalk.client import ClientClosed, InvalidRequest, LatentwalkError

HOST = "127.0.0.1"
OWN_NAMES = ("127.0.0.1", "localhost", "::1")
"""What this machine calls itself. A page of another name that was made to point here (DNS rebinding) is refused."""

MOST_CONNECTIONS = 64
MOST_BYTES = 256 * 1024
"""Of the body of a request: more than the 1,024 displacements that a server takes need."""

_SCRIPTS = ("look.js", "asking.js", "pictures.js", "slider.js")

FILES: Mapping[str, tuple[str, str]] = {
    "": ("index.html", "text/html; charset=utf-8"),
    "look.css": ("look.css", "text/css; charset=utf-8"),
    **{name: (name, "text/javascript; charset=utf-8") for name in _SCRIPTS},
}

HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Refused(Exception):
    """A request that is not for us, or not as it must be."""

    def __init__(self, status: HTTPStatus, problem: str) -> None:
        super().__init__(problem)
        self.status = status


# The first that fits.
STATUSES: Mapping[type[Exception], HTTPStatus] = {
    ViewerGone: HTTPStatus.GONE,
    ClientClosed: HTTPStatus.GONE,
    InvalidRequest: HTTPStatus.BAD_REQUEST,
    LatentwalkError: HTTPStatus.BAD_GATEWAY,
}


class LookServer(ThreadingTCPServer):
    """Listens on a port of HOST, 0 for any free one; a thread for each connection, and never more than a few."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 16

    def __init__(self, port: int, looking: Looking) -> None:
        self._secret = secrets.token_urlsafe(12)
        self._seats = threading.BoundedSemaphore(MOST_CONNECTIONS)
        super().__init__((HOST, port), partial(LookHandler, looking, self._secret))

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://{HOST}:{self.server_address[1]}/{self._secret}/"

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Whether there is a seat for one more connection; it is closed at once otherwise."""
        return self._seats.acquire(blocking=False)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serves a connection to its end."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._seats.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A page that was closed meanwhile is no failure."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Reply(NamedTuple):
    """What goes back."""

    status: HTTPStatus
    kind: str
    body: bytes

    @classmethod
    def json(cls, value: Any, status: HTTPStatus = HTTPStatus.OK) -> "Reply":
        """A value."""
        return cls(status, "application/json", json.dumps(value).encode())


class LookHandler(BaseHTTPRequestHandler):
    """Serves one connection of a browser."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "latentwalk", ""
    timeout = 60  # seconds of silence between two requests
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body go out together

    def __init__(self, looking: Looking, secret: str, *connection: Any) -> None:
        self._looking = looking
        self._secret = secret
        super().__init__(*connection)  # which serves it, to its end

    def do_GET(self) -> None:
        """Serves a GET."""
        self._serve()

    def do_POST(self) -> None:
        """Serves a POST."""
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: the terminal belongs to the command."""

    def _serve(self) -> None:
        try:
            reply = self._route()
        except Refused as refusal:
            self.close_connection = True  # its body may still be on the line
            reply = Reply.json({"error": str(refusal)}, refusal.status)
        except (ViewerGone, LatentwalkError) as error:
            status = next(status for kind, status in STATUSES.items() if isinstance(error, kind))
            reply = Reply.json({"error": str(error)}, status)
        self._send(reply)

    def _route(self) -> Reply:
        looking = self._looking
        match self.command, self._path():
            case "GET", [file] if file in FILES:
                name, kind = FILES[file]
                return Reply(HTTPStatus.OK, kind, files("latentwalk.cli.look").joinpath("page", name).read_bytes())
            case "GET", ["model"]:
                return Reply.json(looking.describe())
            case "POST", ["viewers"]:
                return Reply.json(looking.enter(self._body()))
            case "POST", ["viewers", viewer, "position"]:
                return Reply.json(looking.move(viewer, self._body()))
            case "GET", ["viewers", viewer, "answer"]:
                return Reply.json(looking.answer(viewer))
            case "POST", ["picture"]:
                return Reply(HTTPStatus.OK, "image/png", looking.keep(self._body()))
            case _:
                raise Refused(HTTPStatus.NOT_FOUND, f"there is no {self.command} of this path")

    def _path(self) -> list[str]:
        """The parts of the path below the secret. Raises Refused for who does not know it, or calls us by a name."""
        named = self.headers.get("Host", "")
        if _host_of(named) not in OWN_NAMES:
            own = ", ".join(OWN_NAMES)
            raise Refused(HTTPStatus.FORBIDDEN, f"host {named!r} is not this machine; it must be one of {own}")
        secret, slash, path = self.path.removeprefix("/").partition("/")
        if not (secrets.compare_digest(secret.encode(), self._secret.encode()) and slash):
            raise Refused(HTTPStatus.NOT_FOUND, "nothing is here; the address that latentwalk look printed is another")
        return path.split("/")

    def _body(self) -> Any:
        """The JSON of the request's body. Raises Refused."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            raise Refused(HTTPStatus.LENGTH_REQUIRED, "the request does not say how long its body is")
        if len(length) > 9 or int(length) > MOST_BYTES:
            raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a body of {length} bytes; the most is {MOST_BYTES:,}")
        try:
            return json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError) as error:
            raise Refused(HTTPStatus.BAD_REQUEST, f"the body is not JSON: {error}") from error

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        said = {"Content-Type": reply.kind, "Content-Length": str(len(reply.body)), **HEADERS}
        if self.close_connection:
            said["Connection"] = "close"
        for name, value in said.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)


def _host_of(named: str) -> str | None:
    """The name in a Host header, without its port."""
    try:
        return urlsplit(f"//{named}").hostname
    except ValueError:
        return None
