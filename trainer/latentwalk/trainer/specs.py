"""What a job does, complete: every default is filled in and every number is within its bounds."""

from dataclasses import asdict, dataclass
from typing import Any

from latentwalk.gan.spec import JsonObject


@dataclass(frozen=True, slots=True)
class EditTarget:
    """One slider of the new direction: the edit it imitates and the amounts to train on."""

    edit: str
    """A name in latentwalk.gan.edits.EDITS; also the name of the slider."""
    low: float
    """The least amount, in the edit's unit."""
    high: float
    """The greatest amount, in the edit's unit."""


@dataclass(frozen=True, slots=True)
class EditDirectionSpec:
    """A linear direction supervised by edits."""

    edits: tuple[EditTarget, ...]
    steps: int
    """Optimiser steps."""
    batch_size: int
    """Fresh latents for each step, shared out among the edits."""
    learning_rate: float
    """Adam's greatest step size."""
    evaluation_size: int
    """Held-out latents on which each slider is measured."""

    @classmethod
    def from_json(cls, document: JsonObject) -> "EditDirectionSpec":
        """The inverse of dataclasses.asdict."""
        fields: dict[str, Any] = dict(document)
        edits = tuple(EditTarget(**edit) for edit in fields.pop("edits"))
        return cls(edits=edits, **fields)


SPECS = {"edit_direction": EditDirectionSpec}
"""The spec of each method, by the method's name in the oneof of latentwalk.v1.JobSpec."""


@dataclass(frozen=True, slots=True)
class JobSpec:
    """One job: the generator it works on, the direction it publishes, and the method between the two."""

    model: str
    """The generator's name in the artifact store."""
    model_version: int
    direction: str
    """The name of the direction that is published."""
    seed: int
    """From 0 to 2^64 - 1; everything random in the job follows from it."""
    checkpoint_every: int
    """In steps."""
    method: str
    """A name in SPECS."""
    settings: EditDirectionSpec
    """Of the method."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, the inverse of from_json."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: JsonObject) -> "JobSpec":
        """Reads what to_json wrote."""
        fields: dict[str, Any] = dict(document)
        settings = SPECS[fields["method"]].from_json(fields.pop("settings"))
        return cls(settings=settings, **fields)
