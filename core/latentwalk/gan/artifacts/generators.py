"""Generators in the store."""

from contextlib import suppress
from typing import Any

import torch
from torch import Tensor

from latentwalk.gan.artifacts.manifest import ArtifactRef
from latentwalk.gan.artifacts.store import ArtifactStore
from latentwalk.gan.errors import CorruptArtifact, GanError
from latentwalk.gan.families import build_generator
from latentwalk.gan.generator import Generator, digest_of
from latentwalk.gan.spec import GeneratorSpec, JsonObject


def save_generator(
    store: ArtifactStore, name: str, generator: Generator, *, provenance: JsonObject, created: str
) -> ArtifactRef:
    """Publishes spec, digest and weights as the next version of ``name``. ``created`` is ISO 8601."""
    weights = generator.state_dict()
    body = {"spec": generator.spec.to_json(), "digest": digest_of(generator.spec, weights)}
    return store.put("generators", name, tensors=weights, body=body, provenance=provenance, created=created)


def load_generator(store: ArtifactStore, name: str, version: int | None = None) -> tuple[Generator, ArtifactRef]:
    """Builds the generator of an artifact, by default of the newest version: frozen, on the CPU.

    Raises UnknownArtifact, and CorruptArtifact also if spec and weights do not fit each other or the digest.
    """
    artifact = store.get("generators", name, version)
    body = artifact.manifest["body"]
    try:
        generator = _build(body, artifact.tensors)
    except (GanError, KeyError, RuntimeError) as failure:
        raise CorruptArtifact(artifact.path, f"spec and weights do not fit: {failure}") from failure
    if generator.digest != body.get("digest"):
        raise CorruptArtifact(artifact.path, f"digest is {generator.digest}, it says {body.get('digest')}")
    return generator, artifact.ref


def version_of_digest(store: ArtifactStore, name: str, digest: str) -> int | None:
    """The newest version of a generator that has this digest, as its manifest says; None if there is none."""
    for version in reversed(store.versions("generators", name)):
        with suppress(CorruptArtifact):
            if store.manifest(ArtifactRef("generators", name, version)).body.get("digest") == digest:
                return version
    return None


def _build(body: dict[str, Any], weights: dict[str, Tensor]) -> Generator:
    # On no device, so that no time and no random numbers are spent on weights that are replaced at once.
    with torch.device("meta"):
        generator = build_generator(GeneratorSpec.from_json(body["spec"]))
    # Cloned, because tensors that lie in the bytes of a file are not aligned.
    generator.load_state_dict({name: weight.clone() for name, weight in weights.items()}, assign=True)
    return generator.freeze()
