"""The kinds of artifacts, in the words of the wire."""

from collections.abc import Mapping

from latentwalk.gan.artifacts import Kind
from latentwalk.v1 import artifact_pb2

KINDS: Mapping[Kind, artifact_pb2.ArtifactKind.ValueType] = {
    "generators": artifact_pb2.ARTIFACT_KIND_GENERATOR,
    "directions": artifact_pb2.ARTIFACT_KIND_DIRECTION,
    "classifiers": artifact_pb2.ARTIFACT_KIND_CLASSIFIER,
}
"""In the order in which they are listed."""
