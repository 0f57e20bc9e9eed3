"""What a job does, as the trainer has settled it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from latentwalk.v1 import training_service_pb2 as pb


@dataclass(frozen=True, slots=True)
class JobSpec:
    """What a job does, every default filled in by the trainer."""

    model: str
    """The generator that it works on, or the name under which it publishes a new one."""
    model_version: str
    """Empty for a job that works on no generator."""
    direction: str
    """The name of the direction that it publishes; empty if it publishes none."""
    seed: int
    checkpoint_every: int
    priority: int
    method: str
    """ "edit_direction", "discovery", "gan", ..."""
    settings: Mapping[str, Any]
    """What else there is to say, by the names of the method's message in latentwalk.v1; choices in the words in which a
    `train_...` takes them ("lenet")."""

    @classmethod
    def from_message(cls, spec: pb.JobSpec) -> "JobSpec":
        """The spec in a message."""
        method = spec.WhichOneof("method") or ""
        settings = _settings(getattr(spec, method)) if method else {}
        return cls(
            model=spec.model,
            model_version=spec.model_version,
            direction=spec.direction,
            seed=spec.seed,
            checkpoint_every=spec.checkpoint_every,
            priority=spec.priority,
            method=method,
            settings=settings,
        )


def _settings(message: Message) -> dict[str, Any]:
    """What is said in a message and in those within it."""
    return {descriptor.name: _said(descriptor, value) for descriptor, value in message.ListFields()}


def _said(descriptor: FieldDescriptor, value: Any) -> Any:
    if descriptor.is_repeated:
        return [_said_once(descriptor, one) for one in value]
    return _said_once(descriptor, value)


def _said_once(descriptor: FieldDescriptor, value: Any) -> Any:
    if descriptor.message_type is not None:
        return _settings(value)
    if descriptor.enum_type is None:
        return value
    known = descriptor.enum_type.values_by_number
    unspecified = known[0].name
    return known[value].name.removeprefix(unspecified.removesuffix("UNSPECIFIED")).lower() if value in known else value
