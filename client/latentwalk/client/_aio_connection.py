"""Making calls happen, in an event loop. `_sync_connection` is its twin, method for method."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, Self

import grpc
from grpc import aio

from latentwalk.client._aio_steering import AsyncSteering
from latentwalk.client._calls import Attempts, DuplexCall, Result, StreamCall, UnaryCall
from latentwalk.client._errors import ClientClosed
from latentwalk.client._options import Options
from latentwalk.client._rpcs import Peer, Reply, Rpc
from latentwalk.client._steering import SteerAnswer
from latentwalk.v1 import generation_service_pb2 as pb


class AsyncConnection:
    """Makes calls happen in one event loop; its channels are opened by the first call that needs them."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._channels: dict[tuple[Peer, bool], aio.Channel] = {}
        self._closed = False

    def __reduce__(self) -> tuple[type[Self], tuple[Options]]:
        """A copy, as for another process, opens connections of its own."""
        return type(self), (self.options,)

    async def run(self, call: UnaryCall[Reply, Result]) -> Result:
        """Sends the request and gives the parsed reply."""
        rpc = call.rpc
        attempts = Attempts(self.options, rpc.peer, call.timeout)
        send = self._channel(rpc).unary_unary(rpc.path, type(call.request).SerializeToString, rpc.reply.FromString)
        while True:
            try:
                reply = await send(call.request, timeout=attempts.seconds_left(), metadata=attempts.metadata)
            except grpc.RpcError as error:
                await asyncio.sleep(attempts.pause_after(error))
            else:
                return call.parse(reply)

    async def stream(self, call: StreamCall[Reply, Result]) -> AsyncGenerator[Result]:
        """Sends the request when first read; gives the parsed replies; cancels the rpc when closed or forgotten."""
        rpc = call.rpc
        attempts = Attempts(self.options, rpc.peer, call.timeout)
        send = self._channel(rpc).unary_stream(rpc.path, type(call.request).SerializeToString, rpc.reply.FromString)
        course = call.course()
        while True:
            replies = send(
                course.request,
                timeout=attempts.seconds_left(),
                metadata=attempts.metadata,
                wait_for_ready=call.wait_for_ready,
            )
            try:
                async for reply in replies:
                    for news in course.news(reply):
                        attempts.progress()
                        yield call.parse(news)
            except grpc.RpcError as error:
                if course.is_complete:
                    return
                pause = attempts.pause_after(error, course)
            else:
                return
            finally:
                replies.cancel()
            await asyncio.sleep(pause)

    def duplex(self, call: DuplexCall[pb.SteerResponse, SteerAnswer]) -> AsyncSteering:
        """Opens the stream."""
        rpc = call.rpc
        attempts = Attempts(self.options, rpc.peer, call.timeout)
        send = self._channel(rpc).stream_stream(rpc.path, type(call.request).SerializeToString, rpc.reply.FromString)
        return AsyncSteering(
            call,
            lambda requests: send(requests, timeout=attempts.seconds_left(), metadata=attempts.metadata),
            attempts,
        )

    async def close(self) -> None:
        """Ends every running call and closes the channels."""
        self._closed = True
        for channel in self._channels.values():
            await channel.close()

    def _channel(self, rpc: Rpc[Any]) -> aio.Channel:
        key = rpc.peer, rpc.interactive
        if self._closed:
            raise ClientClosed("the client is closed")
        if key not in self._channels:
            self._channels[key] = _open(self.options, rpc)
        return self._channels[key]


def _open(options: Options, rpc: Rpc[Any]) -> aio.Channel:
    address, credentials = options.address_of(rpc.peer), options.credentials()
    arguments = options.channel_arguments(rpc.peer, interactive=rpc.interactive)
    if credentials is None:
        return aio.insecure_channel(address, arguments)
    return aio.secure_channel(address, credentials, arguments)
