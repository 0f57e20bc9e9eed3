"""Telling the generation server of what was published."""

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
    """Knows the way to the server."""

    address: str
    """host:port; "" if there is no server to tell."""
    certificate: str
    """A PEM file with the root that the server's certificate must come from; "" for no TLS."""
    shown: tuple[str, str]
    """PEM files of the certificate, and of its key, for a server that asks for one; "" for none."""
    token: str
    """A file with the bearer token; "" for none."""

    async def announce(self, job: Job, result: Result) -> Result:
        """Has the server load what was published; the returned result says whether it did, and if not, why."""
        if not self.address:
            return result
        return replace(result, artifacts=tuple([await self._load(job, one) for one in result.artifacts]))

    async def _load(self, job: Job, published: Published) -> Published:
        if published.kind not in _CALLS:
            return published
        try:
            async with self._channel() as channel:
                stub = model_service_pb2_grpc.ModelServiceStub(channel)
                await _CALLS[published.kind](stub, job.spec.model, published)(
                    timeout=_TIMEOUT_SECONDS, metadata=self._metadata()
                )
        except grpc.aio.AioRpcError as error:
            problem = f"{self.address}: {error.code().name}: {error.details()}"
        except OSError as error:
            problem = str(error)
        else:
            return replace(published, loaded=True)
        _log.warning("job %s: the server has not loaded %s: %s", job.id, published.name, problem)
        return replace(published, load_error=problem)

    def _channel(self) -> grpc.aio.Channel:
        if not self.certificate:
            return grpc.aio.insecure_channel(self.address)
        root = Path(self.certificate).read_bytes()
        certificate, key = (Path(file).read_bytes() if file else None for file in self.shown)
        return grpc.aio.secure_channel(self.address, grpc.ssl_channel_credentials(root, key, certificate))

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
