"""TLS and mutual TLS, with certificates that are renewed without a restart."""

import ssl
import stat
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
    """What is in the files. gRPC would say no more of wrong ones than that it failed."""
    _check_certificates("tls_certificate", certificate)
    _check_key(key, certificate)
    if client_ca:
        _check_certificates("tls_client_ca", client_ca)
    try:
        pair = key.read_bytes(), certificate.read_bytes()
        authority = client_ca.read_bytes() if client_ca else None
    except OSError as error:
        raise SettingsError(f"tls_certificate, tls_key, tls_client_ca: {error}") from error
    return grpc.ssl_server_certificate_configuration([pair], root_certificates=authority)


def _check_certificates(setting: str, path: Path) -> None:
    _check_file(setting, path)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(path)
    except OSError as error:
        raise SettingsError(f"{setting} {path} holds no certificate in PEM: {error}") from error


def _check_key(key: Path, certificate: Path) -> None:
    _check_file("tls_key", key)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=_no_password)
    except ssl.SSLError as error:
        is_another = error.reason == "KEY_VALUES_MISMATCH"
        problem = f"is not the key of tls_certificate {certificate}" if is_another else "holds no private key in PEM"
        raise SettingsError(f"tls_key {key} {problem}: {error}") from error
    except (OSError, ValueError) as error:
        raise SettingsError(f"tls_key {key} cannot be used: {error}") from error


def _check_file(setting: str, path: Path) -> None:
    """Raises SettingsError for what is no file: who reads a pipe waits for whoever writes into it."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise SettingsError(f"{setting} {path} is not there") from error
    except OSError as error:
        raise SettingsError(f"{setting} {path} cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(mode):
        raise SettingsError(f"{setting} {path} is no regular file")


def _no_password() -> str:
    raise ValueError("the key is encrypted; nobody is there to be asked for its password")
