"""Where the servers are that a name stands for."""

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

_SCHEMES = {socket.AF_INET: "ipv4:{}:{}", socket.AF_INET6: "ipv6:[{}]:{}"}


@dataclass(frozen=True, slots=True)
class Place:
    """One server, as it can be reached."""

    address: str
    """host:port as it was given: whom its certificate must be for."""
    host: str
    """Its own IP address."""
    target: str
    """That, with the port, in the words of gRPC."""

    def __str__(self) -> str:
        name = self.address.rpartition(":")[0].strip("[]")
        return self.address if name == self.host else f"{self.address} at {self.host}"


async def places_of(address: str) -> Sequence[Sequence[Place]]:
    """All that host:port stands for at this moment: those in IPv4 and those in IPv6, the system's choice first.

    Who has addresses of both kinds is among both. Raises OSError if the name is not known, or is none.
    """
    address = address.removeprefix("dns:///")
    name, _, port = address.rpartition(":")
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(name.strip("[]"), int(port), type=socket.SOCK_STREAM)
    except ValueError as error:
        raise OSError(f"{name!r} is no name of a host: {error}") from error
    families: dict[int, dict[str, Place]] = {}
    for family, _, _, _, (host, *_) in found:
        target = _SCHEMES[family].format(quote(str(host), safe=":"), port)
        families.setdefault(family, {})[str(host)] = Place(address, str(host), target)
    return [list(places.values()) for places in families.values()]
