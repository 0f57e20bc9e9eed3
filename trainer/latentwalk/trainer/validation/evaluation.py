"""The rules of jobs that measure a generator."""

from dataclasses import replace

from latentwalk.gan.errors import GanError
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.trainer.specs import Distance, EditLoss, EvaluationSpec
from latentwalk.trainer.validation.context import Context


def complete_evaluation(settings: EvaluationSpec, context: Context) -> EvaluationSpec:
    """The settings with a distance that can be had: LPIPS, or else the classifier's features, or else pixels."""
    if settings.classifier:
        context.check_classifier(f"{context.where}.classifier", settings.classifier)
    distance, problem = settings.distance, _lpips_problem(context)
    if distance is None:
        weightless = Distance.FEATURES if settings.classifier else Distance.PIXELS
        return replace(settings, distance=weightless if problem else Distance.LPIPS)
    if distance is Distance.LPIPS and problem:
        raise InvalidRequest(f"{context.where}.distance", problem)
    if distance is Distance.FEATURES and not settings.classifier:
        raise InvalidRequest(f"{context.where}.classifier", "is needed: its features are to be compared")
    return settings


def _lpips_problem(context: Context) -> str:
    """Why LPIPS cannot be had; empty if it can."""
    try:
        context.materials.check_loss(EditLoss.LPIPS, context.known_generator)
    except GanError as error:
        return str(error)
    return ""
