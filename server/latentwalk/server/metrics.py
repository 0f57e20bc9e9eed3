"""What the server tells Prometheus about itself, besides the metrics of every gRPC server."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from latentwalk.server.served import ServedModel

_BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64, 128)
# Fine where most batches are: how long one takes is the measure of how long anything may take.
_BATCH_SECONDS = (
    *(0.001, 0.0015, 0.002, 0.003, 0.004, 0.005, 0.006, 0.008, 0.01, 0.012, 0.015),
    *(0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
)
_FRAME_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)
# Pairs of a model and a kind.
_MOST_REMEMBERED = 1_024


class Pace:
    """How fast the frames of one request, or of one position of Steer, come; made when it begins."""

    def __init__(
        self,
        labels: tuple[str, str],
        first_frame: Callable[..., Histogram],
        frame_gap: Callable[..., Histogram],
        frames: Callable[..., Counter],
    ) -> None:
        self._labels = labels
        self._seconds = first_frame
        self._frame_gap = frame_gap
        self._frames = frames
        self._since = perf_counter()

    def ready(self, frames: int = 1) -> None:
        """The next frame, or the whole of a unary reply, is ready to be sent; or several frames that came together."""
        self._seconds(*self._labels).observe(perf_counter() - self._since)
        self._seconds = self._frame_gap
        for _ in range(frames - 1):
            self._seconds(*self._labels).observe(0.0)

    def sent(self, pictures: int) -> None:
        """It was sent, with so many pictures."""
        self._frames(*self._labels).inc(pictures)
        self._since = perf_counter()


class CallMetrics:
    """What callers get, and how soon, in `registry`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        frames = Counter(
            "latentwalk_frames_total",
            "Pictures handed to callers; kind is generate, walk, interpolate, steer or invert.",
            ("model", "kind"),
            registry=registry,
        )
        first_frame = Histogram(
            "latentwalk_first_frame_seconds",
            "Seconds from a valid request, or position, until its first frame, or whole reply, was ready to be sent.",
            ("model", "kind"),
            buckets=_FRAME_SECONDS,
            registry=registry,
        )
        frame_gap = Histogram(
            "latentwalk_frame_gap_seconds",
            "Seconds from when a frame of a stream was sent until the next was ready; slow readers do not count.",
            ("model", "kind"),
            buckets=_FRAME_SECONDS,
            registry=registry,
        )
        # Looked up once a model and kind, not for each frame; models come and go, so only so many are remembered.
        remembered = lru_cache(_MOST_REMEMBERED)
        self._frames = remembered(frames.labels)
        self._first_frame = remembered(first_frame.labels)
        self._frame_gap = remembered(frame_gap.labels)

    def pace(self, model: str, kind: str) -> Pace:
        """Counts and times the frames of a request that begins now."""
        return Pace((model, kind), self._first_frame, self._frame_gap, self._frames)


class QueueMetrics:
    """What waits, and what became of it, in `registry`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._queued = Gauge("latentwalk_queue_frames", "Pictures that wait for the device.", registry=registry)
        self._streams = Gauge(
            "latentwalk_open_streams", "Requests whose pictures are being drawn or read.", registry=registry
        )
        self._cancelled = Counter(
            "latentwalk_frames_cancelled_total",
            "Waiting pictures that were dropped undrawn, because their caller had gone or their deadline had passed.",
            registry=registry,
        )
        self._rejected = Counter(
            "latentwalk_rejected_total", "Requests refused because of load.", ("reason",), registry=registry
        )

    def watch(self, *, queued: Callable[[], int], streams: Callable[[], int]) -> None:
        """Whenever Prometheus asks, these say how many pictures wait, and how many streams are open."""
        self._queued.set_function(queued)
        self._streams.set_function(streams)

    def dropped(self, pictures: int) -> None:
        """Waiting pictures were dropped."""
        self._cancelled.inc(pictures)

    def refused(self) -> None:
        """A request was refused because of load."""
        self._rejected.labels("queue_full").inc()


class DrawingMetrics:
    """What is drawn, and what need not be, in `registry`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._size = Histogram(
            "latentwalk_batch_size", "Pictures drawn at once.", buckets=_BATCH_SIZES, registry=registry
        )
        self._seconds = Histogram(
            "latentwalk_batch_seconds",
            "Seconds on the device for one batch.",
            buckets=_BATCH_SECONDS,
            registry=registry,
        )
        hits = Counter(
            "latentwalk_cache_hits_total",
            "Pictures that needed no drawing: kept from earlier (frames), or being drawn for another (in_flight); and "
            "latents that needed no mapping (w).",
            ("cache",),
            registry=registry,
        )
        misses = Counter(
            "latentwalk_cache_misses_total",
            "Pictures, or latents, that the cache did not have.",
            ("cache",),
            registry=registry,
        )
        # Looked up once, not for each batch.
        self._kept = hits.labels("frames"), misses.labels("frames")
        self._shared = hits.labels("in_flight"), misses.labels("in_flight")
        self._mapped = hits.labels("w"), misses.labels("w")

    def batch(self, size: int, seconds: float) -> None:
        """A batch was drawn."""
        self._size.observe(size)
        self._seconds.observe(seconds)

    def reuse(self, kept: int, shared: int, drawn: int) -> None:
        """Pictures were kept from earlier, were being drawn for somebody else anyway, and had to be drawn."""
        self._kept[0].inc(kept)
        self._kept[1].inc(shared + drawn)
        self._shared[0].inc(shared)
        self._shared[1].inc(drawn)

    def mapping(self, kept: int, mapped: int) -> None:
        """Latents were kept from earlier as w, and had to be mapped. For any thread."""
        self._mapped[0].inc(kept)
        self._mapped[1].inc(mapped)


class ModelMetrics:
    """Which models serve, in `registry`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._loaded = Gauge(
            "latentwalk_model_loaded", "1 for each model that serves.", ("model", "version"), registry=registry
        )
        self._variants = Gauge(
            "latentwalk_engine_variant_info",
            "1 for the form of a generator that draws batches of that size.",
            ("model", "bucket", "variant"),
            registry=registry,
        )

    def loaded(self, models: Iterable[ServedModel]) -> None:
        """These, and no others, serve now."""
        self._loaded.clear()
        self._variants.clear()
        for model in models:
            self._loaded.labels(model.name, str(model.version)).set(1)
            for bucket, variant in model.engine.choice.variants.items():
                self._variants.labels(model.name, str(bucket), variant).set(1)
