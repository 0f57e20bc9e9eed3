"""Making calls happen, blocking. `_aio_connection` is its twin, method for method."""

import threading
import time
from collections.abc import Generator
from typing import Any, Self

import grpc

from latentwalk.client._calls import Attempts, DuplexCall, Result, StreamCall, UnaryCall
from latentwalk.client._errors import ClientClosed
from latentwalk.client._options import Options
from latentwalk.client._rpcs import Peer, Reply, Rpc
from latentwalk.client._steering import SteerAnswer
from latentwalk.client._sync_steering import Steering
from latentwalk.v1 import generation_service_pb2 as pb


class Connection:
    """Makes calls happen, blocking. Threads may share it."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._channels: dict[tuple[Peer, bool], grpc.Channel] = {}
        self._opening = threading.Lock()
        self._closed = False

    def __reduce__(self) -> tuple[type[Self], tuple[Options]]:
        """A copy, as for another process, opens connections of its own."""
        return type(self), (self.options,)

    def run(self, call: UnaryCall[Reply, Result]) -> Result:
        """Sends the request and gives the parsed reply."""
        rpc = call.rpc
        attempts = Attempts(self.options, rpc.peer, call.timeout)
        send = self._channel(rpc).unary_unary(rpc.path, type(call.request).SerializeToString, rpc.reply.FromString)
        while True:
            try:
                reply = send(call.request, attempts.seconds_left(), attempts.metadata)
            except grpc.RpcError as error:
                time.sleep(attempts.pause_after(error))
            else:
                return call.parse(reply)

    def stream(self, call: StreamCall[Reply, Result]) -> Generator[Result]:
        """Sends the request when first read; gives the parsed replies; cancels the rpc when closed or forgotten."""
        rpc = call.rpc
        attempts = Attempts(self.options, rpc.peer, call.timeout)
        send = self._channel(rpc).unary_stream(rpc.path, type(call.request).SerializeToString, rpc.reply.FromString)
        course = call.course()
        while True:
            replies = send(
                course.request, attempts.seconds_left(), attempts.metadata, wait_for_ready=call.wait_for_ready
            )
            try:
                for reply in replies:
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
            time.sleep(pause)

    def duplex(self, call: DuplexCall[pb.SteerResponse, SteerAnswer]) -> Steering:
        """Opens the stream."""
        rpc = call.rpc
        attempts = Attempts(self.options, rpc.peer, call.timeout)
        send = self._channel(rpc).stream_stream(rpc.path, type(call.request).SerializeToString, rpc.reply.FromString)
        return Steering(call, lambda requests: send(requests, attempts.seconds_left(), attempts.metadata), attempts)

    def close(self) -> None:
        """Ends every running call and closes the channels."""
        with self._opening:
            self._closed = True
            for channel in self._channels.values():
                channel.close()

    def _channel(self, rpc: Rpc[Any]) -> grpc.Channel:
        key = rpc.peer, rpc.interactive
        with self._opening:
            if self._closed:
                raise ClientClosed("the client is closed")
            if key not in self._channels:
                self._channels[key] = _open(self.options, rpc)
            return self._channels[key]


def _open(options: Options, rpc: Rpc[Any]) -> grpc.Channel:
    address, credentials = options.address_of(rpc.peer), options.credentials()
    arguments = options.channel_arguments(rpc.peer, interactive=rpc.interactive)
    if credentials is None:
        return grpc.insecure_channel(address, arguments)
    return grpc.secure_channel(address, credentials, arguments)
