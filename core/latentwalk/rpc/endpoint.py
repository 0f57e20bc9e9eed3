"""The settings that every service has: where it listens, whom it lets in, and what it bounds."""

from dataclasses import dataclass

from latentwalk.rpc.logs import LOG_LEVELS
from latentwalk.rpc.settings import (
    HOST_AND_PORT,
    SettingsError,
    at_least,
    between,
    one_of,
    or_nothing,
    setting,
)

_MIB = 1 << 20
# gRPC itself ends a call whose message is larger than this many times the limit, or beyond this many times the most
# calls at once, with RESOURCE_EXHAUSTED and before any of our code runs; between the two, we answer.
_HARD_LIMIT_FACTOR = 2
# However few calls at once we take, a burst has as many as ever, and gRPC must leave it to us to refuse them: so many
# calls beyond the most may be under way while they are refused, and so many may wait to be looked at.
_FEWEST_SPARE_CALLS = 64
_FEWEST_PENDING_CALLS = 8192
# How long a call may wait to be looked at; after half a minute, gRPC would cancel it without a word. That it waits too
# long is for its caller to say, with a deadline.
_PENDING_SECONDS = 24 * 3600
# What is asked of us goes in messages; metadata has a token, an id and little else.
_METADATA_BYTES = 8 << 10
# How soon a connection is given up whose other end has vanished without a word.
_PING_SECONDS = 60
_PING_TIMEOUT_SECONDS = 20
# gRPC's arguments have 32 bits.
_GREATEST_ARGUMENT = 2**31 - 1
_OLDEST_CONNECTION_SECONDS = 2_000_000
# How often a client may ping an idle connection; more often, and it is thrown out.
_CLIENT_PING_SECONDS = 10


@dataclass(frozen=True)
class Endpoint:
    """To be inherited by the settings of a service, which add what is theirs."""

    address: str = setting("127.0.0.1:50051", "host:port to serve gRPC on; port 0 is any free one", HOST_AND_PORT)
    metrics_address: str = setting(
        "", "host:port to serve Prometheus metrics on; empty for none", or_nothing(HOST_AND_PORT)
    )
    reflection: bool = setting(True, "whether callers may ask which services and messages there are")
    tls_certificate: str = setting("", "PEM file with the certificate chain; empty for no TLS")
    tls_key: str = setting("", "PEM file with the private key")
    tls_client_ca: str = setting(
        "", "PEM file with the authority that clients' certificates must come from; empty to ask for none"
    )
    tokens: str = setting(
        "", "file with a line 'SHA256 ROLE[,ROLE] [NAME]' for each allowed bearer token; empty to ask for none"
    )
    calls_per_second: float = setting(0.0, "calls that one client may begin per second; 0 for any number", at_least(0))
    calls_burst: int = setting(
        0, "calls that one client may begin at once after a pause; 0 for a second's worth", between(0, 1_000_000)
    )
    calls_in_flight: int = setting(
        0, "calls that one client may have under way; 0 for any number", between(0, 1_000_000)
    )
    max_calls: int = setting(4096, "most calls at once, over all clients", between(1, 1_000_000))
    max_connections: int = setting(
        4096, "most connections at once, and most watches of health on all of them", between(1, 1_000_000)
    )
    handshake_seconds: float = setting(
        5.0,
        "how long a new connection may take to say what it is; until then it is one of the most at once",
        between(0.1, 3600),
    )
    max_connection_calls: int = setting(1024, "most calls at once on one connection", between(1, 1_000_000))
    max_connection_age_seconds: float = setting(
        0.0,
        "when a connection is asked to leave, so that clients spread over new servers; its calls go on; 0 for never",
        between(0, _OLDEST_CONNECTION_SECONDS),
    )
    max_request_mib: int = setting(
        8, "most MiB of one message of a caller, which may take fifty times as much memory", between(1, 1024)
    )
    max_reply_mib: int = setting(64, "most MiB of one message to a caller", between(1, 1024))
    grace_seconds: float = setting(30.0, "how long running calls may go on after SIGTERM", at_least(0))
    log_level: str = setting("info", "from which level on there are lines in the log", one_of(*LOG_LEVELS))

    def __post_init__(self) -> None:
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise SettingsError("tls_certificate and tls_key: give both, or neither")
        if self.tls_client_ca and not self.tls_certificate:
            raise SettingsError("tls_client_ca: clients show certificates over TLS only; give tls_certificate, tls_key")

    @property
    def max_request_bytes(self) -> int:
        """The most that one message of a caller may weigh."""
        return self.max_request_mib * _MIB

    @property
    def max_reply_bytes(self) -> int:
        """The most that one message to a caller may weigh."""
        return self.max_reply_mib * _MIB

    @property
    def hard_limit_calls(self) -> int:
        """The most calls at once with those that we refuse, and with health checks and reflection.

        A client that balances watches the health of each of its connections all the time.
        """
        answered = max(_HARD_LIMIT_FACTOR * self.max_calls, self.max_calls + _FEWEST_SPARE_CALLS)
        return answered + self.max_connections

    def channel_arguments(self) -> list[tuple[str, int]]:
        """What gRPC itself is to bound."""
        return [
            # Two servers on one port must be an error, not a lottery.
            ("grpc.so_reuseport", 0),
            ("grpc.max_receive_message_length", min(_HARD_LIMIT_FACTOR * self.max_request_bytes, _GREATEST_ARGUMENT)),
            ("grpc.max_send_message_length", self.max_reply_bytes),
            ("grpc.max_metadata_size", _METADATA_BYTES),
            ("grpc.absolute_max_metadata_size", _METADATA_BYTES),
            ("grpc.max_concurrent_streams", self.max_connection_calls),
            ("grpc.max_allowed_incoming_connections", self.max_connections),
            *self._pending(),
            ("grpc.server_max_unrequested_time_in_server", _PENDING_SECONDS),
            ("grpc.server_handshake_timeout_ms", round(1000 * self.handshake_seconds)),
            ("grpc.keepalive_time_ms", 1000 * _PING_SECONDS),
            ("grpc.keepalive_timeout_ms", 1000 * _PING_TIMEOUT_SECONDS),
            # A client may keep an idle connection alive; without this it is thrown out for asking.
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.min_recv_ping_interval_without_data_ms", 1000 * _CLIENT_PING_SECONDS),
            *self._age(),
        ]

    def _pending(self) -> list[tuple[str, int]]:
        """Of calls that have arrived and were not looked at yet: beyond the first number, gRPC cancels some without a
        word, and beyond the second all. To refuse them is for us, with a reason and a delay.
        """
        names = "grpc.server.max_pending_requests", "grpc.server.max_pending_requests_hard_limit"
        return [(name, max(self.hard_limit_calls, _FEWEST_PENDING_CALLS)) for name in names]

    def _age(self) -> list[tuple[str, int]]:
        if not self.max_connection_age_seconds:
            return []
        return [("grpc.max_connection_age_ms", max(1, round(1000 * self.max_connection_age_seconds)))]
