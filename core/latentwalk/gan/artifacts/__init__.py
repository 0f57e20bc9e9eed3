"""The artifact store: immutable, versioned folders of a manifest.json and a safetensors file.

* ``<root>/generators/<generator>/<version>/{manifest.json, weights.safetensors}``
* ``<root>/directions/<generator>/<direction>/<version>/{manifest.json, vectors.safetensors}``
* ``<root>/classifiers/<classifier>/<version>/{manifest.json, weights.safetensors}``

Versions are 1, 2, 3, ...; a version can be seen once its manifest is there, and its number never comes back.
"""

from latentwalk.gan.artifacts.classifiers import load_classifier, save_classifier
from latentwalk.gan.artifacts.directions import load_direction, save_direction
from latentwalk.gan.artifacts.generators import load_generator, save_generator, version_of_digest
from latentwalk.gan.artifacts.manifest import ArtifactRef, FileEntry, Kind, Manifest
from latentwalk.gan.artifacts.origin import Measures, Origin, origin_of
from latentwalk.gan.artifacts.picked import MOST_OTHERS, Source, provenance_of_picks
from latentwalk.gan.artifacts.store import Artifact, ArtifactStore

__all__ = [
    "MOST_OTHERS",
    "Artifact",
    "ArtifactRef",
    "ArtifactStore",
    "FileEntry",
    "Kind",
    "Manifest",
    "Measures",
    "Origin",
    "Source",
    "load_classifier",
    "load_direction",
    "load_generator",
    "origin_of",
    "provenance_of_picks",
    "save_classifier",
    "save_direction",
    "save_generator",
    "version_of_digest",
]
