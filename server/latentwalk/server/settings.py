"""The settings of the server."""

from dataclasses import dataclass

from latentwalk.rpc.lifecycle import Endpoint
from latentwalk.rpc.logs import LOG_LEVELS
from latentwalk.rpc.settings import (
    SettingsError,
    at_least,
    between,
    host_and_port,
    host_and_port_or_nothing,
    one_of,
    setting,
)

_MIB = 1 << 20


@dataclass(frozen=True)
class Settings:
    """latentwalk generation server: draws pictures and streams walks through latent space, over gRPC."""

    address: str = setting("127.0.0.1:50051", "host:port to serve gRPC on; port 0 is any free one", host_and_port)
    metrics_address: str = setting(
        "127.0.0.1:9464", "host:port to serve Prometheus metrics on; empty for none", host_and_port_or_nothing
    )
    store: str = setting("data/store", "artifact store: a local path or an fsspec URL")
    models: tuple[str, ...] = setting(
        (), "models to load at start, the newest version of each, with commas between them; none for all in the store"
    )
    device: str = setting("auto", "auto, cpu, cuda, cuda:1, ...")
    max_batch: int = setting(32, "most pictures drawn at once", between(1, 1024))
    max_queued_frames: int = setting(
        1024, "most pictures that may wait, over all requests; more are refused at once", between(1, 1_000_000)
    )
    max_streams: int = setting(256, "most requests served at once; more are refused at once", between(1, 100_000))
    stream_credit: int = setting(
        32, "most pictures of one request that may wait, or be drawn and not yet sent", between(1, 4096)
    )
    stream_credit_mib: int = setting(
        32, "most MiB of pixels that stream_credit may amount to; one picture is always allowed", between(1, 65_536)
    )
    max_rows: int = setting(
        64, "most latents of one Generate and most starts of one Walk, as far as they fit a message", between(1, 4096)
    )
    max_frames: int = setting(10_000, "most frames of one stream", between(1, 1_000_000))
    max_message_mib: int = setting(64, "most MiB of one message", between(1, 1024))
    encode_threads: int = setting(2, "threads that encode PNG, JPEG and WebP", between(1, 256))
    torch_threads: int = setting(
        0, "threads that torch computes with; 0 for one less than there are cores", at_least(0)
    )
    tls_certificate: str = setting("", "PEM file with the certificate chain; empty for no TLS")
    tls_key: str = setting("", "PEM file with the private key")
    tokens: str = setting("", "file with the sha256 of one allowed bearer token per line; empty to ask for none")
    grace_seconds: float = setting(30.0, "how long running requests may go on after SIGTERM", at_least(0))
    log_level: str = setting("info", "debug, info, warning or error", one_of(*LOG_LEVELS))

    def __post_init__(self) -> None:
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise SettingsError("tls_certificate and tls_key: give both, or neither")

    @property
    def endpoint(self) -> Endpoint:
        """The part that the doorway needs."""
        return Endpoint(
            address=self.address,
            metrics_address=self.metrics_address,
            tls_certificate=self.tls_certificate,
            tls_key=self.tls_key,
            tokens=self.tokens,
            grace_seconds=self.grace_seconds,
            max_message_bytes=self.max_message_mib * _MIB,
        )

    @property
    def max_frame_bytes(self) -> int:
        """The most bytes of pixels that one reply may carry: a message less a sixteenth for all that is not pixels."""
        return self.max_message_mib * _MIB * 15 // 16

    def credit(self, picture_bytes: int) -> int:
        """How many pictures of that size one request may have waiting, or drawn and not yet sent."""
        return max(1, min(self.stream_credit, self.stream_credit_mib * _MIB // picture_bytes))
