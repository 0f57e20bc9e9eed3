"""A model, or a direction, that is loaded or lies in the store."""

from latentwalk.gan.artifacts import Measures, Origin, Source
from latentwalk.gan.directions import Calibration, Slider
from latentwalk.server.repository import Entry
from latentwalk.server.served import ServedDirection, ServedModel
from latentwalk.v1 import model_service_pb2 as pb


def model_message(entry: Entry[ServedModel]) -> pb.Model:
    """What a model is, if it is loaded, and which versions there are."""
    versions = [str(version) for version in entry.versions]
    served = entry.served
    if served is None:
        return pb.Model(name=entry.model, version=versions[-1], state=_state(entry), versions=versions)
    spec, size = served.spec, served.engine.size
    return pb.Model(
        name=entry.model,
        version=str(served.version),
        state=_state(entry),
        digest=served.digest,
        family=spec.family,
        latent_size=spec.latent_size,
        classes=spec.classes,
        width=size.width,
        height=size.height,
        channels=size.channels,
        spaces=spec.spaces,
        max_rows=served.max_rows,
        max_frames=served.max_frames,
        versions=versions,
        layers=spec.layers,
        w_size=spec.w_size,
        truncation=spec.truncation,
    )


def direction_message(entry: Entry[ServedDirection], *, whole: bool = False) -> pb.Direction:
    """What a direction is, if it is loaded; the whole says also where it comes from, too much for a list of all."""
    versions = [str(version) for version in entry.versions]
    served = entry.served
    if served is None:
        return pb.Direction(
            model=entry.model,
            name=entry.direction,
            version=versions[-1],
            state=_state(entry),
            versions=versions,
        )
    origin = served.origin if whole else Origin()
    return pb.Direction(
        model=entry.model,
        name=entry.direction,
        version=str(served.version),
        state=_state(entry),
        generator_digest=served.direction.generator_digest,
        space=served.direction.space,
        sliders=[
            _slider(slider, origin.of_sliders.get(slider.name, {}), origin.sources.get(slider.name))
            for slider in served.direction.sliders
        ],
        versions=versions,
        form=served.direction.form,
        layers=served.direction.layers,
        provenance=_provenance(origin) if whole else None,
    )


def _state(entry: Entry[ServedModel] | Entry[ServedDirection]) -> pb.LoadState.ValueType:
    if entry.is_loading:
        return pb.LOAD_STATE_LOADING
    return pb.LOAD_STATE_AVAILABLE if entry.served is None else pb.LOAD_STATE_READY


def _provenance(origin: Origin) -> pb.Provenance:
    provenance = pb.Provenance(
        method=origin.method,
        job=origin.job,
        file=origin.file,
        measures=origin.measures,
        calibration_job=origin.calibration_job,
    )
    if origin.created is not None:
        provenance.create_time.FromDatetime(origin.created)
    return provenance


def _slider(slider: Slider, measures: Measures, source: Source | None) -> pb.Slider:
    return pb.Slider(
        name=slider.name,
        edit=slider.edit,
        unit=slider.unit,
        trained=_range(slider, slider.trained),
        limit=_range(slider, slider.limit),
        class_id=slider.class_id,
        measures=measures,
        calibration=_points(slider.calibration) if slider.calibration else (),
        source=_source(source) if source else None,
    )


def _points(calibration: Calibration) -> list[pb.CalibrationPoint]:
    points = zip(calibration.alphas, calibration.amounts, strict=True)
    return [pb.CalibrationPoint(alpha=alpha, amount=amount) for alpha, amount in points]


def _source(source: Source) -> pb.SliderSource:
    return pb.SliderSource(
        direction=source.direction,
        version=str(source.version),
        slider=source.slider,
        opposite=source.opposite,
        method=source.method,
        job=source.job,
        without=source.without,
    )


def _range(slider: Slider, ends: tuple[float, float]) -> pb.Range:
    """A range, with its amounts if it has any."""
    low, high = slider.amounts(ends) if slider.edit else (None, None)
    return pb.Range(alpha_low=ends[0], alpha_high=ends[1], amount_low=low, amount_high=high)
