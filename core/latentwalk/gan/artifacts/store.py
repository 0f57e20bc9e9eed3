"""The store: puts artifacts, and gets back nothing but what was put."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from latentwalk.gan.artifacts.manifest import (
    MANIFEST,
    NAME_PARTS,
    TENSOR_FILE,
    ArtifactRef,
    FileEntry,
    Kind,
    Manifest,
    check_name,
    describe,
    is_name_part,
)
from latentwalk.gan.artifacts.storage import open_storage
from latentwalk.gan.errors import CorruptArtifact, UnknownArtifact
from latentwalk.gan.spec import JsonObject

# ArtifactStore has a method called list.
_Refs: TypeAlias = list[ArtifactRef]
_Versions: TypeAlias = list[int]
_Names: TypeAlias = list[str]

MAX_MANIFEST_BYTES = 16 * 2**20


@dataclass(frozen=True, eq=False)
class Artifact:
    """One version of one artifact, every byte of it verified."""

    ref: ArtifactRef
    manifest: dict[str, Any]
    """As Manifest.to_json."""
    tensors: dict[str, Tensor]
    path: str
    """Where the manifest lies, for messages."""


class ArtifactStore:
    """Artifacts under a local path or any fsspec URL. Raises GanError for a URL that cannot be opened."""

    def __init__(self, url: str) -> None:
        self._storage = open_storage(url)

    @property
    def path(self) -> str:
        """Where it lies, for messages."""
        return self._storage.path("").rstrip("/")

    def put(
        self,
        kind: Kind,
        name: str,
        *,
        tensors: Mapping[str, Tensor],
        body: JsonObject,
        provenance: JsonObject,
        created: str,
    ) -> ArtifactRef:
        """Writes the next version of a name, all of it or nothing. ``created`` is ISO 8601.

        Raises GanError for a name that cannot be, and for a body or provenance that is not JSON.
        """
        check_name(kind, name)
        files = {TENSOR_FILE[kind]: safetensors.torch.save({key: _plain(one) for key, one in tensors.items()})}
        entries = {file: describe(content) for file, content in files.items()}

        def manifest(version: int) -> bytes:
            return Manifest(kind, name, version, created, body, provenance, entries).to_bytes()

        return ArtifactRef(kind, name, self._storage.publish(f"{kind}/{name}", files, manifest))

    def get(self, kind: Kind, name: str, version: int | None = None) -> Artifact:
        """Reads a version, by default the newest, and verifies size and sha256 of each file before parsing
        it.

        Raises UnknownArtifact, or CorruptArtifact naming the file and what is wrong with it.
        """
        ref = self.find(kind, name, version)
        manifest = self.manifest(ref)
        content = {file: self._verified(ref, file, entry) for file, entry in manifest.files.items()}
        try:
            tensors = safetensors.torch.load(content[TENSOR_FILE[kind]])
        except (SafetensorError, KeyError, ValueError) as failure:
            raise CorruptArtifact(self._path(ref, TENSOR_FILE[kind]), f"no tensors in it: {failure}") from failure
        return Artifact(ref, manifest.to_json(), tensors, self._path(ref, MANIFEST))

    def list(self, kind: Kind, prefix: str = "") -> _Refs:
        """Every visible version of every name that begins with the prefix, sorted."""
        return [
            ArtifactRef(kind, name, version)
            for name in self._names(kind)
            if name.startswith(prefix)
            for version in self.versions(kind, name)
        ]

    def versions(self, kind: Kind, name: str) -> _Versions:
        """The visible versions of a name, rising; none if there is no such name."""
        check_name(kind, name)
        folder = f"{kind}/{name}"
        numbers = self._storage.numbers(folder)
        return [number for number in numbers if self._storage.exists(f"{folder}/{number}/{MANIFEST}")]

    def find(self, kind: Kind, name: str, version: int | None = None) -> ArtifactRef:
        """A version that is there, by default the newest. Raises UnknownArtifact."""
        versions = self.versions(kind, name)
        if not versions:
            siblings = name[: name.rfind("/") + 1]
            existing = dict.fromkeys(ref.name.removeprefix(siblings) for ref in self.list(kind, siblings))
            raise UnknownArtifact(kind, name, version, tuple(existing))
        if version is not None and version not in versions:
            raise UnknownArtifact(kind, name, version, tuple(map(str, versions)))
        return ArtifactRef(kind, name, version or versions[-1])

    def delete(self, kind: Kind, name: str, version: int) -> None:
        """Removes a version; its number never comes back. Raises UnknownArtifact."""
        self._storage.remove(self.find(kind, name, version).folder)

    def sweep(self, *, before: float) -> None:
        """Removes what writers that were killed have left aside since before that time, in seconds since 1970."""
        self._storage.sweep(before)

    def _names(self, kind: Kind) -> _Names:
        folders: _Names = [kind]
        for _ in range(NAME_PARTS[kind]):
            folders = [
                f"{folder}/{child}"
                for folder in folders
                for child in self._storage.children(folder)
                if is_name_part(child)
            ]
        return [folder.removeprefix(f"{kind}/") for folder in folders]

    def manifest(self, ref: ArtifactRef) -> Manifest:
        """What a version says about itself, without a look at its other files. Raises CorruptArtifact."""
        path, file = self._path(ref, MANIFEST), f"{ref.folder}/{MANIFEST}"
        try:
            size = self._storage.size(file)
            if size > MAX_MANIFEST_BYTES:
                raise CorruptArtifact(path, f"it has {size} bytes, the limit is {MAX_MANIFEST_BYTES}")
            manifest = Manifest.from_bytes(self._storage.read(file))
        except (FileNotFoundError, ValueError, RecursionError) as failure:
            raise CorruptArtifact(path, f"it is no manifest: {failure}") from failure
        if (manifest.kind, manifest.name, manifest.version) != (ref.kind, ref.name, ref.version):
            raise CorruptArtifact(path, f"it belongs to {manifest.kind}/{manifest.name}/{manifest.version}")
        return manifest

    def _verified(self, ref: ArtifactRef, name: str, promised: FileEntry) -> bytes:
        path, file = self._path(ref, name), f"{ref.folder}/{name}"
        try:
            size = self._storage.size(file)
            if size != promised["bytes"]:
                raise CorruptArtifact(path, f"it has {size} bytes, its manifest says {promised['bytes']}")
            content = self._storage.read(file)
        except FileNotFoundError as failure:
            raise CorruptArtifact(path, "it is missing") from failure
        actual = describe(content)
        if actual != promised:
            raise CorruptArtifact(path, f"its sha256 is {actual['sha256']}, its manifest says {promised['sha256']}")
        return content

    def _path(self, ref: ArtifactRef, name: str) -> str:
        return self._storage.path(f"{ref.folder}/{name}")


def _plain(tensor: Tensor) -> Tensor:
    """In rows, in its own memory on the CPU: all that safetensors takes."""
    return tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
