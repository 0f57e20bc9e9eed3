"""Scores that were given to latents by whoever looked at their pictures."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from numpy.typing import ArrayLike

from latentwalk.client._errors import InvalidRequest
from latentwalk.client._latents import tensor
from latentwalk.client._numbers import UINT64, number, numbers, whole
from latentwalk.client._values import elements
from latentwalk.v1 import tensor_pb2
from latentwalk.v1 import training_service_pb2 as pb


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """A score for each of several latents: of seeds, or of codes `z` [N, Z] or `w` [N, W], one of the three."""

    scores: ArrayLike
    """[N], in the order of the latents: True and False, or any numbers of which the higher mean more of it."""
    seeds: Iterable[int] | None = None
    z: ArrayLike | None = None
    w: ArrayLike | None = None
    """For a boundary in w; of what `map_latents` gives, one layer: codes[:, 0]."""

    def message(self, field: str) -> pb.Labels:
        """The message of these labels, which stand in `field`. Raises InvalidRequest for what they cannot be."""
        if sum(given is not None for given in (self.seeds, self.z, self.w)) != 1:
            raise InvalidRequest.of(field, "give one of seeds, z and w")
        scores = numbers(f"{field}.scores", self.scores, "float64").ravel().tolist()
        if self.z is not None:
            return pb.Labels(z=_codes(f"{field}.z", self.z), scores=scores)
        if self.w is not None:
            return pb.Labels(w=_codes(f"{field}.w", self.w), scores=scores)
        listed = elements(f"{field}.seeds", self.seeds, "a list of seeds")
        return pb.Labels(
            seeds=[_seed(f"{field}.seeds[{place}]", one) for place, one in enumerate(listed)], scores=scores
        )


SeedScores: TypeAlias = Mapping[int, float]
"""Seeds with their scores: {7: 1, 8: 0}."""


def label_message(field: str, labels: Labels | SeedScores) -> pb.Labels:
    """The message of labels, which stand in `field`. Raises InvalidRequest for what they cannot be."""
    if isinstance(labels, Labels):
        return labels.message(field)
    if not isinstance(labels, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] - a caller may give anything
        raise InvalidRequest.of(field, f"{labels!r} must be Labels, or seeds with their scores, like {{7: 1, 8: 0}}")
    seeds = [_seed(field, seed) for seed in labels]
    return pb.Labels(seeds=seeds, scores=[number(f"{field}[{seed}]", score) for seed, score in labels.items()])


def _seed(field: str, seed: Any) -> int:
    return whole(field, seed, high=UINT64)


def _codes(field: str, codes: Any) -> tensor_pb2.Tensor:
    rows = numbers(field, codes, "<f4")
    if rows.ndim != 2:
        raise InvalidRequest.of(
            field, f"shape {list(rows.shape)}, must be [N, {field[-1].upper()}], a code for each score"
        )
    return tensor(rows)
