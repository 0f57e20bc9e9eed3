"""Models, directions and their sliders, as a server describes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from latentwalk.client._measures import in_order
from latentwalk.v1 import model_service_pb2 as pb


class LoadState(StrEnum):
    """Where a model or a direction stands in a server."""

    UNKNOWN = "unknown"
    """A state that this SDK does not know."""
    AVAILABLE = "available"
    """In the store, not loaded."""
    LOADING = "loading"
    """Being read and warmed."""
    READY = "ready"
    """Serving."""


LOAD_STATES = {
    pb.LOAD_STATE_AVAILABLE: LoadState.AVAILABLE,
    pb.LOAD_STATE_LOADING: LoadState.LOADING,
    pb.LOAD_STATE_READY: LoadState.READY,
}


@dataclass(frozen=True, slots=True)
class Model:
    """A generator. Everything from `digest` to `max_frames` is empty unless it is READY."""

    name: str
    version: str
    """The version that serves, or the newest in the store when none does."""
    state: LoadState
    digest: str
    """sha256 over the spec and the weights, "sha256:<hex>"."""
    family: str
    """What the network is, e.g. "dcgan"."""
    latent_size: int
    """The length of a z."""
    classes: int
    """How many classes it is conditioned on; 0 for an unconditional generator."""
    width: int
    height: int
    channels: int
    spaces: tuple[str, ...]
    """The latent spaces it has: "z", "w", "w+"."""
    max_rows: int
    """The most latents that one `generate` may have, and the most starts of a walk."""
    max_frames: int
    """The most frames that one stream may have."""
    versions: tuple[str, ...]
    """Every version in the store, oldest first."""
    layers: int
    """How many w the synthesis takes, one a layer from coarse to fine; 0 without a mapping network."""
    w_size: int
    """The length of a w; 0 without a mapping network."""
    truncation: float | None
    """The truncation that it stands for (BigGAN): its seeds are latents of that law. None for a family that is not
    normalised for one."""

    @classmethod
    def from_message(cls, model: pb.Model) -> "Model":
        """The model in a message."""
        return cls(
            name=model.name,
            version=model.version,
            state=LOAD_STATES.get(model.state, LoadState.UNKNOWN),
            digest=model.digest,
            family=model.family,
            latent_size=model.latent_size,
            classes=model.classes,
            width=model.width,
            height=model.height,
            channels=model.channels,
            spaces=tuple(model.spaces),
            max_rows=model.max_rows,
            max_frames=model.max_frames,
            versions=tuple(model.versions),
            layers=model.layers,
            w_size=model.w_size,
            truncation=model.truncation if model.HasField("truncation") else None,
        )


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model that was just loaded."""

    model: Model
    dropped_directions: tuple[str, ...]
    """Directions of the version before that belong to another generator than this one; no longer loaded."""


@dataclass(frozen=True, slots=True)
class Range:
    """A range of a slider, as (low, high)."""

    alpha: tuple[float, float]
    """In the direction's own latent units."""
    amount: tuple[float, float] | None
    """In the unit of the edit, no further than a slider is calibrated, if it is; None for one that imitates no edit."""

    @classmethod
    def from_message(cls, bounds: pb.Range) -> "Range":
        """The range in a message."""
        amount = (bounds.amount_low, bounds.amount_high) if bounds.HasField("amount_low") else None
        return cls((bounds.alpha_low, bounds.alpha_high), amount)


@dataclass(frozen=True, slots=True)
class SliderSource:
    """The slider, of another direction of the same generator, that one was picked from."""

    direction: str
    version: str
    slider: str
    """Its name there."""
    opposite: bool
    """Whether its alpha is the opposite there."""
    method: str
    """By which method that direction was found; empty if it does not say."""
    job: str
    """By which job; empty if it does not say."""
    without: tuple[str, ...] = ()
    """The sliders that it was projected off, in this order, "direction@version:slider" each."""

    @classmethod
    def from_message(cls, source: pb.SliderSource) -> "SliderSource":
        """The source in a message."""
        return cls(
            direction=source.direction,
            version=source.version,
            slider=source.slider,
            opposite=source.opposite,
            method=source.method,
            job=source.job,
            without=tuple(source.without),
        )


@dataclass(frozen=True, slots=True)
class Slider:
    """One thing that a direction can do."""

    name: str
    edit: str
    """The edit that it imitates, e.g. "zoom"; empty if none."""
    unit: str
    """The unit of the edit's amount: "fraction", "x", "px", "deg"; empty if none."""
    trained: Range
    """What it was trained on."""
    limit: Range
    """What may be asked for; beyond it a request is refused."""
    class_id: int | None = None
    """The class that it was found for; None if it moves latents of every class."""
    measures: Mapping[str, float] = field(default_factory=dict[str, float], hash=False)
    """What was measured of it, by name, such as "gain", "accuracy" or "variation"; empty if nobody has, and in what
    `directions` lists."""
    source: SliderSource | None = None
    """The slider that it was picked from; None for one that was found as it is, and in what `directions` lists."""
    calibration: tuple[tuple[float, float], ...] = ()
    """Which amount it was measured to achieve at which alpha, (alpha, amount) by rising alpha. Then amounts are these,
    from the first to the last; empty: they are those that it was trained to achieve."""

    @classmethod
    def from_message(cls, slider: pb.Slider) -> "Slider":
        """The slider in a message."""
        return cls(
            name=slider.name,
            edit=slider.edit,
            unit=slider.unit,
            trained=Range.from_message(slider.trained),
            limit=Range.from_message(slider.limit),
            class_id=slider.class_id if slider.HasField("class_id") else None,
            measures=in_order(slider.measures),
            source=SliderSource.from_message(slider.source) if slider.HasField("source") else None,
            calibration=tuple((point.alpha, point.amount) for point in slider.calibration),
        )


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a direction comes from, as its artifact says; whatever that does not say is empty."""

    method: str
    """How it was found: the method of a job, such as "discovery" or "sefa", "import" for vectors of others, or "pick"
    for sliders of other directions."""
    job: str
    """The job that has found it."""
    file: str
    """The name of the file that it was imported from."""
    create_time: datetime | None
    """When it was published."""
    measures: Mapping[str, float] = field(hash=False)
    """What was measured of all of it, by name, such as "reconstruction_accuracy"."""
    calibration_job: str = ""
    """The job that has calibrated its sliders; empty if none has."""

    @classmethod
    def from_message(cls, provenance: pb.Provenance) -> "Provenance":
        """The provenance in a message."""
        return cls(
            method=provenance.method,
            job=provenance.job,
            file=provenance.file,
            create_time=provenance.create_time.ToDatetime(UTC) if provenance.HasField("create_time") else None,
            measures=in_order(provenance.measures),
            calibration_job=provenance.calibration_job,
        )


@dataclass(frozen=True, slots=True)
class Direction:
    """A direction in the latent space of one generator. `generator_digest` to `layers` are empty unless READY."""

    model: str
    name: str
    version: str
    """The version that is loaded, or the newest in the store when none is."""
    state: LoadState
    generator_digest: str
    """The digest of the generator that it was found for."""
    space: str
    """The space it lives in: "z", "w" or "w+"."""
    sliders: tuple[Slider, ...]
    form: str
    """How it moves a latent: "linear", "iterated", "deformed" or "rbf"."""
    layers: tuple[int, ...]
    """The layers of w+ that it moves; empty for all, and in the other spaces."""
    versions: tuple[str, ...]
    """Every version in the store, oldest first."""
    provenance: Provenance | None = None
    """Where it comes from; None in what `directions` lists, and unless READY."""

    @classmethod
    def from_message(cls, direction: pb.Direction) -> "Direction":
        """The direction in a message."""
        return cls(
            model=direction.model,
            name=direction.name,
            version=direction.version,
            state=LOAD_STATES.get(direction.state, LoadState.UNKNOWN),
            generator_digest=direction.generator_digest,
            space=direction.space,
            sliders=tuple(Slider.from_message(slider) for slider in direction.sliders),
            form=direction.form,
            layers=tuple(direction.layers),
            versions=tuple(direction.versions),
            provenance=Provenance.from_message(direction.provenance) if direction.HasField("provenance") else None,
        )
