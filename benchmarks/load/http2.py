"""As little HTTP/2 (RFC 9113) as gRPC needs, so that asking costs the client little.

Replies may be of any size and number: what has arrived is read at once, whoever waits for it, and makes room for as
much again. Requests are small: one is sent whole, in one frame, and refused here where the server's flow control would
have it wait. No TLS, no compression, no deadlines, no retries; a server that says goodbye ends every call.
"""

import asyncio
import struct
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import ClassVar, cast

from benchmarks.load.call import Call, CallFailed, enveloped, outcome, request_headers

# Frames, their flags, the settings that are used here, and an error code: RFC 9113, sections 6, 6.5.2 and 7.
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM = ACK = 0x1
END_HEADERS, PADDED = 0x4, 0x8
HEADER_TABLE_SIZE, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE = 1, 4, 5
CANCEL = 8

WINDOW, FRAME = 4 << 20, 1 << 20
"""How many bytes the server may send ahead, on a call and on the connection, and in one frame."""
FIRST_WINDOW, LEAST_FRAME = 65_535, 16_384
"""What both sides start from."""

_HEAD = struct.Struct(">IBI")


@asynccontextmanager
async def connected(address: str) -> AsyncGenerator["Connection"]:
    """A connection to host:port that nobody else uses. Raises OSError if there is none to be had."""
    host, _, port = address.rpartition(":")
    loop = asyncio.get_running_loop()
    transport, connection = await loop.create_connection(lambda: Connection(address), host, int(port))
    try:
        yield connection
    finally:
        transport.close()


class Connection(asyncio.Protocol):
    """Carries any number of calls at once."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._unread = bytearray()
        self._calls: dict[int, Call] = {}
        self._taken = dict[int, int]()
        self._next_number = 1
        self._window = self._call_window = FIRST_WINDOW
        self._lost = ""

    async def unary(self, path: str, request: bytes) -> bytes:
        """The reply to a call of /package.Service/Method. Raises as `stream` does."""
        async with aclosing(self.stream(path, request)) as replies:
            (reply,) = [reply async for reply in replies]
        return reply

    async def stream(self, path: str, request: bytes) -> AsyncGenerator[bytes]:
        """The replies to one request; closing the generator cancels the call.

        Raises CallFailed for a status other than OK, ConnectionError for a connection that ends, or a server that
        speaks otherwise than is understood here, and ValueError for a request too large to be sent at once.
        """
        number, call = self._ask(path, request)
        try:
            while (reply := await call.replies.get()) is not None:
                if isinstance(reply, Exception):
                    raise reply
                yield reply
        finally:
            if self._forget(number):
                self._transport.write(frame(RST_STREAM, 0, number, CANCEL.to_bytes(4)))

    def _ask(self, path: str, request: bytes) -> tuple[int, Call]:
        if self._lost:
            raise ConnectionError(self._lost)
        message = enveloped(request)
        if len(message) > (limit := min(self._window, self._call_window, LEAST_FRAME)):
            raise ValueError(f"{path}: a message of {len(message)} bytes, where {self._address} takes {limit} at once")
        number, self._next_number = self._next_number, self._next_number + 2
        self._window -= len(message)
        call = self._calls[number] = Call()
        head = frame(HEADERS, END_HEADERS, number, request_headers(self._address, path))
        self._transport.write(head + frame(DATA, END_STREAM, number, message))
        return number, call

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Says what the server may send, before anything is asked."""
        self._transport = cast("asyncio.Transport", transport)
        ours = {HEADER_TABLE_SIZE: 0, INITIAL_WINDOW_SIZE: WINDOW, MAX_FRAME_SIZE: FRAME}
        settings = b"".join(struct.pack(">HI", *setting) for setting in ours.items())
        room = frame(WINDOW_UPDATE, 0, 0, (WINDOW - FIRST_WINDOW).to_bytes(4))
        self._transport.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, settings) + room)

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends all calls."""
        self._lost = f"{self._address}: {exc or 'the connection was closed'}"
        for number in list(self._calls):
            self._end(number, ConnectionError(self._lost))

    def data_received(self, data: bytes) -> None:
        """Takes every frame that is complete. What is raised here, the event loop hands to connection_lost."""
        self._unread += data
        start, available = 0, len(self._unread)
        while (payload := start + _HEAD.size) <= available:
            length_and_kind, flags, number = _HEAD.unpack_from(self._unread, start)
            if (end := payload + (length_and_kind >> 8)) > available:
                break
            if take := self._TAKE.get(length_and_kind & 0xFF):
                take(self, flags, number, bytes(memoryview(self._unread)[payload:end]))
            start = end
        del self._unread[:start]

    def _take_data(self, flags: int, number: int, payload: bytes) -> None:
        self._make_room(0, len(payload))
        if call := self._calls.get(number):
            self._make_room(number, len(payload))
            call.take(_unpadded(flags, payload))
            if flags & END_STREAM:
                self._end(number, ConnectionError(f"{self._address}: a call ended without its status"))

    def _take_headers(self, flags: int, number: int, payload: bytes) -> None:
        """Only those that end a call have its status."""
        if not flags & END_HEADERS:
            raise ConnectionError("headers that are continued in another frame are not read here")
        if flags & END_STREAM:
            status, message = outcome(_unpadded(flags, payload))
            self._end(number, None if status == "OK" else CallFailed(status, message))

    def _take_reset(self, flags: int, number: int, payload: bytes) -> None:
        self._end(number, ConnectionError(f"{self._address}: a call was reset, code {int.from_bytes(payload)}"))

    def _take_settings(self, flags: int, number: int, payload: bytes) -> None:
        if not flags & ACK:
            self._call_window = dict(struct.iter_unpack(">HI", payload)).get(INITIAL_WINDOW_SIZE, self._call_window)
            self._transport.write(frame(SETTINGS, ACK, 0, b""))

    def _take_ping(self, flags: int, number: int, payload: bytes) -> None:
        if not flags & ACK:
            self._transport.write(frame(PING, ACK, 0, payload))

    def _take_goodbye(self, flags: int, number: int, payload: bytes) -> None:
        raise ConnectionError(f"the server says goodbye: code {int.from_bytes(payload[4:8])}, {payload[8:]!r}")

    def _take_window_update(self, flags: int, number: int, payload: bytes) -> None:
        if number == 0:
            self._window += int.from_bytes(payload)

    def _make_room(self, number: int, length: int) -> None:
        """For as much as has come of a call, or of the connection, which is number 0; once that is half of a window."""
        taken = self._taken[number] = self._taken.get(number, 0) + length
        if taken >= WINDOW // 2:
            self._taken[number] = 0
            self._transport.write(frame(WINDOW_UPDATE, 0, number, taken.to_bytes(4)))

    def _end(self, number: int, how: Exception | None) -> None:
        """None is success."""
        if call := self._forget(number):
            call.replies.put_nowait(how)

    def _forget(self, number: int) -> Call | None:
        self._taken.pop(number, None)
        return self._calls.pop(number, None)

    _TAKE: ClassVar[Mapping[int, Callable[..., None]]] = {
        DATA: _take_data,
        HEADERS: _take_headers,
        RST_STREAM: _take_reset,
        SETTINGS: _take_settings,
        PING: _take_ping,
        GOAWAY: _take_goodbye,
        WINDOW_UPDATE: _take_window_update,
    }


def frame(kind: int, flags: int, number: int, payload: bytes) -> bytes:
    """Of the call with that number, or of the connection, which is number 0."""
    return _HEAD.pack(len(payload) << 8 | kind, flags, number) + payload


def _unpadded(flags: int, payload: bytes) -> bytes:
    return payload[1 : len(payload) - payload[0]] if flags & PADDED else payload
