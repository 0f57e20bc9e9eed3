"""The rules of jobs that find directions without labels."""

from dataclasses import replace
from typing import TypeVar

from latentwalk.rpc.errors import InvalidRequest
from latentwalk.trainer.methods import class_directions, discovery
from latentwalk.trainer.specs import ClassDirectionsSpec, DiscoverySpec, TellingSettings
from latentwalk.trainer.specs.discovery import DeformatorKind
from latentwalk.trainer.validation.classes import check_class_ids
from latentwalk.trainer.validation.context import Context
from latentwalk.trainer.validation.spaces import check_space

DEFAULT_SHIFTS = 6.0, 0.5
DEFAULT_RBF_SHIFTS = 0.45, 0.25
DEFAULT_DIPOLES = 32
ORTHONORMAL = {DeformatorKind.ORTHONORMAL, DeformatorKind.RANDOM, DeformatorKind.COORDINATE}
"""Deformators with orthonormal columns, of which a space has no more than axes."""
DEFAULT_BANK = 8
MAX_SLOTS = 65_536
"""Of the predictor, over all banks."""
MAX_WEIGHTS = 2**29
"""Of directions and predictors: 2 GiB, of which training takes four times as much."""

SPACES = ("z", "w")
_SIZES = {"z": "latent size", "w": "size of w"}

Telling = TypeVar("Telling", bound=TellingSettings)


def complete_discovery(settings: DiscoverySpec, context: Context) -> DiscoverySpec:
    """The settings with K, the shifts and the dipoles."""
    where, spec, curved = context.where, context.known_generator, settings.deformator == "rbf"
    check_space(f"{where}.space", settings.space, spec, SPACES)
    size = spec.size_of(settings.space)
    directions = settings.directions or min(size, 4_096)
    if settings.deformator in ORTHONORMAL and directions > size:
        most = f"at most {size}, the {_SIZES[settings.space]}: no more can be orthonormal"
        raise InvalidRequest(f"{where}.directions", f"{directions:,} must be {most}")
    if settings.dipoles and not curved:
        raise InvalidRequest(f"{where}.dipoles", "is refused: only RBF has dipoles")
    check_class_ids(f"{where}.class_ids", settings.class_ids, spec)
    if settings.data is not None:
        context.check_real(f"{where}.data", settings.data)
    completed = replace(
        _complete(settings, where, directions, DEFAULT_RBF_SHIFTS if curved else DEFAULT_SHIFTS),
        dipoles=settings.dipoles or (DEFAULT_DIPOLES if curved else 0),
    )
    instead = ", or fewer dipoles" if curved else ""
    _check_weights(f"{where}.directions", completed, discovery.count_weights(completed, spec), instead)
    return completed


def complete_class_directions(settings: ClassDirectionsSpec, context: Context) -> ClassDirectionsSpec:
    """The settings with K, the shifts and the confidence."""
    where, spec = context.where, context.known_generator
    check_space(f"{where}.space", settings.space, spec, SPACES)
    classes, classifier = _classes(settings, context)
    size = spec.size_of(settings.space)
    half = size // 2
    directions = settings.directions or min(DEFAULT_BANK, max(half, 1))
    if directions > half:
        why = f"half the {_SIZES[settings.space]} {size}: a global and a class bank must fit beside each other"
        raise InvalidRequest(f"{where}.directions", f"{directions:,} must be at most {half:,}, {why}")
    if (slots := directions * (classes + 1)) > MAX_SLOTS:
        most = f"with {classes:,} classes and the global bank; at most {MAX_SLOTS:,} are allowed"
        raise InvalidRequest(f"{where}.directions", f"{directions:,} make {slots:,} {most}")
    completed = replace(
        _complete(settings, where, directions, DEFAULT_SHIFTS),
        classifier=classifier,
        confidence=settings.confidence or (0.0 if settings.classifier else None),
    )
    instead = ", or one predictor for all banks" if settings.separate_predictors else ""
    weights = class_directions.count_weights(completed, spec, classes)
    _check_weights(f"{where}.directions", completed, weights, instead)
    return completed


def _complete(settings: Telling, where: str, directions: int, defaults: tuple[float, float]) -> Telling:
    """The settings with K, the predictor's rate, and the shifts, of which `defaults` are the greatest and the least."""
    scale = defaults[0] if settings.shift_scale is None else settings.shift_scale
    least = min(defaults[1], scale) if settings.shift_min is None else settings.shift_min
    if least > scale:
        raise InvalidRequest(f"{where}.shift_min", f"{least:g} must be at most shift_scale, {scale:g}")
    rate = settings.predictor_learning_rate or settings.learning_rate
    return replace(settings, directions=directions, predictor_learning_rate=rate, shift_scale=scale, shift_min=least)


def _check_weights(field: str, settings: TellingSettings, weights: int, instead: str) -> None:
    """Raises InvalidRequest for more than can be trained."""
    if weights > MAX_WEIGHTS:
        made = f"{settings.directions:,}, and a {settings.predictor} to tell them, make {weights:,} weights"
        raise InvalidRequest(field, f"{made}; at most {MAX_WEIGHTS:,} are allowed: take fewer{instead}")


def _classes(settings: ClassDirectionsSpec, context: Context) -> tuple[int, str]:
    """How many classes there are, and the classifier that tells them; empty if they are the generator's."""
    field, spec = f"{context.where}.classifier", context.known_generator
    if spec.classes:
        if settings.classifier:
            raise InvalidRequest(field, f"is refused: the generator itself has {spec.classes} classes")
        if settings.confidence is not None:
            raise InvalidRequest(f"{context.where}.confidence", "is refused: there is no classifier to be sure")
        return spec.classes, ""
    if not settings.classifier:
        raise InvalidRequest(field, "is needed: the generator has no classes, so a classifier must tell them")
    classifier, name = context.check_classifier(field, settings.classifier)
    return classifier.classes, name
