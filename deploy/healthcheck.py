"""Asks a gRPC service how it is: `healthcheck HOST:PORT SERVICE` exits with 0 if it is SERVING, with 1 if not.

LATENTWALK_TLS_ROOT names the PEM file of a root certificate, for a service behind TLS. To one that asks for a client's
certificate, the service's own is shown: LATENTWALK_TLS_CERTIFICATE and LATENTWALK_TLS_KEY.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

CHECK = "/grpc.health.v1.Health/Check"
TIMEOUT_SECONDS = 4


def serving(address: str, service: str, root: str, certificate: str, key: str) -> bool:
    """Whether `service` at `address` is SERVING; over TLS if the file of a root certificate is named."""
    if root:
        files = (Path(file).read_bytes() if file else None for file in (root, key, certificate))
        credentials = grpc.ssl_channel_credentials(*files)
        channel = grpc.secure_channel(address, credentials)
    else:
        channel = grpc.insecure_channel(address)
    with channel:
        check = channel.unary_unary(CHECK, HealthCheckRequest.SerializeToString, HealthCheckResponse.FromString)
        return check(HealthCheckRequest(service=service), timeout=TIMEOUT_SECONDS).status == HealthCheckResponse.SERVING


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> str | None:
    """What is wrong; None if the service is SERVING."""
    if len(arguments) != 2:
        return "usage: healthcheck HOST:PORT SERVICE"
    address, service = arguments
    root, certificate, key = (environ.get(f"LATENTWALK_TLS_{name}", "") for name in ("ROOT", "CERTIFICATE", "KEY"))
    try:
        return None if serving(address, service, root, certificate, key) else f"{service} is not serving"
    except OSError as error:
        return f"LATENTWALK_TLS_ROOT, _CERTIFICATE, _KEY: {error}"
    except grpc.RpcError as error:
        return f"{address}: {error.code().name}: {error.details()}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
