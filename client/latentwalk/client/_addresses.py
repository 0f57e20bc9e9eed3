"""Where the services are, for whoever names a host alone."""

import re

from latentwalk.client._rpcs import Peer

DEFAULT_PORTS: dict[Peer, int] = {"server": 50051, "trainer": 50052}
"""Those on which the services listen unless they are told another."""

# A name, an IPv4 address or an IPv6 address in brackets, as it is or as a target of grpc's dns resolver.
_HOST_ALONE = re.compile(r"(dns:(//[^/]*/)?)?([^:/\[\]]+|\[[^\]]+\])")
_BARE_IPV6 = re.compile(r"[0-9a-fA-F.]*:[0-9a-fA-F.]*:[0-9a-fA-F:.]*(%\w+)?")


def with_port(address: str, peer: Peer) -> str:
    """The address with the default port of the service if it names none, for which grpc would take 443.

    Targets of other schemes than dns (unix:, ipv4:, xds:, ...) are left as they are.
    """
    if _BARE_IPV6.fullmatch(address):
        address = f"[{address}]"
    return f"{address}:{DEFAULT_PORTS[peer]}" if _HOST_ALONE.fullmatch(address) else address
