"""Classifiers in the store."""

from typing import Any

import torch
from torch import Tensor

from latentwalk.gan.artifacts.manifest import ArtifactRef
from latentwalk.gan.artifacts.store import ArtifactStore
from latentwalk.gan.classifiers import Classifier, ClassifierSpec, build_classifier
from latentwalk.gan.errors import CorruptArtifact, GanError
from latentwalk.gan.spec import JsonObject


def save_classifier(
    store: ArtifactStore, name: str, classifier: Classifier, *, provenance: JsonObject, created: str
) -> ArtifactRef:
    """Publishes spec and weights as the next version of ``name``. ``created`` is ISO 8601."""
    weights, body = classifier.state_dict(), {"spec": classifier.spec.to_json()}
    return store.put("classifiers", name, tensors=weights, body=body, provenance=provenance, created=created)


def load_classifier(store: ArtifactStore, name: str, version: int | None = None) -> tuple[Classifier, ArtifactRef]:
    """Builds the classifier of an artifact, by default of the newest version: frozen, on the CPU.

    Raises UnknownArtifact, and CorruptArtifact also if spec and weights do not fit each other.
    """
    artifact = store.get("classifiers", name, version)
    try:
        classifier = _build(artifact.manifest["body"], artifact.tensors)
    except (GanError, KeyError, RuntimeError) as failure:
        raise CorruptArtifact(artifact.path, f"spec and weights do not fit: {failure}") from failure
    return classifier, artifact.ref


def _build(body: dict[str, Any], weights: dict[str, Tensor]) -> Classifier:
    with torch.device("meta"):  # as for generators
        classifier = build_classifier(ClassifierSpec.from_json(body["spec"]))
    classifier.load_state_dict({name: weight.clone() for name, weight in weights.items()}, assign=True)
    return classifier.freeze()
