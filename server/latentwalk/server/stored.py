"""What lies in the artifact store, and how it goes from there."""

import asyncio
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from latentwalk.gan.artifacts import ArtifactRef, ArtifactStore, Kind
from latentwalk.gan.artifacts.reading import moment, text
from latentwalk.gan.errors import CorruptArtifact
from latentwalk.rpc import logs
from latentwalk.rpc.caller import caller
from latentwalk.rpc.errors import ArtifactInUse, StoreFailed
from latentwalk.server.repository import Repository
from latentwalk.server.served import ServedModel

# Manifests are read so many at a time: whoever has left is not read for any longer.
_AT_ONCE = 32
_MOST_BYTES = 2**63 - 1
_LETTERS_OF_DIGEST = 128

_log = logging.getLogger("latentwalk.store")


@dataclass(frozen=True, slots=True)
class Stored:
    """One version, by its manifest."""

    ref: ArtifactRef
    is_served: bool
    size: int = 0
    """Bytes of its tensors."""
    created: datetime | None = None
    digest: str = ""
    """Of the generator that it is, or that it belongs to; empty for a classifier."""
    problem: str = ""
    """Why the manifest cannot be read, if it cannot."""


class Shelves:
    """The versions in the store that a repository serves from. All methods belong to the event loop."""

    def __init__(self, repository: Repository, store: ArtifactStore) -> None:
        self._repository, self._store = repository, store
        self._turn = asyncio.Lock()

    async def versions(self, kinds: Iterable[Kind], name: str = "") -> list[Stored]:
        """What is there of these kinds: of all names, or of one, with the directions of a generator of that name.

        Each is read, and there may be thousands: one caller after the other, so that others are served meanwhile.
        """
        async with self._turn:
            served, versions = set(_served(self._repository.served)), list[Stored]()
            refs = await asyncio.to_thread(self._listed, kinds, name)
            for start in range(0, len(refs), _AT_ONCE):
                versions += await asyncio.to_thread(self._read, refs[start : start + _AT_ONCE], served)
        return versions

    def _listed(self, kinds: Iterable[Kind], name: str) -> list[ArtifactRef]:
        refs = (ref for kind in kinds for ref in self._store.list(kind, name))
        return [ref for ref in refs if name in ("", ref.name, ref.name.partition("/")[0])]

    async def delete(self, kind: Kind, name: str, version: int) -> Stored:
        """Deletes a version, for ever, and says in the log who did.

        Raises UnknownArtifact of latentwalk.gan; ArtifactInUse if it is served, or if directions in the store belong to
        the generator and would be lost with it; StoreFailed.
        """

        def delete(models: Sequence[ServedModel]) -> Stored:
            ref = self._store.find(kind, name, version)
            stored = self._stored(ref, set(_served(models)))
            self._check_unused(stored)
            try:
                self._store.delete(kind, name, version)
            except OSError as error:
                raise StoreFailed(self._store.path, error) from error
            return stored

        deleted = await self._repository.undisturbed(delete)
        _log.info("%s is deleted from the store", deleted.ref.folder, extra=logs.fields(caller=caller.get()))
        return deleted

    def _read(self, refs: Sequence[ArtifactRef], served: set[ArtifactRef]) -> list[Stored]:
        return [self._stored(ref, served) for ref in refs]

    def _stored(self, ref: ArtifactRef, served: set[ArtifactRef]) -> Stored:
        try:
            manifest = self._store.manifest(ref)
        except CorruptArtifact as error:
            return Stored(ref, ref in served, problem=error.reason)
        size = sum(entry["bytes"] for entry in manifest.files.values())
        digest = manifest.body.get("digest") if ref.kind == "generators" else manifest.body.get("generator_digest")
        return Stored(
            ref,
            ref in served,
            min(max(size, 0), _MOST_BYTES),
            moment(manifest.created),
            text(digest, _LETTERS_OF_DIGEST),
        )

    def _check_unused(self, stored: Stored) -> None:
        ref = stored.ref
        what = f"version {ref.version} of {ref.name!r} in {ref.kind}"
        if stored.is_served:
            raise ArtifactInUse(f"{what} is served: unload it, or load another version, before it is deleted")
        if ref.kind == "generators" and stored.digest and (lost := self._lost_with(stored)):
            names = ", ".join(f"{other.name} version {other.version}" for other in lost)
            raise ArtifactInUse(f"{what} is needed by its directions, which would be lost; delete them first: {names}")

    def _lost_with(self, generator: Stored) -> list[ArtifactRef]:
        """The directions that belong to this generator, and to no other version of its name."""
        own = generator.ref
        versions = (ArtifactRef(own.kind, own.name, version) for version in self._store.versions(own.kind, own.name))
        if any(self._stored(ref, set()).digest == generator.digest for ref in versions if ref != own):
            return []
        directions = self._store.list("directions", f"{own.name}/")
        return [ref for ref in directions if self._stored(ref, set()).digest == generator.digest]


def _served(models: Sequence[ServedModel]) -> Iterator[ArtifactRef]:
    for model in models:
        yield ArtifactRef("generators", model.name, model.version)
        for name, direction in model.directions.items():
            yield ArtifactRef("directions", f"{model.name}/{name}", direction.version)
