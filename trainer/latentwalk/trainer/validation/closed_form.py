"""The rules of jobs that look at weights or at samples."""

from dataclasses import replace

from latentwalk.gan.directions import LinearDirection
from latentwalk.gan.errors import UnknownSlider
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.trainer.specs import BoundarySpec, PcaSpec, SefaSpec, SliderReference
from latentwalk.trainer.specs.closed_form import SAMPLES_PER_STEP
from latentwalk.trainer.validation.classes import check_class_ids
from latentwalk.trainer.validation.context import Context
from latentwalk.trainer.validation.labels import DEFAULT_FRACTION, complete_labels
from latentwalk.trainer.validation.scores import complete_score
from latentwalk.trainer.validation.spaces import check_layers, check_space

DEFAULT_SAMPLES = 20_000
MAX_CONDITIONS = 64
"""Each is read from the store before the caller is answered."""
# The least number of samples at which each of the two ends holds some to learn from and some to measure on.
_LEAST_AT_AN_END = 4


def complete_sefa(settings: SefaSpec, context: Context) -> SefaSpec:
    """No more directions than there are axes, of layers that there are."""
    _check_bank(settings, context)
    return settings


def complete_pca(settings: PcaSpec, context: Context) -> PcaSpec:
    """As complete_sefa, and samples enough for them."""
    _check_bank(settings, context)
    check_class_ids(f"{context.where}.class_ids", settings.class_ids, context.known_generator)
    if settings.directions > SAMPLES_PER_STEP:
        raise InvalidRequest(
            f"{context.where}.directions",
            f"{settings.directions:,} must be at most {SAMPLES_PER_STEP:,}, the samples that are looked at together",
        )
    if settings.directions > (features := context.first_features):
        raise InvalidRequest(
            f"{context.where}.directions",
            f"{settings.directions:,} must be at most {features:,}, the first features of the generator",
        )
    least = 10 * settings.directions
    if settings.samples < least:
        raise InvalidRequest(
            f"{context.where}.samples", f"{settings.samples:,} must be at least {least:,}, 10 for each direction"
        )
    return settings


def complete_boundary(settings: BoundarySpec, context: Context) -> BoundarySpec:
    """A score that the generator's pictures have, and conditions that exist for it."""
    where, spec = context.where, context.known_generator
    check_space(f"{where}.space", settings.space, spec, ("z", "w"))
    check_class_ids(f"{where}.class_ids", settings.class_ids, spec)
    score = complete_score(f"{where}.score", settings.score, context)
    if score.labels is None:
        samples, fraction = _complete_samples(settings, where)
    else:
        samples, fraction = 0, complete_labels(f"{where}.score.labels", score.labels, settings, spec)
    if (count := len(settings.conditions)) > MAX_CONDITIONS:
        raise InvalidRequest(f"{where}.conditions", f"are {count:,} sliders; at most {MAX_CONDITIONS} are allowed")
    conditions = tuple(
        _complete_reference(f"{where}.conditions[{index}]", reference, settings.space, context)
        for index, reference in enumerate(settings.conditions)
    )
    return replace(settings, score=score, samples=samples, fraction=fraction, conditions=conditions)


def _complete_samples(settings: BoundarySpec, where: str) -> tuple[int, float]:
    """How many there are, and the fraction of them at either end."""
    samples = settings.samples or DEFAULT_SAMPLES
    fraction = DEFAULT_FRACTION if settings.fraction is None else settings.fraction
    if fraction * samples < _LEAST_AT_AN_END:
        raise InvalidRequest(
            f"{where}.fraction",
            f"{fraction:g} of {samples:,} samples leaves fewer than {_LEAST_AT_AN_END} at either end; "
            "take more of them, or more samples",
        )
    return samples, fraction


def _check_bank(settings: SefaSpec | PcaSpec, context: Context) -> None:
    spec = context.known_generator
    check_layers(f"{context.where}.layers", settings.layers, spec)
    most, what = (spec.w_size, "size of w") if spec.layers else (spec.latent_size, "latent size")
    if settings.directions > most:
        raise InvalidRequest(
            f"{context.where}.directions",
            f"{settings.directions:,} must be at most {most:,}, the {what} of the generator",
        )


def _complete_reference(field: str, reference: SliderReference, space: str, context: Context) -> SliderReference:
    direction, name = context.check_direction(f"{field}.direction", reference.direction)
    try:
        direction.slider_index(reference.slider)
    except UnknownSlider as error:
        raise InvalidRequest(f"{field}.slider", str(error)) from error
    if not isinstance(direction, LinearDirection):
        raise InvalidRequest(f"{field}.direction", f"{direction.name!r} is {direction.form}: it must be linear")
    if direction.space != space:
        raise InvalidRequest(f"{field}.direction", f"{direction.name!r} moves {direction.space}: it must move {space}")
    return replace(reference, direction=name)
