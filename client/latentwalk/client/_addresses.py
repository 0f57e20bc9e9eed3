"""Where the services are, for whoever names a host alone; what can be no address is refused here, by name."""

import re
from typing import Any

from latentwalk.client._errors import InvalidRequest
from latentwalk.client._rpcs import Peer
from latentwalk.client._values import text

DEFAULT_PORTS: dict[Peer, int] = {"server": 50051, "trainer": 50052}
"""Those on which the services listen unless they are told another."""

# A name, an IPv4 address or an IPv6 address in brackets, as it is or as a target of grpc's dns resolver.
_HOST = re.compile(r"(?:dns:(?://[^/]*/)?)?(?:[^:/\[\]]+|\[[^\]]+\])(?::(?P<port>[^:/]*))?")
_BARE_IPV6 = re.compile(r"[0-9a-fA-F.]*:[0-9a-fA-F.]*:[0-9a-fA-F:.]*(%\w+)?")
_SCHEME_OF_GRPC = re.compile(r"(unix|unix-abstract|vsock|ipv4|ipv6|xds|google-c2p):.")


def checked_address(field: str, address: Any) -> str:
    """The address if it can be one. InvalidRequest for anything else, such as a URL, of which grpc says little."""
    given = text(field, address)
    if _SCHEME_OF_GRPC.match(given) or _BARE_IPV6.fullmatch(given):
        return given
    found = _HOST.fullmatch(given)
    if not found or re.search(r"\s", given):
        raise InvalidRequest.of(
            field, f"{given!r} is no address; it must be like gpu-1 or gpu-1:50051, without http://"
        )
    port = found["port"]
    if port is not None and not (port.isascii() and port.isdecimal() and 0 < int(port) < 65_536):
        raise InvalidRequest.of(field, f"{given!r} ends with port {port!r}, which must be from 1 to 65535")
    return given


def with_port(address: str, peer: Peer) -> str:
    """The address with the default port of the service if it names none, for which grpc would take 443.

    Targets of other schemes than dns (unix:, ipv4:, xds:, ...) are left as they are.
    """
    if _BARE_IPV6.fullmatch(address):
        address = f"[{address}]"
    found = _HOST.fullmatch(address)
    return f"{address}:{DEFAULT_PORTS[peer]}" if found and found["port"] is None else address
