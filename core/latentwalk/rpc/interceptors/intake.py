"""Requests are read only once they are let in; those that are too large, or no messages at all, are refused."""

from collections.abc import AsyncIterator, Callable
from typing import Any

from google.protobuf.message import DecodeError

from latentwalk.rpc.errors import InvalidRequest
from latentwalk.rpc.interceptors.layers import Behaviour, Call, Context, Layer


class IntakeLayer(Layer):
    """Reads what has been let in: to read millions of tiny fields takes seconds. Must be the innermost.

    Refuses, with InvalidRequest, requests of more than `limit` bytes and bytes that are no message.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit

    def deserializer(self, inner: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
        """Leaves bytes as they are."""
        return lambda data: _Unread(data, inner)

    async def around(self, call: Call, request: Any, context: Context, proceed: Behaviour) -> Any:
        """Reads the request, or each one of a stream as it arrives. Raises InvalidRequest."""
        read = self._read_all(request) if call.method.is_request_stream else request.read(self._limit)
        return await proceed(read, context)

    async def _read_all(self, requests: "AsyncIterator[_Unread]") -> AsyncIterator[Any]:
        async for request in requests:
            yield request.read(self._limit)


class _Unread:
    """A request that has arrived."""

    def __init__(self, data: bytes, deserializer: Callable[[bytes], Any]) -> None:
        self._data = data
        self._deserializer = deserializer

    def read(self, limit: int) -> Any:
        """The message; once, as the bytes are not kept beside it. Raises InvalidRequest."""
        data, self._data = self._data, b""
        if len(data) > limit:
            raise InvalidRequest(
                "request", f"has {len(data):,} bytes; at most {limit:,} are accepted (max_request_mib)"
            )
        try:
            return self._deserializer(data)
        except DecodeError as error:
            raise InvalidRequest("request", f"cannot be read: {error}") from error
