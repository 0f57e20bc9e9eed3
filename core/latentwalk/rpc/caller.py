"""Who calls, by name: for the log, for limits, and for whoever wants to be fair between clients."""

import re
from contextvars import ContextVar
from functools import lru_cache
from urllib.parse import unquote

caller: ContextVar[str] = ContextVar("caller", default="")
"""The client whose rpc this task serves: the name of its token, else the common name of its certificate, else its host;
empty outside of an rpc."""

_LONGEST = 64
_MOST_REMEMBERED = 1_024
_PORT = re.compile(r":\d+$")


# The calls of one connection all have the same peer.
@lru_cache(_MOST_REMEMBERED)
def name_of(peer: str, common_name: bytes | None) -> str:
    """A caller without a token: by its certificate if it has shown one, else by the host of gRPC's `peer`."""
    if common_name:
        return common_name.decode("utf-8", "replace")[:_LONGEST]
    kind, _, address = unquote(peer).partition(":")
    return (_PORT.sub("", address) if kind in ("ipv4", "ipv6") else peer)[:_LONGEST]
