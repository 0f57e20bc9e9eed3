"""From the artifact store to what can serve: a version is read, checked, and put on the device."""

import logging
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from latentwalk.gan.artifacts import (
    ArtifactStore,
    Kind,
    load_direction,
    load_generator,
    origin_of,
    save_direction,
    version_of_digest,
)
from latentwalk.gan.directions import Direction
from latentwalk.gan.errors import CorruptArtifact, GeneratorMismatch, InvalidLatent
from latentwalk.gan.generator import Generator
from latentwalk.gan.spec import JsonObject
from latentwalk.rpc.errors import InvalidRequest, StoreFailed, UnknownDirection, UnknownModel
from latentwalk.rpc.version import own_version
from latentwalk.server.device import RemoteEngine, RemoteSearcher
from latentwalk.server.mapper import Mapper
from latentwalk.server.served import ServedDirection, ServedModel

_log = logging.getLogger("latentwalk.repository")


class Loader:
    """Knows the store, and not what serves. All methods take long: none belongs on the event loop.

    Args:
        store: where artifacts come from.
        make_engine: puts a generator on the device and warms it.
        mapper: what maps the latents of all models.
        max_rows: the most rows of a request, as far as max_frame_bytes allows them.
        max_frames: the most frames of a stream.
        max_frame_bytes: the most bytes of pixels, or of codes, that one reply may carry.

    """

    def __init__(
        self,
        store: ArtifactStore,
        make_engine: Callable[[Generator], RemoteEngine],
        mapper: Mapper,
        *,
        max_rows: int,
        max_frames: int,
        max_frame_bytes: int,
    ) -> None:
        self._store = store
        self._make_engine = make_engine
        self._mapper = mapper
        self._max_rows = max_rows
        self._max_frames = max_frames
        self._max_frame_bytes = max_frame_bytes

    def versions(self, kind: Kind) -> Mapping[str, tuple[int, ...]]:
        """Those in the store by name, rising; a direction's is "model/direction"."""
        versions: defaultdict[str, tuple[int, ...]] = defaultdict(tuple)
        for ref in self._store.list(kind):
            versions[ref.name] += (ref.version,)
        return versions

    def model(self, name: str, version: int | None) -> ServedModel:
        """A version, or the newest, warm and without directions.

        Raises UnknownModel, CorruptArtifact, and InvalidRequest if not even one picture fits a reply.
        """
        _check_is_stored(self.versions("generators"), name, version, UnknownModel)
        _log.info("model %s is being loaded: it serves once its engine is measured and its batches are warm", name)
        generator, ref = load_generator(self._store, name, version)
        engine = self._make_engine(generator)
        most = self._max_frame_bytes // _row_bytes(engine)
        if most == 0:
            raise InvalidRequest(
                "model",
                f"a picture of {name}, or its code, has {_row_bytes(engine):,} bytes; a reply has room for "
                f"{self._max_frame_bytes:,} (raise max_reply_mib)",
            )
        rows = min(self._max_rows, most)
        return ServedModel(
            name,
            ref.version,
            engine,
            RemoteSearcher(engine),
            max_rows=rows,
            max_frames=self._max_frames,
            mapper=self._mapper,
        )

    def direction(self, owner: ServedModel, name: str, version: int | None) -> ServedDirection:
        """A version, or the newest, of a direction of that model.

        Raises UnknownDirection, CorruptArtifact, and GeneratorMismatch with both digests and the version of the model
        that would do.
        """
        prefix = f"{owner.name}/"
        stored = {
            path.removeprefix(prefix): versions
            for path, versions in self.versions("directions").items()
            if path.startswith(prefix)
        }
        _check_is_stored(stored, name, version, UnknownDirection)
        direction, ref = load_direction(self._store, owner.name, name, version)
        try:
            direction.check_generator(owner.digest)
        except GeneratorMismatch as mismatch:
            mismatch.version = version_of_digest(self._store, owner.name, mismatch.expected)
            raise
        try:
            direction.check_spec(owner.spec)
        except InvalidLatent as failure:
            raise CorruptArtifact(f"directions/{owner.name}/{name}/{ref.version}", failure.reason) from failure
        origin = origin_of(self._store.manifest(ref), [slider.name for slider in direction.sliders])
        return ServedDirection(direction, ref.version, origin)

    def publish(self, owner: ServedModel, direction: Direction, provenance: JsonObject) -> ServedDirection:
        """Puts a direction of that model into the store, as the next version of its name, and reads it from there.

        Raises GeneratorMismatch, GanError for a name that cannot be, and StoreFailed.
        """
        direction.check_generator(owner.digest)
        belongs = {"name": owner.name, "version": owner.version, "digest": owner.digest}
        created = datetime.now(UTC).isoformat(timespec="seconds")
        said = {**provenance, "generator": belongs, "latentwalk": own_version()}
        try:
            ref = save_direction(self._store, owner.name, direction, provenance=said, created=created)
        except OSError as error:
            raise StoreFailed(self._store.path, error) from error
        return self.direction(owner, direction.name, ref.version)


def _check_is_stored(
    stored: Mapping[str, Sequence[int]],
    name: str,
    version: int | None,
    unknown: type[UnknownModel] | type[UnknownDirection],
) -> None:
    if name not in stored:
        raise unknown(name, sorted(stored))
    if version is not None and version not in stored[name]:
        raise unknown(name, [str(one) for one in stored[name]], version=version)


def _row_bytes(engine: RemoteEngine) -> int:
    """What a row takes in a reply: its picture or, of MapLatents, its float32 w+."""
    return max(engine.size.bytes, 4 * engine.spec.layers * engine.spec.w_size)
