"""The asyncio client: a thin skin over the verbs. `_sync` is its twin, method for method."""

# ruff: noqa: ASYNC109 - a timeout here is a deadline that travels to the service, which asyncio.timeout() does not.

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
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
from latentwalk.client._aio_connection import AsyncConnection
from latentwalk.client._aio_jobs import AsyncJobHandle
from latentwalk.client._aio_steering import AsyncSteering
from latentwalk.client._aio_streams import AsyncSearch, AsyncWalk
from latentwalk.client._binding import like, strict
from latentwalk.client._calls import DuplexCall, StreamCall, UnaryCall
from latentwalk.client._errors import LatentwalkError
from latentwalk.client._found import Found
from latentwalk.client._health import gone, readiness
from latentwalk.client._jobs import Job
from latentwalk.client._options import Options
from latentwalk.client._steering import SteerAnswer
from latentwalk.client._tls import TlsChoice
from latentwalk.v1 import generation_service_pb2 as pb

P = ParamSpec("P")
T = TypeVar("T")


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


def _follows(plan: Callable[P, plans.Plan[T]]) -> "Callable[Concatenate[AsyncClient, P], Awaitable[T]]":
    @like(plan)
    async def method(self: "AsyncClient", /, *args: P.args, **kwargs: P.kwargs) -> T:
        steps = plan(*args, **kwargs)
        call = plans.advance(steps, None)
        while not isinstance(call, plans.Done):
            try:
                if isinstance(call, UnaryCall):
                    answer = await self.connection.run(call)
                else:
                    answer = await AsyncWalk(self.connection.stream(call)).collect()
            except LatentwalkError as error:
                answer = error
            call = await asyncio.to_thread(plans.advance, steps, answer)
        return call.value

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

    def __repr__(self) -> str:
        return f"AsyncClient({self.connection.options})"

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

    def job(self, job_id: str) -> AsyncJobHandle:
        """A handle on the job of that id; asks nothing of the trainer."""
        return AsyncJobHandle(self.connection, job_id)

    async def each_server(self) -> "list[AsyncClient]":
        """As `Client.each_server`."""
        clients = list[AsyncClient]()
        for options in await asyncio.to_thread(self.connection.options.of_each_server):
            clients.append(copy(self))
            clients[-1].connection = AsyncConnection(options)
        return clients

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
