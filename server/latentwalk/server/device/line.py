"""A line between the server and the device's process: objects, one after the other, each way."""

import asyncio
import pickle
import socket
import struct
from typing import Any

_LENGTH = struct.Struct("<Q")


class Line:
    """One end, for a thread that may wait. May cross into another process while that is started.

    One thread at a time sends, and one receives. A batch of pictures arrives with two calls of the system, outside of
    the interpreter, and without memory that is new to the process.
    """

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._buffer = _Buffer()

    def send(self, value: object) -> None:
        """Returns once the value is on its way. Raises OSError if the other end is closed."""
        self._socket.sendall(_packed(value))

    def receive(self) -> Any:
        """The next value from the other end, which must be our own. Raises EOFError or OSError if that is closed."""
        (length,) = _LENGTH.unpack(self._read(_LENGTH.size))
        return pickle.loads(self._read(length))  # noqa: S301 - from our own process

    def close(self) -> None:
        """Nothing more is sent or received; the other end is told."""
        self._socket.close()

    def _read(self, length: int) -> memoryview:
        """So many bytes, which are good until the next call."""
        view, filled = self._buffer.room(length), 0
        while filled < length:
            filled += _some(self._socket.recv_into(view[filled:], 0, socket.MSG_WAITALL))
        return view


class AsyncLine:
    """As Line, for the event loop."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._socket = end
        self._buffer = _Buffer()

    @property
    def is_closed(self) -> bool:
        """Whether the other end is closed, and all that it sent was received."""
        try:
            return not self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True

    async def send(self, value: object) -> None:
        """As Line.send."""
        await asyncio.get_running_loop().sock_sendall(self._socket, _packed(value))

    async def receive(self) -> Any:
        """As Line.receive."""
        (length,) = _LENGTH.unpack(await self._read(_LENGTH.size))
        return pickle.loads(await self._read(length))  # noqa: S301 - from our own process

    def close(self) -> None:
        """As Line.close."""
        self._socket.close()

    async def _read(self, length: int) -> memoryview:
        loop = asyncio.get_running_loop()
        view, filled = self._buffer.room(length), 0
        while filled < length:
            filled += _some(await loop.sock_recv_into(self._socket, view[filled:]))
        return view


def _packed(value: object) -> bytes:
    content = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(content)) + content


def _some(received: int) -> int:
    if not received:
        raise EOFError("the other end is closed")
    return received


class _Buffer:
    """Memory that is used again for each value."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def room(self, length: int) -> memoryview:
        if len(self._bytes) < length:
            self._bytes = bytearray(length)
        return memoryview(self._bytes)[:length]
