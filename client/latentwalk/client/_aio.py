"""The asyncio client: a thin skin over the verbs. `_sync` is its twin, method for method."""

# ruff: noqa: ASYNC109 - a timeout here is a deadline that travels to the service, which asyncio.timeout() does not.

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator
from contextlib import aclosing
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import grpc
from grpc import aio

from latentwalk.client import _catalog as catalog
from latentwalk.client import _closed_form as closed_form
from latentwalk.client import _comparison as comparison
from latentwalk.client import _discovery as discovery
from latentwalk.client import _evaluation as evaluation
from latentwalk.client import _gans as gans
from latentwalk.client import _generation as generation
from latentwalk.client import _inversion as inversion
from latentwalk.client import _supervised as supervised
from latentwalk.client import _training as training
from latentwalk.client._aio_steering import AsyncSteering
from latentwalk.client._binding import like, strict
from latentwalk.client._calls import Attempts, DuplexCall, Result, StreamCall, UnaryCall
from latentwalk.client._courses import FrameEvent
from latentwalk.client._errors import ClientClosed
from latentwalk.client._files import StrPath, check_picture_file
from latentwalk.client._found import AsyncSearch, Found
from latentwalk.client._frames import Frame, Frames, Header
from latentwalk.client._health import gone, readiness
from latentwalk.client._jobs import Job, JobEvent, JobResult
from latentwalk.client._options import NOT_SAID, Options, Timeout
from latentwalk.client._pictures import Picture
from latentwalk.client._rpcs import Peer, Reply, Rpc
from latentwalk.client._steering import SteerAnswer
from latentwalk.client._tls import TlsChoice
from latentwalk.client._values import text
from latentwalk.v1 import generation_service_pb2 as pb

P = ParamSpec("P")
T = TypeVar("T")


class AsyncConnection:
    """Makes calls happen in one event loop; its channels are opened by the first call that needs them."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._channels: dict[tuple[Peer, bool], aio.Channel] = {}
        self._closed = False

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
                    if course.takes(reply):
                        attempts.progress()
                        yield call.parse(reply)
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


class AsyncWalk(AsyncIterator[Frame]):
    """The frames of a walk or an interpolation, as they arrive; in an `async with` statement or not.

    Nothing is sent before the first frame (or the header) is asked for. Closing or forgetting it ends the stream, and
    the server stops drawing. It can be read once: `collect()` keeps the frames.

    A connection that is lost is opened again, and the frames go on where they broke off, as often without a new frame
    as the client has `retries`; ModelChanged if the server has other weights by then.
    """

    def __init__(self, events: AsyncGenerator[FrameEvent], first_frame: int = 0) -> None:
        self._events = events
        self._header: Header | None = None
        self.next_index = first_frame
        """The index of the next frame. What came before it is good, also when the stream fails: go on from there."""

    async def header(self) -> Header:
        """How many frames and rows there will be, and which weights draw them."""
        if self._header is None:
            self._header = Header.from_message((await anext(self._events)).header)
        return self._header

    async def __anext__(self) -> Frame:
        header = await self.header()
        frame = Frame.from_message((await anext(self._events)).frame, header)
        self.next_index = frame.index + 1
        return frame

    async def collect(self) -> Frames:
        """Every frame that is still to come."""
        return Frames(tuple([frame async for frame in self]))

    async def strip(self) -> Picture:
        """`collect().strip()`: one picture with a row for each start and a column for each frame."""
        return (await self.collect()).strip()

    async def grid(self, columns: int) -> Picture:
        """`collect().grid(columns)`: one picture with the frames of each start in rows of `columns`."""
        return (await self.collect()).grid(columns)

    async def save(self, path: StrPath, *, fps: float = 12.0) -> None:
        """`collect().save(path)`: a GIF or WebP that plays for ever, or a strip as PNG or JPEG, by the ending.

        A file that cannot be written, InvalidRequest or OSError, is told of before anything is drawn.
        """
        check_picture_file(path)
        frames = await self.collect()
        await asyncio.to_thread(frames.save, path, fps=fps)

    async def close(self) -> None:
        """Ends the stream."""
        await self._events.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class AsyncJobHandle:
    """A job of the trainer, by its id. Making one asks nothing of the trainer."""

    def __init__(self, connection: AsyncConnection, job_id: str) -> None:
        self._connection = connection
        self.id = text("job_id", job_id)

    def __repr__(self) -> str:
        return f"AsyncJobHandle({self.id!r})"

    async def describe(self, *, timeout: Timeout = NOT_SAID) -> Job:
        """The job as it stands now."""
        return await self._connection.run(training.describe(self.id, timeout))

    def watch(self, *, after: int = 0, timeout: float | None = None) -> AsyncGenerator[JobEvent]:
        """The events of the job, from the one after the sequence number `after` on, until the job has ended.

        They go on where they broke off when the trainer is back within a minute, unless the client has no `retries`.
        """
        return self._connection.stream(training.watch(self.id, after, timeout))

    async def result(self, *, timeout: float | None = None) -> JobResult:
        """Waits until the job has ended, at most `timeout` seconds; JobFailed if it failed or was cancelled."""
        job = await self.describe()
        while not job.state.ended:
            async for _ in self.watch(after=job.last_sequence, timeout=timeout):
                pass
            job = await self.describe()
        return job.outcome()

    async def cancel(self, *, timeout: Timeout = NOT_SAID) -> Job:
        """Stops the job and keeps its checkpoint; JobStateConflict if it has ended."""
        return await self._connection.run(training.cancel(self.id, timeout))

    async def pause(self, *, timeout: Timeout = NOT_SAID) -> Job:
        """Sets the job aside, with its checkpoint and its place in line; JobStateConflict if it has ended."""
        return await self._connection.run(training.pause(self.id, timeout))

    async def resume(self, *, timeout: Timeout = NOT_SAID) -> Job:
        """Queues a job that is paused, cancelled or failed again, from its checkpoint; JobStateConflict otherwise."""
        return await self._connection.run(training.resume(self.id, timeout))

    async def delete(self, *, timeout: Timeout = NOT_SAID) -> None:
        """Forgets a job that has ended; what it published stays. JobStateConflict while it is queued or running."""
        await self._connection.run(training.delete(self.id, timeout))


def _runs(verb: Callable[P, UnaryCall[Any, T]]) -> "Callable[Concatenate[AsyncClient, P], Awaitable[T]]":
    @like(verb)
    async def method(self: "AsyncClient", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.connection.run(verb(*args, **kwargs))

    return method


def _walks(verb: Callable[P, generation.FramesCall[Any]]) -> "Callable[Concatenate[AsyncClient, P], AsyncWalk]":
    @like(verb, returns=AsyncWalk)
    def method(self: "AsyncClient", /, *args: P.args, **kwargs: P.kwargs) -> AsyncWalk:
        call = verb(*args, **kwargs)
        return AsyncWalk(self.connection.stream(call), call.request.delivery.first_frame)

    return method


def _searches(verb: Callable[P, StreamCall[Any, Found]]) -> "Callable[Concatenate[AsyncClient, P], AsyncSearch]":
    @like(verb, returns=AsyncSearch)
    def method(self: "AsyncClient", /, *args: P.args, **kwargs: P.kwargs) -> AsyncSearch:
        return AsyncSearch(self.connection.stream(verb(*args, **kwargs)))

    return method


def _steers(
    verb: Callable[P, DuplexCall[pb.SteerResponse, SteerAnswer]],
) -> "Callable[Concatenate[AsyncClient, P], AsyncSteering]":
    @like(verb, returns=AsyncSteering)
    def method(self: "AsyncClient", /, *args: P.args, **kwargs: P.kwargs) -> AsyncSteering:
        return self.connection.duplex(verb(*args, **kwargs))

    return method


def _trains(
    verb: Callable[P, UnaryCall[Any, Job]],
) -> "Callable[Concatenate[AsyncClient, P], Awaitable[AsyncJobHandle]]":
    made = strict(verb)

    @like(verb, returns=AsyncJobHandle)
    async def method(self: "AsyncClient", /, *args: P.args, **kwargs: P.kwargs) -> AsyncJobHandle:
        return self.job((await self.connection.run(made(*args, **kwargs))).id)

    return method


def _follows(
    plan: Callable[P, Generator[comparison.Call, Any, T]],
) -> "Callable[Concatenate[AsyncClient, P], Awaitable[T]]":
    @like(plan)
    async def method(self: "AsyncClient", /, *args: P.args, **kwargs: P.kwargs) -> T:
        steps, answer = plan(*args, **kwargs), None
        while True:
            try:
                call = steps.send(answer)
            except StopIteration as end:
                return end.value
            if isinstance(call, UnaryCall):
                answer = await self.connection.run(call)
            else:
                answer = await AsyncWalk(self.connection.stream(call)).collect()

    return method


class AsyncClient:
    """An asyncio client: `Client` with `await` in front of every call, in an `async with` statement.

    Walks, interpolations and `job.watch()` are asynchronous iterators and are not awaited. The arguments are those of
    `Client`. One client belongs to one event loop.
    """

    def __init__(
        self,
        address: str = "127.0.0.1:50051",
        *,
        trainer_address: str | None = None,
        token: str | None = None,
        tls: TlsChoice = False,
        timeout: float | None = 60.0,
        retries: int = 2,
        overload_retries: int = 0,
    ) -> None:
        options = Options(address, trainer_address, token, tls, timeout, retries, overload_retries)
        self.connection = AsyncConnection(options)
        """What makes the calls happen."""

    generate = _runs(generation.generate)
    walk = _walks(generation.walk)
    walk_legs = _walks(generation.walk_legs)
    interpolate = _walks(generation.interpolate)
    steer = _steers(generation.steer)
    map_latents = _runs(generation.map_latents)
    invert = _searches(inversion.invert)

    models = _runs(catalog.models)
    model = _runs(catalog.model)
    load_model = _runs(catalog.load_model)
    unload_model = _runs(catalog.unload_model)
    directions = _runs(catalog.directions)
    direction = _runs(catalog.direction)
    load_direction = _runs(catalog.load_direction)
    unload_direction = _runs(catalog.unload_direction)
    pick_sliders = _runs(catalog.pick_sliders)

    train_edit = _trains(supervised.train_edit)
    train_discovery = _trains(discovery.train_discovery)
    train_class_directions = _trains(discovery.train_class_directions)
    train_sefa = _trains(closed_form.train_sefa)
    train_pca = _trains(closed_form.train_pca)
    train_boundary = _trains(supervised.train_boundary)
    train_gan = _trains(gans.train_gan)
    train_joint = _trains(gans.train_joint)
    train_classifier = _trains(gans.train_classifier)
    train_evaluation = _trains(evaluation.train_evaluation)
    jobs = _runs(training.jobs)

    compare_directions = _follows(comparison.compare_directions)

    def job(self, job_id: str) -> AsyncJobHandle:
        """A handle on the job of that id; asks nothing of the trainer."""
        return AsyncJobHandle(self.connection, job_id)

    async def wait_ready(self, timeout: float | None = 60.0) -> None:
        """Waits until a server, and the trainer if there is one, serve; DeadlineExceeded after `timeout` seconds.

        Unavailable if it shuts down meanwhile.
        """
        for call in readiness(self.connection.options.peers, timeout):
            async with aclosing(self.connection.stream(call)) as states:
                async for serves in states:
                    if serves:
                        break
                else:
                    raise gone(call)

    async def close(self) -> None:
        """Ends every running call and closes the connections."""
        await self.connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
