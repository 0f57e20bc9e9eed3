"""The servers that one address stands for, each by an address of its own."""

import re
import socket
from collections.abc import Sequence

from latentwalk.client._errors import Failure, Unavailable

_LIST = re.compile(r"(?P<scheme>ipv[46]):(?P<places>.+)")
_NAME = re.compile(r"(?:dns:(?:///)?)?(?P<host>[^:/\[\]]+):(?P<port>\d+)")
_TARGETS = {socket.AF_INET: "ipv4:{}:{}", socket.AF_INET6: "ipv6:[{}]:{}"}


def places_of(address: str) -> Sequence[str]:
    """An address of gRPC for each server behind `address`, which has its port; itself if it is that of one.

    A name is looked up now. If it has addresses of IPv4 and of IPv6, those of IPv4 count: they are the same servers.
    Unavailable for a name that nobody knows.
    """
    if found := _LIST.fullmatch(address):
        return [f"{found['scheme']}:{place}" for place in found["places"].split(",")]
    if not (found := _NAME.fullmatch(address)):
        return [address]
    try:
        known = socket.getaddrinfo(found["host"], int(found["port"]), type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # a name with two dots in a row, or a part too long, is none
        reason = error.strerror if isinstance(error, OSError) else error
        raise Unavailable(Failure("UNAVAILABLE", f"no server is known as {found['host']}: {reason}")) from error
    family = socket.AF_INET if any(one[0] == socket.AF_INET for one in known) else socket.AF_INET6
    hosts = dict.fromkeys(str(one[4][0]) for one in known if one[0] == family)
    return [_TARGETS[family].format(host, found["port"]) for host in hosts]


def name_of(address: str) -> str:
    """Whom the certificates of the servers behind it are for: "host:port" of a name, or empty."""
    found = _NAME.fullmatch(address)
    return f"{found['host']}:{found['port']}" if found else ""
