"""A gRPC call, as HTTP/2 carries it: PROTOCOL-HTTP2.md of gRPC."""

import asyncio
import struct
from functools import lru_cache
from urllib.parse import unquote

from google.rpc.code_pb2 import Code
from hpack import Decoder, Encoder

_MESSAGE_HEAD = struct.Struct(">?I")


class CallFailed(Exception):
    """The service ended the call with a status other than OK."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(status, message)  # both, or it could not leave the process of the clients
        self.status = status
        """The name of the gRPC status."""
        self.message = message

    def __str__(self) -> str:
        return f"{self.status}: {self.message}"


class Call:
    """The replies that have come and were not yet read; then how the call ended, where None is success."""

    def __init__(self) -> None:
        self.replies = asyncio.Queue[bytes | Exception | None]()
        self._unread = bytearray()

    def take(self, data: bytes) -> None:
        """Puts messages together, whatever pieces they come in. Raises ConnectionError for a compressed one."""
        self._unread += data
        while len(self._unread) >= _MESSAGE_HEAD.size:
            compressed, length = _MESSAGE_HEAD.unpack_from(self._unread)
            if compressed:
                raise ConnectionError("a compressed reply, for which nobody asked")
            if (end := _MESSAGE_HEAD.size + length) > len(self._unread):
                break
            self.replies.put_nowait(bytes(memoryview(self._unread)[_MESSAGE_HEAD.size : end]))
            del self._unread[:end]


def enveloped(message: bytes) -> bytes:
    """The message, uncompressed, behind its length."""
    return _MESSAGE_HEAD.pack(False, len(message)) + message


@lru_cache
def request_headers(address: str, path: str) -> bytes:
    """What a call begins with, encoded so that the server needs to remember nothing of it."""
    named = {":method": "POST", ":scheme": "http", ":path": path, ":authority": address}
    named |= {"te": "trailers", "content-type": "application/grpc"}
    return Encoder().encode([(name, value, True) for name, value in named.items()], huffman=False)


@lru_cache
def outcome(block: bytes) -> tuple[str, str]:
    """The name of the status and its message, from the headers that end a call: no earlier ones are needed for them.

    Raises ConnectionError for headers without a status, HPACKError for what are none.
    """
    decoder = Decoder()
    decoder.header_table_size = decoder.max_allowed_table_size = 0
    headers = {str(name): str(value) for name, value in decoder.decode(block)}
    if "grpc-status" not in headers:
        raise ConnectionError(f"no gRPC status in {headers}")
    return Code.Name(int(headers["grpc-status"])), unquote(headers.get("grpc-message", ""))
