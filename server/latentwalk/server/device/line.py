"""A line between the server and the device's process: messages, one after the other, each way."""

import asyncio
import json
import socket
import struct
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

# How long the words and the bytes of a message are.
_LENGTHS = struct.Struct("<QQ")
# Patience ends after so many waits without a byte: of one during which this process was stopped, as a container is that
# is paused, nothing follows, since the other end may have been stopped as well.
_WAITS = 10
# What comes at once where messages are small.
_LEAST_MEMORY = 1 << 16


class Message(NamedTuple):
    """Words that are plain JSON, and parts that are plain bytes."""

    words: Mapping[str, Any]
    parts: Sequence[bytes | memoryview] = ()


class Line:
    """One end, for a thread that may wait. May cross into another process while that is started.

    One thread at a time sends, and one receives. A batch of pictures arrives with few calls of the system, outside of
    the interpreter, and without memory that is new to the process.

    `patience` is how many seconds the other end may let it wait; for ever, by default. Memory for messages is kept from
    one to the next, unless such as are large are `rare`.
    """

    def __init__(self, end: socket.socket, patience: float | None = None, *, rare: bool = False) -> None:
        end.settimeout(patience and patience / _WAITS)
        self._socket = end
        self._unread = _Unread(rare=rare)

    def send(self, message: Message) -> None:
        """Returns once the message is on its way. Raises OSError if the other end is closed, TimeoutError."""
        rest = memoryview(_packed(message))
        while rest:
            rest = rest[_patiently(partial(self._socket.send, rest)) :]

    def receive(self) -> Message:
        """The next message from the other end, of which the parts are good until the call after this one.

        Raises EOFError or OSError if the other end is closed, TimeoutError.
        """
        lengths = _LENGTHS.unpack(self._read(_LENGTHS.size))
        return _unpacked(self._read(sum(lengths)), lengths[0])

    def close(self) -> None:
        """Nothing more is sent or received; the other end is told."""
        self._socket.close()

    def _read(self, length: int) -> memoryview:
        """The next bytes, and no others: the system is to wait until all of them have come."""
        while (missing := length - len(self._unread)) > 0:
            room = self._unread.room(length)[:missing]
            self._unread.add(_some(_patiently(partial(self._socket.recv_into, room, 0, socket.MSG_WAITALL))))
        return self._unread.take(length)


class AsyncLine:
    """As Line, for the event loop."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._socket = end
        # Not before: a descriptor that is closed while the loop waits for it would never be heard of again.
        weakref.finalize(self, end.close)
        self._unread = _Unread()
        self._closed = False

    @property
    def is_closed(self) -> bool:
        """Whether this end is closed, or the other one is, and all that it sent was received."""
        if self._closed:  # what has come before that would still be received
            return True
        try:
            return not self._socket.recv(1, socket.MSG_PEEK) and not len(self._unread)
        except BlockingIOError:
            return False
        except OSError:
            return True

    async def send(self, message: Message) -> None:
        """As Line.send."""
        await asyncio.get_running_loop().sock_sendall(self._socket, _packed(message))

    async def receive(self) -> Message:
        """As Line.receive."""
        lengths = _LENGTHS.unpack(await self._read(_LENGTHS.size))
        return _unpacked(await self._read(sum(lengths)), lengths[0])

    def close(self) -> None:
        """As Line.close, from any thread: whoever is sending or receiving is told, too."""
        self._closed = True
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    async def _read(self, length: int) -> memoryview:
        """The next bytes. Whatever has come with them is kept: most messages take one call of the system."""
        loop = asyncio.get_running_loop()
        while len(self._unread) < length:
            received = await loop.sock_recv_into(self._socket, self._unread.room(length))
            self._closed |= not received  # a piece of a message may be left, of which the rest will never come
            self._unread.add(_some(received))
        return self._unread.take(length)


def _packed(message: Message) -> bytes:
    sizes = [len(part) for part in message.parts]
    words = json.dumps([message.words, sizes]).encode()
    return b"".join((_LENGTHS.pack(len(words), sum(sizes)), words, *message.parts))


def _unpacked(content: memoryview, words_length: int) -> Message:
    words, sizes = json.loads(bytes(content[:words_length]))
    parts: list[memoryview] = []
    start = words_length
    for size in sizes:
        parts.append(content[start : start + size])
        start += size
    return Message(words, parts)


def _patiently(call: Callable[[], int]) -> int:
    """How many bytes the call sent or received. Raises what it raises, TimeoutError once there is no patience left."""
    for _ in range(_WAITS - 1):
        with suppress(TimeoutError):
            return call()
    return call()


def _some(received: int) -> int:
    if not received:
        raise EOFError("the other end is closed")
    return received


class _Unread:
    """Bytes that have come and were not taken yet, in memory that is used again, unless what is large is `rare`."""

    def __init__(self, *, rare: bool = False) -> None:
        self._rare = rare
        self._bytes = bytearray(_LEAST_MEMORY)
        self._start = self._end = 0

    def __len__(self) -> int:
        return self._end - self._start

    def room(self, length: int) -> memoryview:
        """Where what comes next is to be put, so that `length` bytes will be there in one piece."""
        if not len(self):
            self._start = self._end = 0
            if self._rare and length <= _LEAST_MEMORY < len(self._bytes):
                self._bytes = bytearray(_LEAST_MEMORY)
        if self._start + length > len(self._bytes):
            unread, more = self._bytes[self._start : self._end], length + _LEAST_MEMORY
            if more > len(self._bytes):
                self._bytes = bytearray(more)
            self._bytes[: len(unread)] = unread
            self._start, self._end = 0, len(unread)
        return memoryview(self._bytes)[self._end :]

    def add(self, length: int) -> None:
        """So many bytes were put there."""
        self._end += length

    def take(self, length: int) -> memoryview:
        """The next bytes, good until more room is asked for."""
        start, self._start = self._start, self._start + length
        return memoryview(self._bytes)[start : self._start]
