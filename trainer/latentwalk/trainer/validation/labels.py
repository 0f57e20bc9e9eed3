"""The rules of scores that were given elsewhere: of which latents, how many, and how far apart."""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from latentwalk.gan.spec import GeneratorSpec
from latentwalk.rpc.errors import InvalidRequest
from latentwalk.trainer.specs import BoundarySpec, Codes, Labels

MAX_LABELS = 10_000
"""A support vector machine takes minutes to learn from more, and they are stored with their job."""
MAX_CODE_BYTES = 2 * 2**20
"""Clients of gRPC take 4 MiB unless they are told more, and a job is told with its labels."""
LEAST_LABELS = 10
"""At either end: seven to learn from, and three to measure on."""
WANTED_LABELS = 400
"""At either end, if so many differ: as many as there are of samples by default."""
DEFAULT_FRACTION = 0.02
"""At either end, of samples and of very many labels, as InterFaceGAN's code has it."""

_COUNTS = f"of each of two scores, or at either end of more, {LEAST_LABELS} are needed"


def complete_labels(field: str, labels: Labels, settings: BoundarySpec, spec: GeneratorSpec) -> float | None:
    """The fraction at either end that is told apart; None for all of two scores. Raises InvalidRequest.

    The field is that of the labels, in the settings, whose space the generator is known to have.
    """
    settings_field = field.removesuffix(".score.labels")
    count = _count(field, labels, settings.space, spec)
    if settings.samples:
        raise InvalidRequest(f"{settings_field}.samples", "is refused with labels, which are all that is looked at")
    _check_condition(f"{settings_field}.class_ids", labels, settings, spec)
    _check_scores(f"{field}.scores", labels.scores, count)
    return _fraction(f"{settings_field}.fraction", f"{field}.scores", settings.fraction, labels.scores)


def _count(field: str, labels: Labels, space: str, spec: GeneratorSpec) -> int:
    """How many latents there are, which must be of one kind, and fit the generator and the space of the plane."""
    if sum((bool(labels.seeds), labels.z is not None, labels.w is not None)) != 1:
        raise InvalidRequest(field, "need latents: give one of seeds, z and w")
    if labels.w is not None and space != "w":
        raise InvalidRequest(f"{field}.w", "is refused for a plane in z: ask for one in w, or give z or seeds")
    if labels.z is not None:
        return _count_codes(f"{field}.z", labels.z, spec.latent_size)
    if labels.w is not None:
        return _count_codes(f"{field}.w", labels.w, spec.w_size)
    _check_count(f"{field}.seeds", len(labels.seeds))
    again = [seed for seed, times in Counter(labels.seeds).items() if times > 1]
    if again:
        raise InvalidRequest(f"{field}.seeds", f"{again[0]} is there twice; give it one score, such as the mean")
    return len(labels.seeds)


def _count_codes(field: str, codes: Codes, size: int) -> int:
    if codes.dtype is None:
        raise InvalidRequest(f"{field}.dtype", "is needed: FLOAT32 or FLOAT16")
    if len(codes.shape) != 2 or codes.shape[1] != size:
        raise InvalidRequest(f"{field}.shape", f"{list(codes.shape)} must be [N, {size}]")
    _check_count(f"{field}.shape", codes.shape[0])
    given, needed = len(codes.bytes), math.prod(codes.shape) * np.dtype(codes.dtype).itemsize
    if given != needed:
        raise InvalidRequest(f"{field}.data", f"has {given:,} bytes; this shape and dtype need {needed:,}")
    if given > MAX_CODE_BYTES:
        problem = "give fewer, or as FLOAT16, or seeds"
        raise InvalidRequest(f"{field}.data", f"{given:,} bytes are more than {MAX_CODE_BYTES:,}; {problem}")
    if missed := np.flatnonzero(~np.isfinite(codes.array())).tolist():
        raise InvalidRequest(f"{field}.data", f"number {missed[0]:,} is not finite; all must be")
    return codes.shape[0]


def _check_count(field: str, count: int) -> None:
    if not 1 <= count <= MAX_LABELS:
        raise InvalidRequest(field, f"are {count:,} latents; from 1 to {MAX_LABELS:,} are allowed")


def _check_condition(field: str, labels: Labels, settings: BoundarySpec, spec: GeneratorSpec) -> None:
    """Raises InvalidRequest unless there is one class to map the latents to w with, if one is needed."""
    mapped = settings.space == "w" and labels.w is None
    if not (mapped and spec.classes):
        if settings.class_ids:
            raise InvalidRequest(
                field, "are refused: only labels of seeds or z need a class, for a plane in w of a model with classes"
            )
    elif len(settings.class_ids) != 1:
        raise InvalidRequest(
            field, f"{list(settings.class_ids)} must be the one class of what is labelled, which tells its w; or give w"
        )


def _check_scores(field: str, scores: Sequence[float], latents: int) -> None:
    if len(scores) != latents:
        raise InvalidRequest(field, f"are {len(scores):,} for {latents:,} latents; give one for each")
    for index, score in enumerate(scores):
        if not math.isfinite(score):
            raise InvalidRequest(f"{field}[{index}]", f"{score} must be finite")


def _fraction(field: str, scores_field: str, wanted: float | None, scores: Sequence[float]) -> float | None:
    counts = Counter(scores)
    if len(counts) < 2:
        raise InvalidRequest(scores_field, f"are all {scores[0]:g}: {_COUNTS}")
    if len(counts) == 2:
        if wanted is not None:
            raise InvalidRequest(field, "is refused: there are two scores only, a yes and a no, and all are told apart")
        for score, count in counts.items():
            if count < LEAST_LABELS:
                raise InvalidRequest(scores_field, f"{score:g} is there {count} times: {_COUNTS}")
        return None
    most = max(WANTED_LABELS, int(DEFAULT_FRACTION * len(scores))) if wanted is None else int(wanted * len(scores))
    end = _apart(sorted(scores), most)
    if end < LEAST_LABELS:
        raise InvalidRequest(scores_field, f"differ for {end} of {len(scores):,} at either end: {_COUNTS}")
    if wanted is None:
        return end / len(scores)
    if end < most:
        raise InvalidRequest(
            field, f"{wanted:g} takes latents of one score to both ends; at most {end / len(scores):g} does not"
        )
    return wanted


def _apart(scores: Sequence[float], most: int) -> int:
    """The greatest number up to `most` of which the lowest of these rising scores are all less than the highest."""
    end = min(most, len(scores) // 2)
    while end and scores[end - 1] >= scores[-end]:
        end -= 1
    return end
