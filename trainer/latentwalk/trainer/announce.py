"""Telling the generation servers of what was published."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import grpc

from latentwalk.trainer.jobs.records import Job
from latentwalk.trainer.reports import Published, Result
from latentwalk.v1 import model_service_pb2, model_service_pb2_grpc

# A direction is a small file; a generator is warmed before it serves.
_TIMEOUT_SECONDS = 120.0

_log = logging.getLogger("latentwalk.announce")


@dataclass(frozen=True, slots=True)
class Announcer:
    """Knows the way to the servers."""

    addresses: tuple[str, ...]
    """host:port of each."""
    certificate: str
    """A PEM file with the root that the servers' certificates must come from; "" for no TLS."""
    shown: tuple[str, str]
    """PEM files of the certificate, and of its key, for a server that asks for one; "" for none."""
    token: str
    """A file with the bearer token; "" for none."""

    async def announce(self, job: Job, result: Result) -> Result:
        """Has all servers load what was published; the returned result says whether they did, and if not, why."""
        if not self.addresses:
            return result
        return replace(result, artifacts=tuple([await self._load(job, one) for one in result.artifacts]))

    async def _load(self, job: Job, published: Published) -> Published:
        if published.kind not in _CALLS:
            return published
        asked = (self._ask(address, job.spec.model, published) for address in self.addresses)
        problems = "; ".join(filter(None, await asyncio.gather(*asked)))
        if problems:
            _log.warning("job %s: not all servers have loaded %s: %s", job.id, published.name, problems)
        return replace(published, loaded=not problems, load_error=problems)

    async def _ask(self, address: str, model: str, published: Published) -> str:
        """Has one server load it; says what went wrong, if anything."""
        try:
            async with self._channel(address) as channel:
                stub = model_service_pb2_grpc.ModelServiceStub(channel)
                load = _CALLS[published.kind](stub, model, published)
                await load(timeout=_TIMEOUT_SECONDS, metadata=self._metadata())
        except grpc.aio.AioRpcError as error:
            return f"{address}: {error.code().name}: {error.details()}"
        except OSError as error:
            return f"{address}: {error}"
        return ""

    def _channel(self, address: str) -> grpc.aio.Channel:
        if not self.certificate:
            return grpc.aio.insecure_channel(address)
        root = Path(self.certificate).read_bytes()
        certificate, key = (Path(file).read_bytes() if file else None for file in self.shown)
        return grpc.aio.secure_channel(address, grpc.ssl_channel_credentials(root, key, certificate))

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        if not self.token:
            return ()
        return (("authorization", f"Bearer {Path(self.token).read_text('utf-8').strip()}"),)


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
