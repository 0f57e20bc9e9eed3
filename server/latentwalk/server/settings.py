"""The settings of the server."""

from dataclasses import dataclass

from latentwalk.rpc.endpoint import Endpoint
from latentwalk.rpc.settings import HOST_AND_PORT, at_least, between, or_nothing, setting
from latentwalk.server.device import DeviceSettings
from latentwalk.server.scheduler import Limits

_MIB = 1 << 20


@dataclass(frozen=True)
class Settings(Endpoint):
    """latentwalk generation server: draws pictures and streams walks through latent space, over gRPC."""

    metrics_address: str = setting(
        "127.0.0.1:9464", "host:port to serve Prometheus metrics on; empty for none", or_nothing(HOST_AND_PORT)
    )
    store: str = setting(
        "", "artifact store: a local path or an fsspec URL; empty for data/store, which begins with the built-in digits"
    )
    models: tuple[str, ...] = setting(
        (), "models to load at start, the newest version of each, with commas between them; none for all in the store"
    )
    device: str = setting(
        "auto",
        "what draws: cpu, cuda, cuda:1, ...; several of a kind share each batch: cuda:0+cuda:1; auto is one of CUDA, "
        "or the CPU where there is none",
    )
    max_batch: int = setting(32, "most pictures drawn at once", between(1, 1024))
    max_queued_frames: int = setting(
        1024, "most pictures that may wait, over all requests; more are refused at once", between(1, 1_000_000)
    )
    max_streams: int = setting(256, "most requests served at once; more are refused at once", between(1, 100_000))
    max_queue_seconds: float = setting(
        1.0,
        "most seconds of work that may wait before a request, less by every second in which the queue has not run "
        "empty, down to an eighth, or two full batches if that is more; it is refused at once if there is more, and "
        "one full batch may always wait",
        at_least(0),
    )
    watchdog_seconds: float = setting(
        60.0,
        "a batch that takes longer, and five times as long as is known of its model, fails its requests, and the "
        "device's process is replaced; so it is if it loads a model and gives no sign of life for so long",
        at_least(0.1),
    )
    frame_cache_mib: int = setting(
        64, "most MiB of drawn pictures to keep for who asks for the same again; 0 for none", at_least(0)
    )
    w_cache_mib: int = setting(
        16, "most MiB of latents to keep as the mapping networks of StyleGANs have mapped them; 0 for none", at_least(0)
    )
    stream_credit: int = setting(
        64, "most pictures of one request that may wait, or be drawn and not yet sent", between(1, 4096)
    )
    stream_credit_mib: int = setting(
        32, "most MiB of pixels that stream_credit may amount to; one picture is always allowed", between(1, 65_536)
    )
    max_rows: int = setting(
        64, "most latents of one Generate and most starts of one Walk, as far as they fit a message", between(1, 4096)
    )
    max_frames: int = setting(10_000, "most frames of one stream", between(1, 1_000_000))
    encode_threads: int = setting(2, "threads that encode PNG, JPEG and WebP", between(1, 256))
    latent_threads: int = setting(
        2, "threads that read, map and move latents, where that takes longer than a moment", between(1, 256)
    )
    max_latent_requests: int = setting(
        64,
        "most requests whose latents may wait to be read, mapped or moved; more are refused at once",
        between(1, 100_000),
    )
    torch_threads: int = setting(
        0, "threads that the device computes with on a CPU; 0 for one less than there are cores", at_least(0)
    )
    lpips_backbone: str = setting(
        "",
        "file with torchvision's AlexNet weights, for searches that go by LPIPS; empty for torchvision's own cache, "
        "from which it is read when one does",
    )
    engine_seconds: float = setting(
        5.0,
        "how long the forms of a generator may be measured when it is loaded for the first time; 0 for plain fp32; "
        "from 120 on, compiled forms are tried too",
        at_least(0),
    )
    engine_tolerance: float = setting(
        0.5,
        "how far pixels may be from plain fp32's, in 1/255 on average; at the worst pixel, 32 times as far",
        at_least(0),
    )
    engine_cache: str = setting(
        "data/engine", "folder that remembers which form of a generator was the fastest; empty to measure at each load"
    )

    @property
    def device_settings(self) -> DeviceSettings:
        """The part that the device's process needs."""
        return DeviceSettings(
            device=self.device,
            threads=self.torch_threads,
            max_batch=self.max_batch,
            engine_seconds=self.engine_seconds,
            engine_tolerance=self.engine_tolerance,
            engine_cache=self.engine_cache,
            watchdog_seconds=self.watchdog_seconds,
            log_level=self.log_level,
            lpips_backbone=self.lpips_backbone,
        )

    @property
    def limits(self) -> Limits:
        """The part that the scheduler needs."""
        return Limits(self.max_batch, self.max_queued_frames, self.max_streams, self.max_queue_seconds)

    @property
    def frame_cache_bytes(self) -> int:
        """How many bytes of drawn pictures may be kept."""
        return self.frame_cache_mib * _MIB

    @property
    def w_cache_bytes(self) -> int:
        """How many bytes of mapped latents may be kept."""
        return self.w_cache_mib * _MIB

    @property
    def max_frame_bytes(self) -> int:
        """The most bytes of pixels, or of codes, that one reply may carry: a message less a sixteenth for all else."""
        return self.max_reply_bytes * 15 // 16

    def credit(self, picture_bytes: int) -> int:
        """How many pictures of that size one request may have waiting, or drawn and not yet sent."""
        return max(1, min(self.stream_credit, self.stream_credit_mib * _MIB // picture_bytes))
