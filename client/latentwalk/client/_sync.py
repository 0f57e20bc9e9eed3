"""The blocking client: a thin skin over the verbs. `_aio` is its twin, method for method."""

import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import grpc

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
from latentwalk.client._binding import like, strict
from latentwalk.client._calls import Attempts, DuplexCall, Result, StreamCall, UnaryCall
from latentwalk.client._courses import FrameEvent
from latentwalk.client._errors import ClientClosed
from latentwalk.client._files import StrPath, check_picture_file
from latentwalk.client._found import Found, Search
from latentwalk.client._frames import Frame, Frames, Header
from latentwalk.client._health import gone, readiness
from latentwalk.client._jobs import Job, JobEvent, JobResult
from latentwalk.client._options import NOT_SAID, Options, Timeout
from latentwalk.client._pictures import Picture
from latentwalk.client._rpcs import Peer, Reply, Rpc
from latentwalk.client._steering import SteerAnswer
from latentwalk.client._sync_steering import Steering
from latentwalk.client._tls import TlsChoice
from latentwalk.client._values import text
from latentwalk.v1 import generation_service_pb2 as pb

P = ParamSpec("P")
T = TypeVar("T")


class Connection:
    """Makes calls happen, blocking. Threads may share it."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._channels: dict[tuple[Peer, bool], grpc.Channel] = {}
        self._opening = threading.Lock()
        self._closed = False

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


class Walk(Iterator[Frame]):
    """The frames of a walk or an interpolation, as they arrive; in a `with` statement or not.

    Nothing is sent before the first frame (or the header) is asked for. Closing or forgetting it ends the stream, and
    the server stops drawing. It can be read once: `collect()` keeps the frames.

    A connection that is lost is opened again, and the frames go on where they broke off, as often without a new frame
    as the client has `retries`; ModelChanged if the server has other weights by then.
    """

    def __init__(self, events: Generator[FrameEvent], first_frame: int = 0) -> None:
        self._events = events
        self._header: Header | None = None
        self.next_index = first_frame
        """The index of the next frame. What came before it is good, also when the stream fails: go on from there."""

    def header(self) -> Header:
        """How many frames and rows there will be, and which weights draw them."""
        if self._header is None:
            self._header = Header.from_message(next(self._events).header)
        return self._header

    def __next__(self) -> Frame:
        header = self.header()
        frame = Frame.from_message(next(self._events).frame, header)
        self.next_index = frame.index + 1
        return frame

    def collect(self) -> Frames:
        """Every frame that is still to come."""
        return Frames(tuple(self))

    def strip(self) -> Picture:
        """`collect().strip()`: one picture with a row for each start and a column for each frame."""
        return self.collect().strip()

    def grid(self, columns: int) -> Picture:
        """`collect().grid(columns)`: one picture with the frames of each start in rows of `columns`."""
        return self.collect().grid(columns)

    def save(self, path: StrPath, *, fps: float = 12.0) -> None:
        """`collect().save(path)`: a GIF or WebP that plays for ever, or a strip as PNG or JPEG, by the ending.

        A file that cannot be written, InvalidRequest or OSError, is told of before anything is drawn.
        """
        check_picture_file(path)
        self.collect().save(path, fps=fps)

    def close(self) -> None:
        """Ends the stream."""
        self._events.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class JobHandle:
    """A job of the trainer, by its id. Making one asks nothing of the trainer."""

    def __init__(self, connection: Connection, job_id: str) -> None:
        self._connection = connection
        self.id = text("job_id", job_id)

    def __repr__(self) -> str:
        return f"JobHandle({self.id!r})"

    def describe(self, *, timeout: Timeout = NOT_SAID) -> Job:
        """The job as it stands now."""
        return self._connection.run(training.describe(self.id, timeout))

    def watch(self, *, after: int = 0, timeout: float | None = None) -> Generator[JobEvent]:
        """The events of the job, from the one after the sequence number `after` on, until the job has ended.

        They go on where they broke off when the trainer is back within a minute, unless the client has no `retries`.
        """
        return self._connection.stream(training.watch(self.id, after, timeout))

    def result(self, *, timeout: float | None = None) -> JobResult:
        """Waits until the job has ended, at most `timeout` seconds; JobFailed if it failed or was cancelled."""
        job = self.describe()
        while not job.state.ended:
            for _ in self.watch(after=job.last_sequence, timeout=timeout):
                pass
            job = self.describe()
        return job.outcome()

    def cancel(self, *, timeout: Timeout = NOT_SAID) -> Job:
        """Stops the job and keeps its checkpoint; JobStateConflict if it has ended."""
        return self._connection.run(training.cancel(self.id, timeout))

    def pause(self, *, timeout: Timeout = NOT_SAID) -> Job:
        """Sets the job aside, with its checkpoint and its place in line; JobStateConflict if it has ended."""
        return self._connection.run(training.pause(self.id, timeout))

    def resume(self, *, timeout: Timeout = NOT_SAID) -> Job:
        """Queues a job that is paused, cancelled or failed again, from its checkpoint; JobStateConflict otherwise."""
        return self._connection.run(training.resume(self.id, timeout))

    def delete(self, *, timeout: Timeout = NOT_SAID) -> None:
        """Forgets a job that has ended; what it published stays. JobStateConflict while it is queued or running."""
        self._connection.run(training.delete(self.id, timeout))


def _runs(verb: Callable[P, UnaryCall[Any, T]]) -> "Callable[Concatenate[Client, P], T]":
    @like(verb)
    def method(self: "Client", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.connection.run(verb(*args, **kwargs))

    return method


def _walks(verb: Callable[P, generation.FramesCall[Any]]) -> "Callable[Concatenate[Client, P], Walk]":
    @like(verb, returns=Walk)
    def method(self: "Client", /, *args: P.args, **kwargs: P.kwargs) -> Walk:
        call = verb(*args, **kwargs)
        return Walk(self.connection.stream(call), call.request.delivery.first_frame)

    return method


def _searches(verb: Callable[P, StreamCall[Any, Found]]) -> "Callable[Concatenate[Client, P], Search]":
    @like(verb, returns=Search)
    def method(self: "Client", /, *args: P.args, **kwargs: P.kwargs) -> Search:
        return Search(self.connection.stream(verb(*args, **kwargs)))

    return method


def _steers(
    verb: Callable[P, DuplexCall[pb.SteerResponse, SteerAnswer]],
) -> "Callable[Concatenate[Client, P], Steering]":
    @like(verb, returns=Steering)
    def method(self: "Client", /, *args: P.args, **kwargs: P.kwargs) -> Steering:
        return self.connection.duplex(verb(*args, **kwargs))

    return method


def _trains(verb: Callable[P, UnaryCall[Any, Job]]) -> "Callable[Concatenate[Client, P], JobHandle]":
    made = strict(verb)

    @like(verb, returns=JobHandle)
    def method(self: "Client", /, *args: P.args, **kwargs: P.kwargs) -> JobHandle:
        return self.job(self.connection.run(made(*args, **kwargs)).id)

    return method


def _follows(
    plan: Callable[P, Generator[comparison.Call, Any, T]],
) -> "Callable[Concatenate[Client, P], T]":
    @like(plan)
    def method(self: "Client", /, *args: P.args, **kwargs: P.kwargs) -> T:
        steps, answer = plan(*args, **kwargs), None
        while True:
            try:
                call = steps.send(answer)
            except StopIteration as end:
                return end.value
            if isinstance(call, UnaryCall):
                answer = self.connection.run(call)
            else:
                answer = Walk(self.connection.stream(call)).collect()

    return method


class Client:
    """A blocking client of a generation server and, if wanted, of a trainer. Use it in a `with` statement.

    address, trainer_address: "host:port" of the server and of the trainer; without a port, 50051 and 50052. Connections
        are made when first needed. If the name of the server stands for several, calls take turns over those that
        serve.
    token: sent as a bearer token with every call; send it over TLS only.
    tls: False for plain text, True for TLS with the system's root certificates, the path of a PEM file with others, or
        a Tls, which may also have a certificate to show.
    timeout: seconds that a call may take, retries included, unless it says otherwise; None for no deadline. Streams
        (walks, interpolations, watching a job) have a deadline only if they are given one.
    retries: how often (0 to 4) a call that may safely be repeated is sent again when nobody answered. Others are not.
    overload_retries: how often a call that the service refused as overloaded is sent again, after the pause that the
        service asked for. 0: Overloaded is raised at once.

    Every failure is a LatentwalkError; see latentwalk.client for the tree. Threads may share one client.
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
        self.connection = Connection(options)
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

    def job(self, job_id: str) -> JobHandle:
        """A handle on the job of that id; asks nothing of the trainer."""
        return JobHandle(self.connection, job_id)

    def wait_ready(self, timeout: float | None = 60.0) -> None:
        """Waits until a server, and the trainer if there is one, serve; DeadlineExceeded after `timeout` seconds.

        Unavailable if it shuts down meanwhile.
        """
        for call in readiness(self.connection.options.peers, timeout):
            with closing(self.connection.stream(call)) as states:
                if not any(states):
                    raise gone(call)

    def close(self) -> None:
        """Ends every running call and closes the connections."""
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
