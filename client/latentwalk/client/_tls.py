"""Who a client trusts, and how it proves who it is."""

from dataclasses import dataclass
from pathlib import Path

import grpc

from latentwalk.client._errors import InvalidRequest
from latentwalk.client._files import StrPath, file_path


@dataclass(frozen=True, slots=True)
class Tls:
    """TLS by files, all of them PEM.

    root: the authority that the services' certificates must come from; None for the system's own.
    certificate, key: what this client shows to services that ask for it (mutual TLS); give both, or neither.
    """

    root: StrPath | None = None
    certificate: StrPath | None = None
    key: StrPath | None = None

    def __post_init__(self) -> None:
        for name, path in (("root", self.root), ("certificate", self.certificate), ("key", self.key)):
            if path is not None:
                file_path(f"tls.{name}", path)
        if (self.certificate is None) != (self.key is None):
            raise InvalidRequest.of("tls", "give both certificate and key, or neither")

    def credentials(self) -> grpc.ChannelCredentials:
        """What secures a channel. Raises OSError for a file that cannot be read, InvalidRequest for no PEM."""
        root, key, certificate = (_pem(name, getattr(self, name)) for name in ("root", "key", "certificate"))
        return grpc.ssl_channel_credentials(root, key, certificate)


def _pem(name: str, path: StrPath | None) -> bytes | None:
    """What is in the file: grpc says nothing of one that is not PEM."""
    if path is None:
        return None
    content = Path(path).read_bytes()
    if b"-----BEGIN " not in content:
        raise InvalidRequest.of(f"tls.{name}", f"{str(path)!r} is no PEM file: it has no line -----BEGIN ...-----")
    return content


TlsChoice = bool | StrPath | Tls
"""False for plain text, True for TLS with the system's root certificates, a path for another root, or all of it."""
