"""The rules of what latents are scored by, but for labels."""

from dataclasses import replace

from latentwalk.gan.attributes import ATTRIBUTES, COLOURED
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.trainer.specs import Score
from latentwalk.trainer.validation.context import Context


def complete_score(field: str, score: Score | None, context: Context) -> Score:
    """A score that the generator's pictures have; one of labels as it is. Raises InvalidRequest."""
    if score is None or not (score.attribute or score.classifier or score.labels):
        raise InvalidRequest(field, f"is needed: labels, a classifier, or an attribute of {', '.join(ATTRIBUTES)}")
    if (by := score.classifier) is not None:
        _, name = context.check_classifier(f"{field}.classifier", by.classifier, by.class_id)
        return replace(score, classifier=replace(by, classifier=name))
    if score.attribute:
        _check_attribute(f"{field}.attribute", score.attribute, context.known_generator.channels)
    return score


def _check_attribute(field: str, attribute: str, channels: int) -> None:
    if attribute not in ATTRIBUTES:
        raise InvalidRequest(field, f"{attribute!r} is none of {', '.join(ATTRIBUTES)}")
    if attribute in COLOURED and channels != 3:
        raise InvalidRequest(field, f"{attribute!r} needs 3 channels; the generator has {channels}")
