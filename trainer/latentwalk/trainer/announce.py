"""Telling the generation server of a new direction."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path

import grpc

from latentwalk.trainer.jobs.records import Job
from latentwalk.trainer.reports import Result
from latentwalk.v1 import model_service_pb2, model_service_pb2_grpc

# To load a direction is to read a small file; a server that takes longer is not well.
_TIMEOUT_SECONDS = 10.0

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
        """Has the server load the direction; the returned result says whether it did, and if not, why."""
        if not self.address:
            return result
        request = model_service_pb2.LoadDirectionRequest(
            model=job.spec.model, direction=result.direction, version=str(result.version)
        )
        try:
            async with self._channel() as channel:
                stub = model_service_pb2_grpc.ModelServiceStub(channel)
                await stub.LoadDirection(request, timeout=_TIMEOUT_SECONDS, metadata=self._metadata())
        except grpc.aio.AioRpcError as error:
            problem = f"{self.address}: {error.code().name}: {error.details()}"
        except OSError as error:
            problem = str(error)
        else:
            return replace(result, loaded=True)
        _log.warning("job %s: the server has not loaded the direction: %s", job.id, problem)
        return replace(result, load_error=problem)

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
