"""Requests that are too large, or no messages at all, get an answer that says so."""

from collections.abc import AsyncIterator, Callable
from typing import Any

from google.protobuf.message import DecodeError

from latentwalk.rpc.errors import InvalidRequest
from latentwalk.rpc.interceptors.layers import Behaviour, Call, Context, Layer


class IntakeLayer(Layer):
    """Refuses, with InvalidRequest, requests of more than `limit` bytes and bytes that are no message."""

    def __init__(self, limit: int) -> None:
        self._limit = limit

    def deserializer(self, inner: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
        """Gives the error in place of the message: raised here, gRPC would tell the caller UNKNOWN."""

        def read(data: bytes) -> Any:
            if len(data) > self._limit:
                return InvalidRequest("request", f"has {len(data):,} bytes; at most {self._limit:,} are accepted")
            try:
                return inner(data)
            except DecodeError as error:
                return InvalidRequest("request", f"cannot be read: {error}")

        return read

    async def around(self, call: Call, request: Any, context: Context, proceed: Behaviour) -> Any:
        """Raises the error of the request, or of each one of a stream as it arrives."""
        if call.method.is_request_stream:
            return await proceed(_checked_stream(request), context)
        return await proceed(_checked(request), context)


async def _checked_stream(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for request in requests:
        yield _checked(request)


def _checked(request: Any) -> Any:
    if isinstance(request, InvalidRequest):
        raise request
    return request
