"""The blocking client: a thin skin over the verbs. `_aio` is its twin, method for method."""

from collections.abc import Callable
from contextlib import closing
from copy import copy
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from latentwalk.client import _catalog as catalog
from latentwalk.client import _closed_form as closed_form
from latentwalk.client import _comparison as comparison
from latentwalk.client import _discovery as discovery
from latentwalk.client import _evaluation as evaluation
from latentwalk.client import _figures as figures
from latentwalk.client import _gans as gans
from latentwalk.client import _generation as generation
from latentwalk.client import _inversion as inversion
from latentwalk.client import _plans as plans
from latentwalk.client import _storage as storage
from latentwalk.client import _supervised as supervised
from latentwalk.client import _training as training
from latentwalk.client._binding import like, strict
from latentwalk.client._calls import DuplexCall, StreamCall, UnaryCall
from latentwalk.client._errors import LatentwalkError
from latentwalk.client._found import Found
from latentwalk.client._health import gone, readiness
from latentwalk.client._jobs import Job
from latentwalk.client._options import Options
from latentwalk.client._steering import SteerAnswer
from latentwalk.client._sync_connection import Connection
from latentwalk.client._sync_jobs import JobHandle
from latentwalk.client._sync_steering import Steering
from latentwalk.client._sync_streams import Search, Walk
from latentwalk.client._tls import TlsChoice
from latentwalk.v1 import generation_service_pb2 as pb

P = ParamSpec("P")
T = TypeVar("T")


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


def _follows(plan: Callable[P, plans.Plan[T]]) -> "Callable[Concatenate[Client, P], T]":
    @like(plan)
    def method(self: "Client", /, *args: P.args, **kwargs: P.kwargs) -> T:
        steps = plan(*args, **kwargs)
        call = plans.advance(steps, None)
        while not isinstance(call, plans.Done):
            try:
                if isinstance(call, UnaryCall):
                    answer = self.connection.run(call)
                else:
                    answer = Walk(self.connection.stream(call)).collect()
            except LatentwalkError as error:
                answer = error
            call = plans.advance(steps, answer)
        return call.value

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

    def __repr__(self) -> str:
        return f"Client({self.connection.options})"

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
    versions = _runs(storage.versions)
    delete_version = _follows(storage.delete_version)

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
    mixing_figure = _follows(figures.mixing_figure)
    truncation_figure = _follows(figures.truncation_figure)
    noise_figure = _follows(figures.noise_figure)

    def job(self, job_id: str) -> JobHandle:
        """A handle on the job of that id; asks nothing of the trainer."""
        return JobHandle(self.connection, job_id)

    def each_server(self) -> "list[Client]":
        """A client of each server that the address stands for now: for what each must be told, such as `load_model`.

        They have connections of their own, and are to be closed. Unavailable if nobody knows the name.
        """
        clients = list[Client]()
        for options in self.connection.options.of_each_server():
            clients.append(copy(self))
            clients[-1].connection = Connection(options)
        return clients

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
