"""TLS and mutual TLS, with certificates that are renewed without a restart."""

import ssl
from pathlib import Path

import grpc

from latentwalk.rpc.endpoint import Endpoint
from latentwalk.rpc.reloading import Reloaded
from latentwalk.rpc.settings import SettingsError


def server_credentials(endpoint: Endpoint) -> grpc.ServerCredentials:
    """The credentials of an endpoint with a certificate; asks clients for theirs if it has a tls_client_ca.

    A handshake gets the newest files that belong together. Raises SettingsError if they do not at first.
    """
    files = [Path(name) for name in (endpoint.tls_certificate, endpoint.tls_key, endpoint.tls_client_ca) if name]
    certificates = Reloaded(tuple(files), lambda: _read(*files))
    given = certificates.value()

    def newest() -> grpc.ServerCertificateConfiguration | None:
        """None while nothing has changed, as gRPC wants it, whatever the stubs say."""
        nonlocal given
        before, given = given, certificates.value()
        return None if given is before else given

    return grpc.dynamic_ssl_server_credentials(
        given,
        newest,  # pyright: ignore[reportArgumentType]
        require_client_authentication=bool(endpoint.tls_client_ca),
    )


def _read(certificate: Path, key: Path, client_ca: Path | None = None) -> grpc.ServerCertificateConfiguration:
    try:
        pair = key.read_bytes(), certificate.read_bytes()
        authority = client_ca.read_bytes() if client_ca else None
    except OSError as error:
        raise SettingsError(f"tls_certificate, tls_key, tls_client_ca: {error}") from error
    # gRPC would say no more than that it failed.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ValueError) as error:
        raise SettingsError(f"tls_certificate {certificate} and tls_key {key} do not go together: {error}") from error
    if client_ca:
        try:
            context.load_verify_locations(client_ca)
        except OSError as error:
            raise SettingsError(f"tls_client_ca {client_ca} holds no certificate: {error}") from error
    return grpc.ssl_server_certificate_configuration([pair], root_certificates=authority)


def _no_password() -> str:
    raise ValueError("the key is encrypted; nobody is there to be asked for its password")
