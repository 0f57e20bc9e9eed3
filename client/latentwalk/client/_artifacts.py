"""What lies in the artifact store."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from latentwalk.v1 import artifact_pb2
from latentwalk.v1 import model_service_pb2 as pb


class ArtifactKind(StrEnum):
    """What an artifact is."""

    UNKNOWN = "unknown"
    """A kind that this SDK does not know."""
    GENERATOR = "generator"
    DIRECTION = "direction"
    CLASSIFIER = "classifier"


ARTIFACT_KINDS = {
    artifact_pb2.ARTIFACT_KIND_GENERATOR: ArtifactKind.GENERATOR,
    artifact_pb2.ARTIFACT_KIND_DIRECTION: ArtifactKind.DIRECTION,
    artifact_pb2.ARTIFACT_KIND_CLASSIFIER: ArtifactKind.CLASSIFIER,
}
ARTIFACT_KIND_NUMBERS: Mapping[str, artifact_pb2.ArtifactKind.ValueType] = {
    kind: number for number, kind in ARTIFACT_KINDS.items()
}


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """One version of one artifact, as it lies in the store."""

    kind: ArtifactKind
    name: str
    """Of a direction "<model>/<direction>"."""
    version: str
    size_bytes: int
    """Of its tensors."""
    create_time: datetime | None
    """When it was published; None if it does not say."""
    generator_digest: str
    """Of the generator that it is, or that it belongs to; empty for a classifier."""
    loaded: bool
    """Whether the server that was asked serves it."""
    problem: str
    """What is wrong with its manifest, if that cannot be read; empty otherwise."""

    @classmethod
    def from_message(cls, stored: pb.StoredVersion) -> "StoredVersion":
        """The version in a message."""
        return cls(
            kind=ARTIFACT_KINDS.get(stored.kind, ArtifactKind.UNKNOWN),
            name=stored.name,
            version=stored.version,
            size_bytes=stored.size_bytes,
            create_time=stored.create_time.ToDatetime(UTC) if stored.HasField("create_time") else None,
            generator_digest=stored.generator_digest,
            loaded=stored.loaded,
            problem=stored.problem,
        )
