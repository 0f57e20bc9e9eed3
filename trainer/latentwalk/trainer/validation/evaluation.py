"""The rules of jobs that measure a generator."""

from collections.abc import Sequence
from dataclasses import replace

from latentwalk.gan.errors import GanError, UnknownSlider
from latentwalk.gan.truncations import Truncation
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.trainer.specs import Data, Distance, EditLoss, EvaluationSpec, SliderReference
from latentwalk.trainer.specs.evaluation import name_of_limits
from latentwalk.trainer.validation.context import Context

LEAST_REAL = 4
"""Pictures of the test part: of either half a covariance is needed."""

MAX_SLIDERS = 64
MAX_TRUNCATIONS = 16


def complete_evaluation(settings: EvaluationSpec, context: Context) -> EvaluationSpec:
    """The settings with a distance that can be had, and each slider by its name."""
    if settings.classifier:
        _, name = context.check_classifier(f"{context.where}.classifier", settings.classifier)
        settings = replace(settings, classifier=name)
    if settings.data is not None:
        _check_real(settings.data, settings, context)
    if settings.inception:
        _check_inception(settings, context)
    truncations = _truncations(f"{context.where}.truncations", settings, context)
    sliders = _sliders(f"{context.where}.sliders", settings.sliders, context)
    if settings.calibrate:
        _check_calibration(sliders, context)
    return replace(settings, distance=_distance(settings, context), sliders=sliders, truncations=truncations)


def _truncations(field: str, settings: EvaluationSpec, context: Context) -> tuple[Truncation, ...]:
    """Each as the generator takes it."""
    if settings.truncations and settings.data is None:
        problem = "is needed with truncations: how real pictures look is what is measured of them"
        raise InvalidRequest(f"{context.where}.data", problem)
    if len(settings.truncations) > MAX_TRUNCATIONS:
        raise InvalidRequest(field, f"are {len(settings.truncations):,}; at most {MAX_TRUNCATIONS} are allowed")
    taken: dict[str, Truncation] = {}
    for index, one in enumerate(settings.truncations):
        truncation = context.check_truncation(f"{field}[{index}]", one)
        if truncation.name in taken:
            raise InvalidRequest(f"{field}[{index}]", f"{truncation.name} is there twice")
        taken[truncation.name] = truncation
    return tuple(taken.values())


def _sliders(field: str, references: Sequence[SliderReference], context: Context) -> tuple[SliderReference, ...]:
    """Each slider that is named, and all of a direction of which none is."""
    _check_count(field, len(references))
    named: dict[str, SliderReference] = {}
    for index, reference in enumerate(references):
        place = f"{field}[{index}]"
        direction, name = context.check_direction(f"{place}.direction", reference.direction)
        known = [slider.name for slider in direction.sliders]
        if reference.slider and reference.slider not in known:
            raise InvalidRequest(f"{place}.slider", str(UnknownSlider(reference.slider, tuple(known))))
        for slider in [reference.slider] if reference.slider else known:
            one, limits = SliderReference(name, slider), name_of_limits(direction.name, slider)
            if named.setdefault(limits, one) is not one:
                raise InvalidRequest(place, _why_not_both(one, named[limits], limits))
    _check_count(field, len(named))
    return tuple(named.values())


def _why_not_both(one: SliderReference, before: SliderReference, limits: str) -> str:
    """Why a slider is not measured in one job with another, of which the measures have the same name."""
    if one == before:
        return f"slider {one.slider!r} of {one.direction!r} is there twice"
    both = f"slider {one.slider!r} of {one.direction!r} and {before.slider!r} of {before.direction!r}"
    return f"would measure {both} as {limits!r}: measure each in a job of its own"


def _check_count(field: str, sliders: int) -> None:
    """Raises InvalidRequest for too many, also where only so many are named: each is read from the store."""
    if sliders > MAX_SLIDERS:
        raise InvalidRequest(field, f"are {sliders:,} sliders; at most {MAX_SLIDERS} are allowed: name some of them")


def _check_calibration(references: Sequence[SliderReference], context: Context) -> None:
    """Raises InvalidRequest if no slider imitates an edit, or if a direction would be published in two versions."""
    known = {one.direction: context.check_direction(context.where, one.direction)[0] for one in references}
    names = [direction.name for direction in known.values()]
    if twice := {name for name in names if names.count(name) > 1}:
        problem = f"name {', '.join(sorted(twice))} in two versions: calibrate one of them"
        raise InvalidRequest(f"{context.where}.sliders", problem)
    sliders = [known[one.direction].sliders[known[one.direction].slider_index(one.slider)] for one in references]
    if not any(slider.imitated for slider in sliders):
        raise InvalidRequest(f"{context.where}.calibrate", "is for sliders that imitate an edit: name one of these")


def _check_real(data: Data, settings: EvaluationSpec, context: Context) -> None:
    field = f"{context.where}.data"
    form = context.check_real(field, data)
    if not (settings.classifier or settings.inception):
        problem = "is needed, or inception: real and drawn pictures differ in the features of one or the other"
        raise InvalidRequest(f"{context.where}.classifier", problem)
    if form.tested < LEAST_REAL:
        raise InvalidRequest(field, f"has {form.tested} pictures in its test part: at least {LEAST_REAL} are needed")


def _check_inception(settings: EvaluationSpec, context: Context) -> None:
    if settings.data is None:
        raise InvalidRequest(f"{context.where}.data", "is needed with inception: drawn pictures are compared with it")
    try:
        context.materials.check_features(context.known_generator)
    except GanError as error:
        raise InvalidRequest(f"{context.where}.inception", str(error)) from error


def _distance(settings: EvaluationSpec, context: Context) -> Distance:
    """That which was asked for, or else LPIPS, or else the classifier's features, or else pixels."""
    distance, problem = settings.distance, _lpips_problem(context)
    if distance is None:
        weightless = Distance.FEATURES if settings.classifier else Distance.PIXELS
        return weightless if problem else Distance.LPIPS
    if distance is Distance.LPIPS and problem:
        raise InvalidRequest(f"{context.where}.distance", problem)
    if distance is Distance.FEATURES and not settings.classifier:
        raise InvalidRequest(f"{context.where}.classifier", "is needed: its features are to be compared")
    return distance


def _lpips_problem(context: Context) -> str:
    """Why LPIPS cannot be had; empty if it can."""
    try:
        context.materials.check_loss(EditLoss.LPIPS, context.known_generator)
    except GanError as error:
        return str(error)
    return ""
