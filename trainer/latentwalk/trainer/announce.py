"""Telling the generation servers of what was published."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import grpc

from latentwalk.rpc.settings import SettingsError
from latentwalk.trainer.jobs.records import Job
from latentwalk.trainer.places import Place, places_of
from latentwalk.trainer.reports import Published, Result
from latentwalk.v1 import model_service_pb2, model_service_pb2_grpc

# As long as the image gives a server to start: the first load of a large generator measures and warms it. What is given
# up here is seen through by the server.
_TIMEOUT_SECONDS = 600.0

_log = logging.getLogger("latentwalk.announce")


@dataclass(frozen=True, slots=True)
class Announcer:
    """Knows the way to the servers."""

    addresses: tuple[str, ...]
    """host:port of each, or of many: a name stands for all servers that it has addresses of, whenever it is used."""
    certificate: str
    """A PEM file with the root that the servers' certificates must come from; "" for no TLS."""
    shown: tuple[str, str]
    """PEM files of the certificate, and of its key, for a server that asks for one; "" for none."""
    token: str
    """A file with the bearer token; "" for none."""

    def check(self) -> None:
        """Raises SettingsError for files that cannot be read now: else the first to find it were a job at its end."""
        for setting, read in (("server_certificate", self._credentials), ("server_token", self._metadata)):
            try:
                read()
            except OSError as error:
                raise SettingsError(f"{setting} cannot be used: {error}") from error

    async def announce(self, job: Job, result: Result) -> Result:
        """Has all servers load what was published; the returned result says whether they did, and if not, why."""
        if not self.addresses:
            return result
        return replace(result, artifacts=tuple([await self._load(job, one) for one in result.artifacts]))

    async def _load(self, job: Job, published: Published) -> Published:
        if published.kind not in _CALLS:
            return published
        told = (self._tell(address, job.spec.model, published) for address in self.addresses)
        problems = "; ".join(chain.from_iterable(await asyncio.gather(*told)))
        if problems:
            _log.warning("job %s: not all servers have loaded %s: %s", job.id, published.name, problems)
        return replace(published, loaded=not problems, load_error=problems)

    async def _tell(self, address: str, model: str, published: Published) -> list[str]:
        """Has every server at an address load it; says what went wrong, if anything.

        Servers that have addresses of two kinds are told at those of one: of the first at which anybody answers.
        """
        try:
            families = await places_of(address)
        except OSError as error:
            return [f"{address}: {error}"]
        problems = list[str]()
        for places in families:
            errors = await asyncio.gather(*(self._ask(place, model, published) for place in places))
            said = [f"{place}: {_words(error)}" for place, error in zip(places, errors, strict=True) if error]
            if not all(map(_is_silence, errors)):
                return said
            problems += said
        return problems

    async def _ask(self, place: Place, model: str, published: Published) -> grpc.aio.AioRpcError | OSError | None:
        """Has one server load it; what went wrong, if anything."""
        try:
            async with self._channel(place) as channel:
                stub = model_service_pb2_grpc.ModelServiceStub(channel)
                load = _CALLS[published.kind](stub, model, published)
                await load(timeout=_TIMEOUT_SECONDS, metadata=self._metadata())
        except (grpc.aio.AioRpcError, OSError) as error:
            return error
        return None

    def _channel(self, place: Place) -> grpc.aio.Channel:
        # The certificate is for the name. Who is to be reached without a proxy is named to gRPC, too, not numbered.
        arguments = [("grpc.default_authority", place.address), ("grpc.enable_http_proxy", 0)]
        credentials = self._credentials()
        if credentials is None:
            return grpc.aio.insecure_channel(place.target, arguments)
        return grpc.aio.secure_channel(place.target, credentials, arguments)

    def _credentials(self) -> grpc.ChannelCredentials | None:
        """What secures a channel; None for plain text. Raises OSError."""
        if not self.certificate:
            return None
        root = Path(self.certificate).read_bytes()
        certificate, key = (Path(file).read_bytes() if file else None for file in self.shown)
        return grpc.ssl_channel_credentials(root, key, certificate)

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        if not self.token:
            return ()
        token = Path(self.token).read_text("utf-8", errors="replace").strip()
        if not (token.isascii() and token.isprintable()):
            raise OSError(f"file {self.token} holds no token: it must be one line of printable ASCII")
        return (("authorization", f"Bearer {token}"),)


def _words(error: grpc.aio.AioRpcError | OSError) -> str:
    return f"{error.code().name}: {error.details()}" if isinstance(error, grpc.aio.AioRpcError) else str(error)


def _is_silence(error: Exception | None) -> bool:
    """Whether nobody has answered."""
    return isinstance(error, grpc.aio.AioRpcError) and error.code() is grpc.StatusCode.UNAVAILABLE


def _load_model(stub: Any, model: str, published: Published) -> Callable[..., Awaitable[object]]:
    request = model_service_pb2.LoadModelRequest(model=model, version=str(published.version))
    return partial(stub.LoadModel, request)


def _load_direction(stub: Any, model: str, published: Published) -> Callable[..., Awaitable[object]]:
    request = model_service_pb2.LoadDirectionRequest(
        model=model, direction=published.name, version=str(published.version)
    )
    return partial(stub.LoadDirection, request)


_CALLS: Mapping[str, Callable[[Any, str, Published], Callable[..., Awaitable[object]]]] = {
    "generators": _load_model,
    "directions": _load_direction,
}
"""How each kind of artifact is loaded; a server has no use for the others."""
