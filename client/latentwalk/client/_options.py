"""How a client reaches its services: addresses, TLS, token, deadlines, retries."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

import grpc

from latentwalk.client._addresses import checked_address, with_port
from latentwalk.client._errors import InvalidRequest, NoTrainer
from latentwalk.client._numbers import number, whole
from latentwalk.client._places import name_of, places_of
from latentwalk.client._rpcs import GENERATION, RPCS, Peer
from latentwalk.client._tls import Tls, TlsChoice
from latentwalk.client._values import text_or_empty

# The most that services can be set to (max_request_mib, max_reply_mib), and a little more: it is for them to bound what
# they take and send, and to say so. grpc's default of 4 MiB does not hold a batch of 1024x1024 pictures.
MAX_MESSAGE_BYTES = 1025 * 1024 * 1024
# grpc makes at most five attempts, whatever the service config says (gRFC A6).
MAX_RETRIES = 4

FIRST_PAUSE = 0.2
"""Seconds before a call is sent again when nobody answered; the next pauses grow by PAUSE_GROWTH, to LONGEST_PAUSE.

Two of them are a second together: time for one more connection over TLS to the other side of the world, or on a machine
that has much to do. Until it is made, what is sent fails at once.
"""
PAUSE_GROWTH = 4
LONGEST_PAUSE = 2.0

# Calls to servers take turns over all that the address stands for and that say they serve: grpc asks each of them all
# the time, so that one which starts, drains or has lost its device gets none. By itself it would stay with the first.
# A trainer is alone with its jobs, and is asked whatever its health, to tell of it.
SPREAD: Mapping[str, object] = {
    "loadBalancingConfig": [{"round_robin": {}}],
    "healthCheckConfig": {"serviceName": GENERATION},
}


class NotSaid(Enum):
    """The type of NOT_SAID."""

    NOT_SAID = "not said"

    def __repr__(self) -> str:
        return self.name


NOT_SAID = NotSaid.NOT_SAID
"""The default of almost every `timeout`: the client's own deadline. None is something else: no deadline at all."""

Timeout = float | None | NotSaid
"""Seconds; None for no deadline; NOT_SAID for the client's own."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a client was made with; see `Client` for the meaning of each."""

    address: str
    trainer_address: str | None
    token: str | None = field(repr=False)
    tls: TlsChoice
    timeout: float | None
    retries: int
    overload_retries: int
    authority: str = ""
    """Whom the server's certificate is for, "host:port"; empty for whom the address names."""

    def __post_init__(self) -> None:
        checked_address("address", self.address)
        if self.trainer_address not in (None, ""):
            checked_address("trainer_address", self.trainer_address)
        token = text_or_empty("token", self.token)
        if not (token.isascii() and token.isprintable()):  # not shown: whatever is wrong with it, it is a secret
            raise InvalidRequest.of("token", "has a character that no header can carry, such as the end of a line")
        whole("retries", self.retries, high=MAX_RETRIES)
        whole("overload_retries", self.overload_retries)
        if self.timeout is not None and not number("timeout", self.timeout) > 0:
            raise InvalidRequest.of("timeout", f"{self.timeout} is not above 0; None means no deadline")

    def __str__(self) -> str:
        trainer = f", trainer_address={self.trainer_address!r}" if self.trainer_address else ""
        return f"{self.address!r}{trainer}"

    @property
    def peers(self) -> tuple[Peer, ...]:
        """Whom this client can call."""
        return ("server", "trainer") if self.trainer_address else ("server",)

    def address_of(self, peer: Peer) -> str:
        """The address of a peer, with its port; NoTrainer if there is none."""
        if peer == "server":
            return with_port(self.address, peer)
        if not self.trainer_address:
            raise NoTrainer("jobs need a trainer: make the client with trainer_address='host:port'")
        return with_port(self.trainer_address, peer)

    def of_each_server(self) -> "list[Options]":
        """The same for each of the servers that the address stands for at this moment; it asks the name service."""
        address = self.address_of("server")
        return [replace(self, address=place, authority=name_of(address)) for place in places_of(address)]

    def channel_arguments(self, peer: Peer, *, interactive: bool = False) -> Sequence[tuple[str, int | str]]:
        """The arguments of a channel: message limits, quick reconnection, retries, and how calls are shared out."""
        return [
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 2_000),
            ("grpc.service_config", json.dumps(self.service_config(peer))),
            *((("grpc.default_authority", self.authority),) if self.authority and peer == "server" else ()),
            # Else grpc lets the window grow to some MiB, which are filled with stale pictures while nobody reads.
            *((("grpc.http2.bdp_probe", 0),) if interactive else ()),
        ]

    def service_config(self, peer: Peer) -> dict[str, object]:
        """How often calls are sent, and to which addresses of the peer."""
        return {**(SPREAD if peer == "server" else {}), **self._retrying()}

    def _retrying(self) -> dict[str, object]:
        """Retries of the repeatable rpcs, and only of them, and only when nobody was there to answer."""
        if not self.retries:
            return {}
        policy = {
            "maxAttempts": self.retries + 1,
            "initialBackoff": f"{FIRST_PAUSE}s",
            "maxBackoff": f"{LONGEST_PAUSE}s",
            "backoffMultiplier": PAUSE_GROWTH,
            "retryableStatusCodes": ["UNAVAILABLE"],
        }
        names = [{"service": rpc.service, "method": rpc.name} for rpc in RPCS if rpc.repeatable]
        return {"methodConfig": [{"name": names, "retryPolicy": policy}]}

    def credentials(self) -> grpc.ChannelCredentials | None:
        """What secures the channel; None for plain text."""
        if self.tls is False:
            return None
        tls = self.tls if isinstance(self.tls, Tls) else Tls(None if self.tls is True else self.tls)
        return tls.credentials()

    def metadata(self, request_id: str) -> tuple[tuple[str, str], ...]:
        """What goes with every call: its id, and the token if there is one."""
        token = (("authorization", f"Bearer {self.token}"),) if self.token else ()
        return (("x-request-id", request_id), *token)
